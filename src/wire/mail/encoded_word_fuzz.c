#include "wire/mail/encoded_word.h"

#include "base/utf8.h"

/* What is written is read as one run of the same text. */
static void goes_round(struct str text)
{
	struct buf written = BUF(1 << 20), scratch = BUF(1 << 20);
	struct mail_words_run run;

	mail_words_add(&written, text);
	ASSERT(buf_ok(&written));
	struct mail_words words = mail_words_over(buf_str(&written), &scratch);

	ASSERT(mail_words_next(&words, &run) && run.is_encoded);
	ASSERT(str_same(run.text, text) && !mail_words_next(&words, &run));
	buf_fini(&written);
	buf_fini(&scratch);
}

/* Any octets: the walk ends, moves on with every step, and plain runs are the value's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str value = {(const char *)data, len};
	struct buf scratch = BUF(1 << 20);
	struct mail_words words = mail_words_over(value, &scratch);
	struct mail_words_run run;
	size_t before = 0, plain = 0;

	while (mail_words_next(&words, &run)) {
		ASSERT(words.at > before && words.at <= len);
		ASSERT(run.is_encoded || run.text.len == words.at - before);
		plain += run.is_encoded ? 0 : run.text.len;
		before = words.at;
	}
	ASSERT(words.at == len && plain <= len);
	ASSERT(mail_words_any(value) || plain == len);
	if (len > 0 && len < 100000 && utf8_valid(value))
		goes_round(value);
	buf_fini(&scratch);
	return 0;
}
