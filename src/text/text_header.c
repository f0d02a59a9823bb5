#include "text/text_header.h"

#include "base/utf8.h"
#include "text/charset.h"
#include "wire/mail/encoded_word.h"

/* Line ends go, since a space follows them; other control characters become spaces. */
static void without_controls(struct buf *out, size_t from)
{
	size_t len = from;

	for (size_t i = from; i < out->len; i++) {
		char c = out->ptr[i];

		if (c == '\r' || c == '\n')
			continue;
		out->ptr[len++] = (unsigned char)c < 32 || c == 127 ? ' ' : c;
	}
	buf_cut(out, len);
}

void text_header_add(struct buf *out, struct str value)
{
	size_t from = out->len;
	struct mail_words_run run;

	value = str_trim(value);
	if (!mail_words_any(value)) {
		(void)charset_add_utf8(out, STR(""),
				       value); /* what we could make of it */
		without_controls(out, from);
		return;
	}
	struct buf scratch = BUF(value.len + 8);
	struct mail_words words = mail_words_over(value, &scratch);

	while (mail_words_next(&words, &run))
		(void)charset_add_utf8(out, run.charset, run.text); /* as above */
	buf_fini(&scratch);
	without_controls(out, from);
	while (out->len > from && out->ptr[out->len - 1] == ' ')
		out->len--;
}

void text_param_add(struct buf *out, struct str value, struct str charset)
{
	size_t from = out->len;

	if (charset.len == 0) {
		text_header_add(out, value);
		return;
	}
	(void)charset_add_utf8(out, charset, value); /* as above */
	without_controls(out, from);
}
