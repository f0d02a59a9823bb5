#include "wire/mail/encoded_word.h"

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
	buf_fini(&scratch);
	return 0;
}
