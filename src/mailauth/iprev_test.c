#include "mailauth/iprev.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"

static const struct fake_record world[] = {
	{"1.2.0.192.in-addr.arpa", DNS_PTR, "mail.example.org"},
	{"1.2.0.192.in-addr.arpa", DNS_PTR, "liar.example.org"},
	{"1.2.0.192.in-addr.arpa", DNS_PTR, "slow.example.org"},
	{"1.2.0.192.in-addr.arpa", DNS_PTR, "www.example.org"},
	{"mail.example.org", DNS_A, "192.0.2.9"},
	{"mail.example.org", DNS_A, "192.0.2.1"},
	{"www.example.org", DNS_A, "192.0.2.1"},
	{"liar.example.org", DNS_A, "192.0.2.2"},
	{"slow.example.org", DNS_A, NULL},
	{"2.2.0.192.in-addr.arpa", DNS_PTR, "mail.example.org"},
	{"3.2.0.192.in-addr.arpa", DNS_PTR, "slow.example.org"},
	{"4.2.0.192.in-addr.arpa", DNS_PTR, NULL},
	{"5.2.0.192.in-addr.arpa", DNS_PTR, "BOGUS"},
	{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	 DNS_PTR, "six.example.org"},
	{"six.example.org", DNS_AAAA, "2001:db8::1"},
};

TEST(a_name_counts_if_it_leads_back)
{
	static const struct {
		const char *ip, *result;
		size_t count;
	} table[] = {
		{"192.0.2.1", "pass", 2},      {"192.0.2.2", "fail", 0},
		{"192.0.2.3", "temperror", 0}, {"192.0.2.4", "temperror", 0},
		{"192.0.2.5", "temperror", 0}, {"192.0.2.6", "permerror", 0},
		{"2001:db8::1", "pass", 1},    {"2001:db8::2", "permerror", 0},
	};
	struct fake_dns dns = {world, COUNT_OF(world)};
	struct dns_lookup lookup = fake_dns_lookup(&dns);
	struct iprev iprev;
	struct arena arena;
	struct ip ip;

	arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		CHECK(ip_parse(str_c(table[i].ip), &ip));
		iprev_check(&lookup, &ip, &arena, &iprev);
		CHECK_STR(str_c(iprev_result_name(iprev.result)), str_c(table[i].result));
		CHECK(iprev.count == table[i].count);
	}
	CHECK(ip_parse(STR("192.0.2.1"), &ip));
	iprev_check(&lookup, &ip, &arena, &iprev);
	CHECK_STR(iprev.names[0], STR("mail.example.org"));
	CHECK_STR(iprev.names[1], STR("www.example.org"));
	arena_fini(&arena);
}
