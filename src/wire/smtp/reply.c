#include "wire/smtp/reply.h"

#include "base/num.h"
#include "base/utf8.h"

static void add_visible(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char b = (unsigned char)text.ptr[i];

		buf_add_byte(out, (b < 32 && b != '\t') || b == 127 ? '?' : (char)b);
	}
}

void smtp_reply_add(struct buf *out, int code, const char *enhanced, struct str text)
{
	bool is_last;

	do {
		size_t from = out->len;

		is_last = str_find_byte(text, '\n') == text.len;
		buf_printf(out, "%03d%c", code, is_last ? ' ' : '-');
		if (enhanced)
			buf_printf(out, "%s ", enhanced);
		size_t room = SMTP_REPLY_LINE_MAX - 2 - (out->len - from);

		add_visible(out, utf8_first(str_cut(&text, '\n'), room));
		buf_add(out, STR("\r\n"));
	} while (!is_last);
}

/* Digits without a leading zero, and the stop behind them if there must be one. */
static bool part(struct str text, uint16_t *number)
{
	uint64_t value;

	if (text.len > 3 || (text.len > 1 && text.ptr[0] == '0') ||
	    !num_parse(text, 999, &value))
		return false;
	*number = (uint16_t)value;
	return true;
}

/* status-code = class "." subject "." detail.  RFC 3463 §2. */
bool smtp_enhanced_parse(struct str text, struct smtp_enhanced *enhanced)
{
	struct smtp_enhanced found;
	struct str class = str_cut(&text, '.');
	struct str subject = str_cut(&text, '.');

	if (!part(class, &found.class) || !part(subject, &found.subject) ||
	    !part(text, &found.detail))
		return false;
	if (found.class != 2 && found.class != 4 && found.class != 5)
		return false;
	*enhanced = found;
	return true;
}

/* Reply-line = Reply-code [ SP / "-" textstring ].  RFC 5321 §4.2. */
enum smtp_reply_fault smtp_reply_line(struct smtp_reply *reply, struct str line,
				      struct buf *text)
{
	uint64_t code;
	struct smtp_enhanced enhanced;

	if (line.len < 3 || !num_parse(str_first(line, 3), 599, &code) || code < 200)
		return SMTP_REPLY_BAD;
	if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-')
		return SMTP_REPLY_BAD;
	if (reply->is_whole || (reply->code != 0 && reply->code != (int)code))
		return SMTP_REPLY_BAD;
	if (reply->lines == SMTP_REPLY_LINES_MAX)
		return SMTP_REPLY_LONG;
	reply->code = (int)code;
	reply->is_whole = line.len == 3 || line.ptr[3] == ' ';

	struct str rest = str_skip(line, 4);
	size_t word = str_find_byte(rest, ' ');

	if (smtp_enhanced_parse(str_first(rest, word), &enhanced) &&
	    enhanced.class == code / 100) {
		if (reply->enhanced.class == 0)
			reply->enhanced = enhanced;
		rest = str_skip(rest, word + 1);
	}
	if (reply->lines++ > 0)
		buf_add_byte(text, '\n');
	add_visible(text, rest);
	return SMTP_REPLY_OK;
}
