#include "mailauth/helo.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"

static const struct fake_record world[] = {
	{"mail.example.org", DNS_A, "192.0.2.9"},
	{"mail.example.org", DNS_A, "192.0.2.1"},
	{"mail.example.org", DNS_AAAA, "2001:db8::1"},
	{"six.example.org", DNS_AAAA, "2001:db8::6"},
	{"text.example.org", DNS_TXT, "hello"},
	{"slow.example.org", DNS_A, NULL},
	{"bogus.example.org", DNS_A, "BOGUS"},
	{"half.example.org", DNS_AAAA, NULL},
};

TEST(a_client_may_call_itself_many_things)
{
	static const struct {
		const char *ip, *name, *helo;
	} table[] = {
		{"192.0.2.1", "Mail.example.org", "own"},
		{"2001:db8::1", "mail.example.org", "own"},
		{"192.0.2.2", "mail.example.org", "other"},
		{"192.0.2.1", "six.example.org", "other"},
		{"192.0.2.1", "text.example.org", "nowhere"},
		{"192.0.2.1", "no.example.org", "nowhere"},
		{"192.0.2.1", "slow.example.org", "unknown"},
		{"192.0.2.1", "bogus.example.org", "unknown"},
		{"192.0.2.1", "half.example.org", "unknown"},
		{"192.0.2.1", "[192.0.2.1]", "own"},
		{"192.0.2.1", "[192.0.2.2]", "other"},
		{"2001:db8::1", "[IPv6:2001:DB8::0:1]", "own"},
		{"192.0.2.1", "[ipv6:::ffff:192.0.2.1]", "own"},
		{"2001:db8::1", "[192.0.2.1]", "other"},
		{"192.0.2.1", "[192.0.2.1", "malformed"},
		{"192.0.2.1", "[", "malformed"},
		{"192.0.2.1", "[192.0.2.01]", "malformed"},
		{"192.0.2.1", "localhost", "malformed"},
		{"192.0.2.1", "", "malformed"},
		{"192.0.2.1", "my pc.example", "malformed"},
		{"192.0.2.1", "a..example", "malformed"},
	};
	struct fake_dns dns = {world, COUNT_OF(world)};
	struct dns_lookup lookup = fake_dns_lookup(&dns);
	struct ip ip;

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		CHECK(ip_parse(str_c(table[i].ip), &ip));
		CHECK_STR(
			str_c(helo_name(helo_check(&lookup, &ip, str_c(table[i].name)))),
			str_c(table[i].helo));
	}
}
