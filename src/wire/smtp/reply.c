#include "wire/smtp/reply.h"

#include "base/num.h"
#include "base/utf8.h"

static bool is_visible(unsigned char b)
{
	return (b >= 32 && b != 127) || b == '\t';
}

/* In runs: replies are short, but there are several to each mail. */
static void add_visible(struct buf *out, struct str text)
{
	while (text.len > 0) {
		size_t len = 0;

		while (len < text.len && is_visible((unsigned char)text.ptr[len]))
			len++;
		buf_add(out, str_first(text, len));
		if (len < text.len)
			buf_add_byte(out, '?');
		text = str_skip(text, len + 1);
	}
}

void smtp_reply_add(struct buf *out, int code, const char *enhanced, struct str text)
{
	bool is_last;

	do {
		size_t from = out->len;

		is_last = str_find_byte(text, '\n') == text.len;
		const char digits[] = {(char)('0' + code / 100 % 10),
				       (char)('0' + code / 10 % 10),
				       (char)('0' + code % 10), is_last ? ' ' : '-'};

		buf_add(out, (struct str){digits, sizeof digits});
		if (enhanced) {
			buf_add_c(out, enhanced);
			buf_add_byte(out, ' ');
		}
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
