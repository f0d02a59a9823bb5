#include "wire/document/pdf_token.h"

/* Tokens lie in the input, one behind the other, and mean no more octets than they have.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str rest = {(const char *)data, len};
	const char *end = rest.ptr + len;
	struct pdf_token token;

	while (rest.len > 0) {
		SCOPED(buf_fini) struct buf out = BUF(1 << 20);
		struct str before = rest;

		if (!pdf_token_take(&rest, &token)) {
			ASSERT(rest.len == 0);
			break;
		}
		ASSERT(rest.len < before.len && rest.ptr + rest.len == end);
		ASSERT(token.raw.len == 0 || (token.raw.ptr >= before.ptr &&
					      token.raw.ptr + token.raw.len <= end));
		if (token.kind == PDF_NAME)
			pdf_name_add(&out, token.raw);
		else
			pdf_string_add(&out, &token);
		ASSERT(out.len <= token.raw.len);
	}
	return 0;
}
