#include "text/preview.h"

#include "base/utf8.h"
#include "text/charset.h"
#include "text/html_text.h"
#include "wire/mail/mime.h"

enum { PLAIN_BYTES = 4096, HTML_BYTES = 32768 };

static bool is_shown(const struct mime_part *part)
{
	return part->kind == MIME_LEAF &&
	       !str_same_nocase(part->disposition.type, STR("attachment"));
}

const struct mime_part *preview_part(struct mime_part *root)
{
	const struct mime_part *html = NULL;
	struct mime_part *part = root;

	while (part) {
		if (part->kind == MIME_MESSAGE) { /* and all that is in it */
			while (part && !part->next)
				part = part->parent;
			part = part ? part->next : NULL;
			continue;
		}
		if (is_shown(part) && mime_is(part, "text", "plain"))
			return part;
		if (!html && is_shown(part) && mime_is(part, "text", "html"))
			html = part;
		part = mime_next(part);
	}
	return html;
}

/* Appends text with every run of white space and controls as one space. */
static void add_one_line(struct buf *out, struct str text)
{
	size_t chars = 0;
	bool gap = false;

	while (text.len > 0 && chars < PREVIEW_CHARS_MAX) {
		struct str from = text;
		uint32_t code;

		(void)utf8_take(&text, &code); /* it is well-formed */
		if (code <= ' ' || code == 127 || code == 0xa0 || code == 0xfeff) {
			gap = chars > 0;
			continue;
		}
		if (gap && chars + 1 == PREVIEW_CHARS_MAX)
			return;
		if (gap)
			buf_add_byte(out, ' ');
		buf_add(out, str_first(from, from.len - text.len));
		chars += gap ? 2 : 1;
		gap = false;
	}
}

void preview_add(struct buf *out, struct str message, struct mime_part *root)
{
	const struct mime_part *part = preview_part(root);

	if (!part)
		return;
	bool is_html = mime_is(part, "text", "html");
	struct str body = {message.ptr + part->body_at, part->body_len};
	struct buf bytes = BUF(HTML_BYTES + 8);
	struct buf utf8 = BUF((size_t)HTML_BYTES * 3 + 8);
	struct buf text = BUF((size_t)PLAIN_BYTES + 8);

	body = str_first(body, is_html ? HTML_BYTES : PLAIN_BYTES);
	mail_transfer_decode(part->transfer, body, &bytes);
	(void)charset_add_utf8(&utf8, mail_param_plain(&part->params, STR("charset")),
			       buf_str(&bytes)); /* as far as it goes */
	if (is_html)
		html_text_add(&text, buf_str(&utf8), PLAIN_BYTES);
	add_one_line(out, is_html ? buf_str(&text) : buf_str(&utf8));
	buf_fini(&bytes);
	buf_fini(&utf8);
	buf_fini(&text);
}
