#include "wire/dns/rdata.h"

#include "base/test.h"

static struct arena arena;

TEST(reads_mail_exchangers)
{
	struct dns_mx mx;

	arena_init(&arena, 4096);
	CHECK(dns_mx_read(STR("\0\12\2MX\7Example\3org\0"), &arena, &mx));
	CHECK(mx.preference == 10);
	CHECK_STR(mx.host, STR("mx.example.org"));
	CHECK(dns_mx_read(STR("\0\0\0"), &arena, &mx)); /* RFC 7505 */
	CHECK_STR(mx.host, STR(""));
	static const struct str bad[] = {
		{"", 0},
		{"\0", 1},
		{"\0\12", 2},
		{"\0\12\2mx", 5},      /* no root label */
		{"\0\12\2mx\0x", 7},   /* more than the name */
		{"\0\12\300\14", 4},   /* a pointer */
		{"\0\12\3a.b\0", 7},   /* a dot in a label */
		{"\0\12\3a\r\n\0", 7}, /* controls */
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!dns_mx_read(bad[i], &arena, &mx));
	arena_fini(&arena);
}

TEST(reads_the_other_records)
{
	struct dns_srv srv;
	struct dns_tlsa tlsa;
	struct str text;

	arena_init(&arena, 4096);
	CHECK(dns_srv_read(STR("\0\1\0\2\1\273\1h\0"), &arena, &srv));
	CHECK(srv.priority == 1 && srv.weight == 2 && srv.port == 443);
	CHECK_STR(srv.host, STR("h"));
	CHECK(dns_tlsa_read(STR("\3\1\1abc"), &tlsa));
	CHECK(tlsa.usage == 3 && tlsa.selector == 1 && tlsa.matching == 1);
	CHECK_STR(tlsa.association, STR("abc"));
	CHECK(!dns_tlsa_read(STR("\3\1\1"), &tlsa));
	CHECK(dns_host_read(STR("\1a\1B\0"), &arena, &text));
	CHECK_STR(text, STR("a.b"));
	CHECK(dns_txt_read(STR("\6v=spf1\5 -all\0"), &arena, &text));
	CHECK_STR(text, STR("v=spf1 -all"));
	CHECK(dns_txt_read(STR(""), &arena, &text) && text.len == 0);
	CHECK(!dns_txt_read(STR("\6v=spf"), &arena, &text));
	arena_fini(&arena);
}

TEST(reads_who_may_certify)
{
	static const struct str bad[] = {
		{"", 0},          {"\0", 1},          {"\0\0x", 3},
		{"\0\6issue", 7}, {"\0\5issue\n", 8}, {"\0\5issu\377x", 8},
	};
	struct dns_caa caa;

	CHECK(dns_caa_read(STR("\200\5issueca.example"), &caa));
	CHECK(caa.flags == 128);
	CHECK_STR(caa.tag, STR("issue"));
	CHECK_STR(caa.value, STR("ca.example"));
	CHECK(dns_caa_read(STR("\0\5issue"), &caa) && caa.value.len == 0);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!dns_caa_read(bad[i], &caa));
}

TEST(knows_names_that_may_be_asked_for)
{
	static const char *const good[] = {"org", "example.org.",
					   "_25._tcp.mx.example.org",
					   "xn--bcher-kva.example", "a"};
	static const char *const bad[] = {
		"", ".", "..", "a..", ".a", "a..b", "a b", "a\"b", "\303\244.example"};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(dns_name_is_valid(str_c(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!dns_name_is_valid(str_c(bad[i])));
	CHECK(dns_name_is_askable(STR("a b\"c.example")) &&
	      dns_name_is_askable(STR("org.")));
	CHECK(!dns_name_is_askable(STR("a..b")) && !dns_name_is_askable(STR("a\\b")) &&
	      !dns_name_is_askable(STR("a\tb")) && !dns_name_is_askable(STR("")));
	char longest[254];

	memset(longest, 'a', sizeof longest);
	for (size_t i = 63; i < sizeof longest; i += 64)
		longest[i] = '.';
	CHECK(dns_name_is_valid((struct str){longest, 253}));
	CHECK(!dns_name_is_valid((struct str){longest, 254}));
	memset(longest, 'a', 64);
	CHECK(!dns_name_is_valid((struct str){longest, 64}));
}
