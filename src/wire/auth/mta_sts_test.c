#include "wire/auth/mta_sts.h"

#include "base/buf.h"
#include "base/test.h"

TEST(reads_the_record_of_mta_sts)
{
	static const struct {
		const char *text, *id; /* NULL: refused */
	} cases[] = {
		{"v=STSv1; id=20160831085700Z;", "20160831085700Z"}, /* RFC 8461 §3.1 */
		{"v=STSv1;id=1", "1"},
		{"v=STSv1 ; id=1 ;  ", "1"},
		{"v=STSv1;\tid=a;ext=b", "a"},
		{"v=STSv1;ext=b!;id=a", "a"},
		{"v=STSv1;id=a;id=b", "a"},
		{"v=STSv1;id=12345678901234567890123456789012",
		 "12345678901234567890123456789012"},
		{"v=STSv1;id=123456789012345678901234567890123", NULL},
		{"v=STSv1;id=", NULL},
		{"v=STSv1;id=a b", NULL},
		{"v=STSv1;id=a-b", NULL},
		{"v=STSv1", NULL},
		{"v=STSv1;", NULL},
		{"v=STSv1;;id=a", NULL},
		{"v=STSv1;id=a;;", NULL},
		{"v=STSv1;ext=b", NULL},
		{"v=STSv1;id=a;-x=b", NULL},
		{"v=STSv1;id=a;x=", NULL},
		{"v=STSv1;id=a;x=b=c", NULL},
		{"v=STSv1;id=a;novalue", NULL},
		{"V=STSv1;id=a", NULL},
		{"v=stsv1;id=a", NULL},
		{"v=STSv11;id=a", NULL},
		{" v=STSv1;id=a", NULL},
		{"id=a;v=STSv1", NULL},
		{"", NULL},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str id = STR("untouched");
		bool is_read = mta_sts_record_parse(str_c(cases[i].text), &id);

		CHECK(is_read == (cases[i].id != NULL));
		CHECK_STR(id, cases[i].id ? str_c(cases[i].id) : STR("untouched"));
	}
	CHECK(mta_sts_is_record(STR("v=STSv1; rubbish")));
	CHECK(!mta_sts_is_record(STR("v=spf1 -all")));
}

#define START "version: STSv1\r\nmode: enforce\r\n"

TEST(reads_policies)
{
	static const struct {
		const char *text;
		enum mta_sts_mode mode;
		uint32_t max_age_s;
		size_t mx_count;
		const char *first_mx;
	} cases[] = {
		/* RFC 8461 §3.2 */
		{START "mx: mail.example.com\r\nmx: *.example.net\r\n"
		       "mx: backupmx.example.com\r\nmax_age: 604800\r\n",
		 MTA_STS_ENFORCE, 604800, 3, "mail.example.com"},
		{"max_age:0\nmode:testing\nmx:MX.Example.ORG\nversion:STSv1",
		 MTA_STS_TESTING, 0, 1, "mx.example.org"},
		{"version: STSv1\nmode: none\nmax_age: 86400\n", MTA_STS_NONE, 86400, 0,
		 ""},
		{START "max_age: 9999999999\nmx: a.b  \t\n", MTA_STS_ENFORCE,
		 MTA_STS_AGE_MAX_S, 1, "a.b"},
		{START "mode: none\nversion: STSv2\nmax_age: 5\nmax_age: x\nmx: a.b\n",
		 MTA_STS_ENFORCE, 5, 1, "a.b"},
		{START "max_age: 5\nmx: a.b\nfuture: gr\xc3\xbc\xc3\x9f e\n\n\r\n",
		 MTA_STS_ENFORCE, 5, 1, "a.b"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct mta_sts_policy policy;

		arena_init(&arena, 64 * 1024);
		CHECK(mta_sts_policy_parse(str_c(cases[i].text), &arena, &policy));
		CHECK(policy.mode == cases[i].mode);
		CHECK(policy.max_age_s == cases[i].max_age_s);
		CHECK(policy.mx_count == cases[i].mx_count);
		if (policy.mx_count > 0)
			CHECK_STR(policy.mx[0], str_c(cases[i].first_mx));
	}
}

TEST(refuses_what_is_no_policy)
{
	static const char *const bad[] = {
		"",
		"\r\n",
		"<html><body>Not found</body></html>",
		START "mx: a.b\n",
		START "max_age: 5\n",
		"mode: enforce\nmax_age: 5\nmx: a.b\n",
		"version: STSv1\nmax_age: 5\nmx: a.b\n",
		"version: STSv2\nmode: enforce\nmax_age: 5\nmx: a.b\n",
		"version: STSv1\nmode: Enforce\nmax_age: 5\nmx: a.b\n",
		"Version: STSv1\nmode: enforce\nmax_age: 5\nmx: a.b\n",
		START "max_age: 5x\nmx: a.b\n",
		START "max_age: -5\nmx: a.b\n",
		START "max_age: 12345678901\nmx: a.b\n",
		START "max_age: 5\nmx: a..b\n",
		START "max_age: 5\nmx: *\n",
		START "max_age: 5\nmx: *.*.b\n",
		START "max_age: 5\nmx: a.*.b\n",
		START "max_age: 5\nmx: .a.b\n",
		START "max_age: 5\nmx: a b\n",
		START "max_age: 5\nmx: m\xc3\xbcll.example\n",
		START "max_age: 5\nmx: a.b\nnonsense\n",
		START "max_age: 5\nmx: a.b\nx: \n",
		START "max_age: 5\nmx: a.b\nx: \xff\n",
		START "max_age: 5\nmx: a.b\nx y: z\n",
		START "max_age: 5\nmx: a.b\rmx: c.d\n",
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct mta_sts_policy policy;

		arena_init(&arena, 64 * 1024);
		CHECK(!mta_sts_policy_parse(str_c(bad[i]), &arena, &policy));
	}
}

TEST(bounds_what_a_policy_may_hold)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf text = BUF(100000);
	struct mta_sts_policy policy;

	arena_init(&arena, 64 * 1024);
	buf_add_c(&text, START "max_age: 5\n");
	for (int i = 0; i < MTA_STS_MX_MAX; i++)
		buf_add_c(&text, "mx: a.b\n");
	CHECK(mta_sts_policy_parse(buf_str(&text), &arena, &policy));
	buf_add_c(&text, "mx: a.b\n");
	CHECK(!mta_sts_policy_parse(buf_str(&text), &arena, &policy));
	buf_reset(&text);
	buf_add_c(&text, START "max_age: 5\nmx: a.b\nx: ");
	while (text.len <= MTA_STS_POLICY_BYTES_MAX)
		buf_add_byte(&text, 'x');
	CHECK(!mta_sts_policy_parse(buf_str(&text), &arena, &policy));
	arena_fini(&arena);
	arena_init(&arena, 100);
	CHECK(!mta_sts_policy_parse(STR(START "max_age: 5\nmx: a.b\n"), &arena, &policy));
}

TEST(a_wildcard_is_one_label)
{
	static const struct {
		const char *pattern, *host;
		bool is_match;
	} cases[] = {
		{"mx.example.org", "mx.example.org", true},
		{"mx.example.org", "mx2.example.org", false},
		{"*.example.org", "mx.example.org", true},
		{"*.example.org", "example.org", false},
		{"*.example.org", "a.b.example.org", false},
		{"*.example.org", ".example.org", false},
		{"*.example.org", "mxexample.org", false},
		{"example.org", "mx.example.org", false},
		{"*.org", "example.org", true},
		{"mx.example.org", "", false},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct str pattern = str_c(cases[i].pattern);
		const struct mta_sts_policy policy = {.mx = &pattern, .mx_count = 1};

		CHECK(mta_sts_has_mx(&policy, str_c(cases[i].host)) == cases[i].is_match);
	}
}
