#include "conf/hop.h"

#include "base/test.h"

TEST(reads_where_mail_is_handed_to)
{
	static const struct {
		const char *text;
		enum hop_scheme scheme;
		const char *host;
		bool is_literal;
		uint16_t port;
	} cases[] = {
		{"mx", HOP_MX, "", false, 0},
		{"smtp:example.org", HOP_SMTP, "example.org", false, 0},
		{"smtp:[relay.example.org]:2525", HOP_SMTP, "relay.example.org", true,
		 2525},
		{"lmtp:[2001:db8::1]:24", HOP_LMTP, "2001:db8::1", true, 24},
		{"submission:smtp.example.org:587", HOP_SUBMISSION, "smtp.example.org",
		 false, 587},
		{"submissions:[192.0.2.1]", HOP_SUBMISSIONS, "192.0.2.1", true, 0},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct conf_hop hop;

		CHECK(conf_hop_parse(str_c(cases[i].text), &hop));
		CHECK(hop.scheme == cases[i].scheme && hop.port == cases[i].port);
		CHECK(hop.is_literal == cases[i].is_literal);
		CHECK_STR(hop.host, str_c(cases[i].host));
	}
}

TEST(refuses_what_is_no_hop)
{
	static const char *const cases[] = {
		"",          "smtp",          "smtp:",      "example.org",
		"uucp:x",    "smtp:a:",       "smtp:a:0",   "smtp:a:65536",
		"smtp:[a",   "smtp:[]:25",    "smtp:[a]25", "smtp:a b:25",
		"smtp:.org", "mx:example.org"};
	struct conf_hop hop;

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(!conf_hop_parse(str_c(cases[i]), &hop));
}

TEST(reads_a_list_of_routes)
{
	struct str rest = STR(" a.org=mx, .b.org=smtp:[127.0.0.1]:25 from:c.org=lmtp:d");
	struct conf_route route;

	CHECK(conf_route_next(&rest, &route) && route.hop.scheme == HOP_MX);
	CHECK_STR(route.domain, STR("a.org"));
	CHECK(conf_route_next(&rest, &route) && route.is_below && !route.is_of_sender);
	CHECK_STR(route.domain, STR("b.org"));
	CHECK(conf_route_next(&rest, &route) && route.is_of_sender && !route.is_below);
	CHECK_STR(route.domain, STR("c.org"));
	CHECK(!conf_route_next(&rest, &route) && rest.len == 0);
	rest = STR("a.org");
	CHECK(!conf_route_next(&rest, &route) && rest.len > 0);
}
