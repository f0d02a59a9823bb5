#include "wire/mail/pasted.h"

#include "wire/mail/header.h"

/* What comes out is a header up to its blank line, and mending it once more changes no
 * field. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct buf once = BUF(16 * len + 100);
	struct mail_pasted pasted;
	struct mail_field field;

	mail_pasted_add(&once, (struct str){(const char *)data, len}, &pasted);
	ASSERT(buf_ok(&once) && pasted.header_len <= once.len);
	ASSERT(str_ends(str_first(buf_str(&once), pasted.header_len), STR("\r\n")));
	struct mail_fields fields = mail_fields_over(buf_str(&once));

	while (mail_fields_next(&fields, &field)) {
		ASSERT(field.at + field.len <= pasted.header_len);
	}
	buf_fini(&once);
	return 0;
}
