#include "wire/smtp/domain.h"

#include "base/test.h"

TEST(knows_ipv4_addresses)
{
	CHECK(smtp_ipv4_is_valid(STR("192.0.2.1")));
	CHECK(smtp_ipv4_is_valid(STR("0.0.0.255")));
	CHECK(!smtp_ipv4_is_valid(STR("192.0.2")));
	CHECK(!smtp_ipv4_is_valid(STR("192.0.2.256")));
	CHECK(!smtp_ipv4_is_valid(STR("192.0.2.1.5")));
	CHECK(!smtp_ipv4_is_valid(STR("192.0.2.")));
	CHECK(!smtp_ipv4_is_valid(STR("192.0..1")));
	CHECK(!smtp_ipv4_is_valid(STR("192.0.2.0001")));
	CHECK(!smtp_ipv4_is_valid(STR("192.0.2.-1")));
	CHECK(!smtp_ipv4_is_valid(STR("")));
}

TEST(knows_ipv6_addresses)
{
	static const struct {
		struct str text;
		bool is_valid;
	} cases[] = {
		{STR("2001:db8:1:2:3:4:5:6"), true},
		{STR("2001:db8::1"), true},
		{STR("::"), true},
		{STR("::1"), true},
		{STR("fe80::"), true},
		{STR("1:2:3:4:5:6:7::"), true},
		{STR("::ffff:192.0.2.1"), true},
		{STR("1:2:3:4:5:6:192.0.2.1"), true},
		{STR("1:2:3:4:5:6:7:192.0.2.1"), false},
		{STR("1:2:3:4:5:6:192.0.2.300"), false},
		{STR("1:2::3:4:5:6:192.0.2.1"), false},
		{STR("1:2:3:4:5:6:7"), false},
		{STR("1:2:3:4:5:6:7:8:9"), false},
		{STR("1:2:3:4::5:6:7:8"), false},
		{STR("1::2::3"), false},
		{STR(":::"), false},
		{STR(":1"), false},
		{STR("1:"), false},
		{STR("12345::"), false},
		{STR("1:2:3:4:5:6:7:"), false},
		{STR("1:g::"), false},
		{STR("1;2"), false},
		{STR(""), false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (smtp_ipv6_is_valid(cases[i].text) != cases[i].is_valid)
			CHECK_STR(cases[i].text, STR("another verdict"));
}

TEST(knows_hosts)
{
	char label64[65], name256[257];

	for (size_t i = 0; i < sizeof label64; i++)
		label64[i] = 'a';
	for (size_t i = 0; i < sizeof name256; i++)
		name256[i] = i % 2 ? '.' : 'a';
	CHECK(smtp_host_is_valid(STR("mail.example.org")));
	CHECK(smtp_host_is_valid(STR("localhost")));
	CHECK(smtp_host_is_valid(STR("a-b.1.example")));
	CHECK(smtp_host_is_valid(STR("b\xc3\xbc"
				     "cher.example")));
	CHECK(smtp_host_is_valid(STR("[192.0.2.1]")));
	CHECK(smtp_host_is_valid(STR("[IPv6:2001:db8::1]")));
	CHECK(smtp_host_is_valid(STR("[ipv6:::1]")));
	CHECK(smtp_host_is_valid((struct str){label64, 63}));
	CHECK(!smtp_host_is_valid((struct str){label64, 64}));
	CHECK(smtp_host_is_valid((struct str){name256, 255}));
	CHECK(!smtp_host_is_valid((struct str){name256, 257}));
	CHECK(!smtp_host_is_valid(STR("[2001:db8::1]")));
	CHECK(!smtp_host_is_valid(STR("[IPv7:1]")));
	CHECK(!smtp_host_is_valid(STR("[192.0.2.1")));
	CHECK(!smtp_host_is_valid(STR("[192.0.2.1]x")));
	CHECK(!smtp_host_is_valid(STR("-a.example")));
	CHECK(!smtp_host_is_valid(STR("a-.example")));
	CHECK(!smtp_host_is_valid(STR("a..example")));
	CHECK(!smtp_host_is_valid(STR("a.example.")));
	CHECK(!smtp_host_is_valid(STR("my_host")));
	CHECK(!smtp_host_is_valid(STR("b\xc3.example")));
	CHECK(!smtp_host_is_valid(STR("b\xc2\x85.example")));
	CHECK(!smtp_host_is_valid(STR("")));
}
