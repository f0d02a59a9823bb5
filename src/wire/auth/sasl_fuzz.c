#include "wire/auth/sasl.h"

#include "base/utf8.h"

/* Any octets: PLAIN's three parts with their NULs are the whole message; a line decodes
 * to no more than it had. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(buf_fini) struct buf out = BUF(SASL_TEXT_MAX);
	struct sasl_plain p;

	if (sasl_plain_parse(input, &p)) {
		ASSERT(p.authzid.len + p.authcid.len + p.password.len + 2 == len);
		ASSERT(utf8_valid(input) && p.authcid.len > 0 && p.password.len > 0);
	}
	if (sasl_line_decode(input, &out) == SASL_LINE_DATA)
		ASSERT(out.len <= len / 4 * 3);
	else
		ASSERT(out.len == 0);
	if (sasl_mechanism_find(input) != SASL_OTHER)
		ASSERT(len == 5);
	return 0;
}
