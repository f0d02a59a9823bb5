#include "wire/smtp/domain.h"

/* Any octets: what is taken lies inside and is a host by itself; a failure moves nothing;
 * what is a name in ASCII is one in UTF-8 too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	struct cursor ascii = cur_over(input), utf8 = ascii, literal = ascii;
	struct cursor start = ascii;

	if (smtp_domain_take(&ascii, SMTP_ASCII)) {
		struct str taken = cur_since(start, ascii);

		ASSERT(!cur_done(ascii) ||
		       (smtp_domain_take(&utf8, SMTP_UTF8) && cur_done(utf8)));
		ASSERT(taken.len > 0 && taken.len <= len && smtp_host_is_valid(taken));
	} else {
		ASSERT(ascii.at == start.at);
	}
	if (smtp_literal_take(&literal)) {
		struct str taken = cur_since(start, literal);

		ASSERT(smtp_host_is_valid(taken));
		taken = str_first(str_skip(taken, 1), taken.len - 2);
		ASSERT(smtp_ipv4_is_valid(taken) !=
		       str_starts_nocase(taken, STR("IPv6:")));
	} else {
		ASSERT(literal.at == start.at);
	}
	ASSERT(!(smtp_ipv4_is_valid(input) && smtp_ipv6_is_valid(input)));
	return 0;
}
