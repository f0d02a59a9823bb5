#include "wire/auth/oauth.h"

#include "base/test.h"

static bool bearer(struct str message, struct oauth_response *r)
{
	static struct arena arena;

	arena_reset(&arena);
	arena.max = 4096;
	return oauth_bearer_parse(message, &arena, r);
}

/* RFC 7628 §4.1. */
TEST(reads_oauthbearer)
{
	struct oauth_response r;

	CHECK(bearer(STR("n,a=user@example.com,\1host=server.example.com\1port=143\1"
			 "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"),
		     &r));
	CHECK_STR(r.user, STR("user@example.com"));
	CHECK_STR(r.host, STR("server.example.com"));
	CHECK(r.port == 143);
	CHECK_STR(r.token, STR("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
	CHECK(bearer(STR("n,,\1auth=bearer  a.b-c_d~e+f/g\1\1"), &r));
	CHECK_STR(r.user, STR(""));
	CHECK_STR(r.token, STR("a.b-c_d~e+f/g"));
	CHECK(r.port == 0 && r.host.len == 0);
	CHECK(bearer(STR("y,a=x=2Cy,\1new=\t a\r\n\1auth=Bearer a\1qs=\1\1"), &r));
	CHECK_STR(r.user, STR("x,y"));
}

TEST(refuses_what_is_no_oauthbearer)
{
	static const char *const bad[] = {
		"",
		"\1",
		"n,,",
		"n,,\1",
		"n,,\1\1",
		"n,,\1host=a\1\1",
		"n,,\1auth=Bearer a\1",
		"n,,\1auth=Bearer a",
		"n,,\1auth=Bearer a\1\1\1",
		"n,,\1auth=Bearer a\1\1x",
		"n,,\1auth=Bearer \1\1",
		"n,,\1auth=Bearer a b\1\1",
		"n,,\1auth=Bearer =\1\1",
		"n,,\1auth=Bearer a=b\1\1",
		"n,,\1auth=Basic a\1\1",
		"n,,\1auth=Bearer a\1auth=Bearer b\1\1",
		"n,,\1host=a\1host=b\1auth=Bearer a\1\1",
		"n,,\1port=1\1port=1\1auth=Bearer a\1\1",
		"n,,\1port=01\1auth=Bearer a\1\1",
		"n,,\1port=65536\1auth=Bearer a\1\1",
		"n,,\1auth\1\1",
		"n,,\1=x\1auth=Bearer a\1\1",
		"n,,\1a1=x\1auth=Bearer a\1\1",
		"n,,\1x=\x7f\1auth=Bearer a\1\1",
		"n,,\1x=\xc3\xa4\1auth=Bearer a\1\1",
		"n,a=,\1auth=Bearer a\1\1",
		"p=tls-exporter,,\1auth=Bearer a\1\1",
		"n,,auth=Bearer a\1\1",
	};
	struct oauth_response r;

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!bearer(str_c(bad[i]), &r));
}

TEST(reads_xoauth2)
{
	static const char *const bad[] = {
		"",
		"user=a",
		"user=a\1",
		"user=a\1auth=Bearer b",
		"user=a\1auth=Bearer b\1",
		"user=a\1auth=Bearer b\1\1\1",
		"user=a\1auth=Bearer b\1x",
		"user=\1auth=Bearer b\1\1",
		"user=\xff\1auth=Bearer b\1\1",
		"name=a\1auth=Bearer b\1\1",
		"user=a\1auth=Basic b\1\1",
		"user=a\1auth=Bearer \1\1",
		"user=a\1token=Bearer b\1\1",
	};
	struct oauth_response r;

	CHECK(oauth_xoauth2_parse(STR("user=someuser@example.com\1"
				      "auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdA==\1\1"),
				  &r));
	CHECK_STR(r.user, STR("someuser@example.com"));
	CHECK_STR(r.token, STR("ya29.vF9dft4qmTc2Nvb3RlckBhdA=="));
	CHECK(!oauth_xoauth2_parse(STR("user=a\0\1auth=Bearer b\1\1"), &r));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!oauth_xoauth2_parse(str_c(bad[i]), &r));
}

TEST(knows_the_end_of_a_failed_exchange)
{
	CHECK(oauth_is_dismissal(STR("\1")));
	CHECK(oauth_is_dismissal(STR("")));
	CHECK(!oauth_is_dismissal(STR("\1\1")));
	CHECK(!oauth_is_dismissal(STR("a")));
}
