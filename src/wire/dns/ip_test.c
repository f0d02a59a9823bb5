#include "wire/dns/ip.h"

#include "base/test.h"

static struct ip ip(const char *text)
{
	struct ip found = {.len = 0};

	CHECK(ip_parse(str_c(text), &found));
	return found;
}

TEST(reads_and_writes_addresses)
{
	static const struct {
		const char *from, *to;
	} table[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::FFFF:1.2.3.4", "1.2.3.4"},
		{"2001:DB8::0:1", "2001:db8::1"},
		{"CAFE:BABE::192.168.218.40", "cafe:babe::c0a8:da28"},
		{"::", "::"},
	};
	char text[IP_TEXT_BYTES];

	for (size_t i = 0; i < COUNT_OF(table); i++) {
		struct ip found = ip(table[i].from);

		CHECK_STR(ip_text(&found, text), str_c(table[i].to));
	}
}

TEST(refuses_what_is_no_address)
{
	static const char *const bad[] = {
		"",        "1.2.3",    "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ",
		"1.2.3.x", "2001:db8", "1::2::3",   ":::1",      "12345::",  "::1.2.3",
	};
	struct ip found;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!ip_parse(str_c(bad[i]), &found));
	CHECK(!ip_parse(STR("1.2.3.4\0"), &found));
	CHECK(!ip4_parse(STR("::1"), &found) && !ip6_parse(STR("1.2.3.4"), &found));
	CHECK(!ip_read(STR("123"), &found) && !ip_read(STR(""), &found));
	CHECK(ip_read(STR("\1\2\3\4"), &found) && found.len == IP4_BYTES);
	CHECK(ip_read(STR("0123456789abcdef"), &found) && found.len == IP6_BYTES);
}

TEST(compares_prefixes)
{
	struct ip a = ip("192.0.2.1"), b = ip("192.0.2.3"), six = ip("c000:201::");

	CHECK(ip_same_prefix(&a, &b, 30) && !ip_same_prefix(&a, &b, 31));
	CHECK(ip_same_prefix(&a, &b, 24) && ip_same_prefix(&a, &b, 0));
	CHECK(!ip_same(&a, &b) && ip_same(&a, &a) && ip_same(&six, &six));
	CHECK(!ip_same_prefix(&a, &six, 0));
	CHECK(!ip_same_prefix(&a, &a, 33));
}

TEST(names_reverse_mappings)
{
	struct buf name = BUF(100);
	char text[IP_NIBBLES_BYTES];
	struct ip four = ip("192.0.2.10"), six = ip("2001:db8::cb01");

	ip_add_reverse_name(&four, &name);
	CHECK_STR(buf_str(&name), STR("10.2.0.192.in-addr.arpa"));
	CHECK_STR(ip_dotted(&four, text), STR("192.0.2.10"));
	buf_reset(&name);
	ip_add_reverse_name(&six, &name);
	CHECK_STR(buf_str(&name), STR("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
				      "8.b.d.0.1.0.0.2.ip6.arpa"));
	CHECK_STR(ip_dotted(&six, text), STR("2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0."
					     "0.0.0.0.0.0.0.C.B.0.1"));
	buf_fini(&name);
}

TEST(tells_addresses_of_the_internet_from_others)
{
	static const char *const others[] = {
		"0.0.0.0",    "10.1.2.3",    "100.127.0.1", "127.0.0.1", "169.254.1.1",
		"172.31.0.1", "192.168.2.1", "224.0.0.1",   "::",        "::1",
		"fd00::1",    "fe80::1",     "ff02::1"};
	static const char *const publics[] = {"9.255.255.255", "11.0.0.1",
					      "100.128.0.1",   "172.32.0.1",
					      "192.0.2.1",     "2001:db8::1"};
	struct ip one;

	for (size_t i = 0; i < COUNT_OF(others); i++)
		CHECK((one = ip(others[i]), !ip_is_public(&one)));
	for (size_t i = 0; i < COUNT_OF(publics); i++)
		CHECK((one = ip(publics[i]), ip_is_public(&one)));
}
