#include "net/address.h"

#include <stdio.h>
#include <unistd.h>

#include "base/test.h"

static struct address parsed(struct str text)
{
	struct address address = {0};

	CHECK(address_parse(text, &address));
	return address;
}

TEST(addresses_go_there_and_back)
{
	static const struct {
		struct str text, host, whole;
		bool is_loopback;
	} cases[] = {
		{{"127.0.0.1:10025", 15},
		 {"127.0.0.1", 9},
		 {"127.0.0.1:10025", 15},
		 true},
		{{"192.0.2.1:25", 12}, {"192.0.2.1", 9}, {"192.0.2.1:25", 12}, false},
		{{"[::1]:25", 8}, {"::1", 3}, {"[::1]:25", 8}, true},
		{{"[2001:DB8::1]:0", 15},
		 {"2001:db8::1", 11},
		 {"[2001:db8::1]:0", 15},
		 false},
		{{"[::ffff:127.0.0.2]:7", 20},
		 {"127.0.0.2", 9},
		 {"127.0.0.2:7", 11},
		 true},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address address = parsed(cases[i].text);
		char text[ADDRESS_TEXT_BYTES];

		CHECK_STR(address_text(&address, text), cases[i].host);
		CHECK_STR(address_text_port(&address, text), cases[i].whole);
		CHECK(address_is_loopback(&address) == cases[i].is_loopback);
	}
}

TEST(what_is_no_address_is_refused)
{
	static const char *const cases[] = {
		"",       "25",    ":25",        "127.0.0.1",  "127.0.0.1:",    "1.2.3:4",
		"::1:25", "[::1]", "[::1:25",    "[::1]25",    "[1.2.3.4]:5",   "host:25",
		"[]:1",   "[:1",   "1.2.3.4:-1", "1.2.3.4:x1", "1.2.3.4:65536",
	};
	struct address address;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(!address_parse(str_c(cases[i]), &address));
}

TEST(an_ipv6_customer_is_one_stranger_of_a_site)
{
	unsigned char one[16], other[16];
	struct address a, b;

	CHECK(address_parse_host(STR("2001:db8:1:2::1"), &a) &&
	      address_parse_host(STR("2001:db8:1:3::1"), &b));
	address_group(&a, one);
	address_group(&b, other);
	CHECK(memcmp(one, other, 16) != 0);
	CHECK(address_site(&a, one) && address_site(&b, other));
	CHECK(memcmp(one, other, 16) == 0);
	CHECK(address_parse_host(STR("2001:db8:1::"), &b));
	address_group(&b, other);
	CHECK(memcmp(one, other, 16) != 0); /* the /64 at its start is not the site */
	CHECK(address_parse_host(STR("192.0.2.1"), &a) && !address_site(&a, one));
	CHECK(!address_parse_host(STR("192.0.2.1:25"), &a));
	CHECK(!address_parse_host(STR("mail.example"), &a));
}

TEST(sockets_are_bound_and_shared)
{
	struct address address = parsed(STR("127.0.0.1:0")), bound;
	int one = -1, other = -1;

	CHECK(address_listen(&address, &one) == OK);
	CHECK(address_of_local(one, &bound) && address_port(&bound) != 0);
	CHECK(address_listen(&bound, &other) == OK);
	CHECK(close(one) == 0 && close(other) == 0);
}
