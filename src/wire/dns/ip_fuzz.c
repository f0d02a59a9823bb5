#include "wire/dns/ip.h"

#include "wire/dns/rdata.h"

/* What is read is written so that it reads the same; its reverse name can be asked for.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(buf_fini) struct buf name = BUF(100);
	struct str input = {(const char *)data, len};
	char text[IP_TEXT_BYTES], dotted[IP_NIBBLES_BYTES];
	struct ip ip, again;

	if (!ip_parse(input, &ip) && !ip_read(input, &ip))
		return 0;
	struct str shown = ip_text(&ip, text);

	ASSERT(ip.len == IP4_BYTES ? ip4_parse(shown, &again) : ip6_parse(shown, &again));
	ASSERT(ip_same(&ip, &again));
	ip_add_reverse_name(&ip, &name);
	ASSERT(buf_ok(&name) && dns_name_is_valid(buf_str(&name)));
	ASSERT(ip_dotted(&ip, dotted).len == (ip.len == IP4_BYTES ? shown.len : 63));
	return 0;
}
