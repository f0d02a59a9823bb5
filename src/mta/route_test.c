#include "mta/route.h"

#include "base/test.h"
#include "mta/mta.h"

static const struct mta_options options = {
	.smarthost = STR("submission:smart.example"),
	.routes =
		STR("a.org=mx .a.org=smtp:[192.0.2.1]:2525 from:b.org=lmtp:[127.0.0.1]"),
	.logins = STR("# ours\nsmart.example ann secret word\nother.example bob x\n"),
};

static enum hop_scheme way(const char *sender, const char *domain)
{
	return route_next_hop(&options, str_c(sender), str_c(domain)).scheme;
}

TEST(the_recipients_route_goes_before_the_senders_and_the_smarthost)
{
	CHECK(way("x@c.org", "A.org") == HOP_MX);
	CHECK(way("x@b.org", "a.org") == HOP_MX);
	CHECK(way("x@c.org", "sub.a.org") == HOP_SMTP);
	CHECK(way("x@c.org", "xa.org") == HOP_SUBMISSION);
	CHECK(way("x@b.org", "c.org") == HOP_LMTP);
	CHECK(way("", "c.org") == HOP_SUBMISSION);
}

TEST(a_person_may_choose_the_next_hop)
{
	struct arena arena;
	struct conf_hop hop;

	arena_init(&arena, 10000);
	CHECK(!route_of_person(STR(""), &arena, &hop));
	CHECK(route_of_person(STR("relay.example:2525"), &arena, &hop));
	CHECK(hop.scheme == HOP_SMTP && hop.is_literal && hop.port == 2525);
	CHECK_STR(hop.host, STR("relay.example"));
	CHECK(route_of_person(STR("192.0.2.1"), &arena, &hop) && hop.port == 0);
	CHECK(route_of_person(STR("lmtp:[::1]:24"), &arena, &hop));
	CHECK(hop.scheme == HOP_LMTP);
	CHECK(!route_of_person(STR("a b"), &arena, &hop));
	arena_fini(&arena);
}

TEST(a_login_is_found_by_its_host)
{
	struct str name, password;

	CHECK(route_login(&options, STR("Smart.example"), &name, &password));
	CHECK_STR(name, STR("ann"));
	CHECK_STR(password, STR("secret word"));
	CHECK(!route_login(&options, STR("ours"), &name, &password));
	CHECK(!route_login(&options, STR(""), &name, &password));
}
