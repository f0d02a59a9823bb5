#include "wire/auth/spf.h"

#include <stdio.h>

#include "base/test.h"

static struct arena arena;

static bool parses(const char *text, struct spf_record *record)
{
	struct str wrong;

	arena_reset(&arena);
	return spf_record_parse(str_c(text), &arena, record, &wrong);
}

TEST(knows_which_records_are_of_spf)
{
	CHECK(spf_is_record(STR("v=spf1")) && spf_is_record(STR("V=sPf1 -all")));
	CHECK(spf_is_record(STR("v=spf1  ")));
	CHECK(!spf_is_record(STR("v=spf10")) && !spf_is_record(STR("v=spf1-all")));
	CHECK(!spf_is_record(STR("v=spf")) && !spf_is_record(STR("")));
	CHECK(!spf_is_record(STR(" v=spf1")) && !spf_is_record(STR("v=spf1\t-all")));
	CHECK(!spf_is_record(STR("spf2.0/mfrom")));
}

TEST(reads_every_mechanism)
{
	static const struct {
		const char *term;
		enum spf_mechanism mechanism;
		enum spf_result result;
		const char *domain_spec;
		uint8_t bits4, bits6;
	} table[] = {
		{"all", SPF_ALL, SPF_PASS, "", 32, 128},
		{"-ALL", SPF_ALL, SPF_FAIL, "", 32, 128},
		{"~all", SPF_ALL, SPF_SOFTFAIL, "", 32, 128},
		{"?all", SPF_ALL, SPF_NEUTRAL, "", 32, 128},
		{"+all", SPF_ALL, SPF_PASS, "", 32, 128},
		{"include:example.org", SPF_INCLUDE, SPF_PASS, "example.org", 32, 128},
		{"-Include:_spf.%{d}", SPF_INCLUDE, SPF_FAIL, "_spf.%{d}", 32, 128},
		{"a", SPF_A, SPF_PASS, "", 32, 128},
		{"A/24", SPF_A, SPF_PASS, "", 24, 128},
		{"a//64", SPF_A, SPF_PASS, "", 32, 64},
		{"a/0//0", SPF_A, SPF_PASS, "", 0, 0},
		{"a:example.org/32//128", SPF_A, SPF_PASS, "example.org", 32, 128},
		{"a:foo:bar/baz.example.com", SPF_A, SPF_PASS, "foo:bar/baz.example.com",
		 32, 128},
		{"a:foo/24.x1//64", SPF_A, SPF_PASS, "foo/24.x1", 32, 64},
		{"a:%{d/}/8", SPF_A, SPF_PASS, "%{d/}", 8, 128},
		{"mx", SPF_MX, SPF_PASS, "", 32, 128},
		{"?mx:example.org./28", SPF_MX, SPF_NEUTRAL, "example.org.", 28, 128},
		{"ptr", SPF_PTR, SPF_PASS, "", 32, 128},
		{"ptr:example.org", SPF_PTR, SPF_PASS, "example.org", 32, 128},
		{"ip4:192.0.2.0/24", SPF_IP4, SPF_PASS, "", 24, 128},
		{"ip4:192.0.2.0", SPF_IP4, SPF_PASS, "", 32, 128},
		{"ip6:2001:db8::/32", SPF_IP6, SPF_PASS, "", 32, 32},
		{"ip6:::1.1.1.1/0", SPF_IP6, SPF_PASS, "", 32, 0},
		{"ip6:::FFFF:1.2.3.4", SPF_IP6, SPF_PASS, "", 32, 128},
		{"exists:%{ir}.%{l1r+-}._spf.%{d}", SPF_EXISTS, SPF_PASS,
		 "%{ir}.%{l1r+-}._spf.%{d}", 32, 128},
	};
	struct spf_record record;
	char text[100];

	arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		(void)snprintf(text, sizeof text, "v=spf1 %s", table[i].term);
		CHECK(parses(text, &record) && record.directive_count == 1);
		const struct spf_directive *found = &record.directives[0];

		CHECK_STR(found->text, str_c(table[i].term));
		CHECK(found->mechanism == table[i].mechanism);
		CHECK(found->result == table[i].result);
		CHECK_STR(found->domain_spec, str_c(table[i].domain_spec));
		CHECK(found->bits4 == table[i].bits4 && found->bits6 == table[i].bits6);
		CHECK(record.has_all == (table[i].mechanism == SPF_ALL));
	}
	arena_fini(&arena);
}

static const char *const bad[] = {
	"moo",
	"all.",
	"all:foo",
	"all/8",
	"-",
	"--all",
	"+ all",
	"al",
	"=all",
	"1up=foo",
	"include",
	"include:",
	"include:example.org/24",

	"a:",
	"a/33",
	"a//129",
	"a/24/64",
	"a/",
	"a//",
	"a/24//",
	"a///64",
	"a/024",
	"a:example.org/24/64",
	"a:museum",
	"a:museum.",
	"a:111.222.33.44",
	"a:example.org:8080",
	"a:example.-com",
	"a24",
	"a=b c",
	"mx:",
	"mx/33",
	"ptr/0",
	"ptr:",
	"ptr:org",
	"ip4",
	"ip4:",
	"ip4:1.2.3",
	"ip4:1.2.3.4/33",
	"ip4:1.2.3.4/032",
	"ip4:1.2.3.4//32",
	"ip4:1.2.3.4:8080",
	"ip4:1.2.3.04",
	"ip4:::1",
	"ip4:1.2.3.4/",
	"ip4/24",
	"ip6",
	"ip6:",
	"ip6::CAFE::BABE",
	"ip6:::1/129",
	"ip6:::1//33",
	"ip6:1.2.3.4",
	"exists",
	"exists:",
	"exists:mail.example.com/24",
	"exists:%(ir).example.org",
	"redirect=",
	"redirect=-all",
	"redirect:a.b",
	"exp=",
	"exp=-all",
	"exp=%{r}.example.org",
	"redirect=a.b redirect=a.b",
	"exp=a.b exp=a.b",
	"EXP=a.b exp=c.d",
	"foo=%abc",
	"foo.bar/baz=x",
	"-foo=bar",
	"a\tmx",
	"a:\xc3\xa4.example",
	"foo=\x80",
	"\x80mx",
	"a:b.c\r",
	"v=spf1",
	"ip4:192.0.2.5\n",
};

TEST(refuses_terms_that_follow_no_grammar)
{
	struct spf_record record;
	char text[100];

	arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		(void)snprintf(text, sizeof text, "v=spf1 -all %s", bad[i]);
		if (strcmp(bad[i], "v=spf1") != 0) /* which is an unknown modifier */
			CHECK(!parses(text, &record));
		else
			CHECK(parses(text, &record) && record.modifier_count == 1);
	}
	struct str wrong;

	CHECK(!spf_record_parse(STR("v=spf1 a:foo.example.com\0"), &arena, &record,
				&wrong));
	CHECK(!spf_record_parse(STR("v=spf1 mx a:111.2.3.4 -all"), &arena, &record,
				&wrong));
	CHECK_STR(wrong, STR("a:111.2.3.4"));
	arena_fini(&arena);
}

TEST(reads_modifiers)
{
	struct spf_record record;

	arena_init(&arena, 64 * 1024);
	CHECK(parses("v=spf1 moo.cow-far_out=man:dog/cat redirect=a.b default=+ "
		     "Exp=%{d2} a m=%{t}",
		     &record));
	CHECK_STR(record.redirect, STR("a.b"));
	CHECK_STR(record.explanation, STR("%{d2}"));
	CHECK(record.directive_count == 1 && record.modifier_count == 3);
	CHECK_STR(record.modifiers[0].name, STR("moo.cow-far_out"));
	CHECK_STR(record.modifiers[0].value, STR("man:dog/cat"));
	CHECK_STR(record.modifiers[2].name, STR("m"));
	CHECK(parses("v=spf1", &record) && record.directive_count == 0);
	CHECK(parses("v=spf1   a   -all  ", &record) && record.directive_count == 2);
	CHECK(parses("v=spf1 x=", &record) && record.modifier_count == 1);
	arena_fini(&arena);
}

TEST(a_record_has_a_bound)
{
	struct buf text = BUF(1024 * 1024);
	struct spf_record record;
	struct str wrong;

	arena_init(&arena, 1024 * 1024);
	buf_add_c(&text, "v=spf1");
	for (int i = 0; i < SPF_TERMS_MAX; i++)
		buf_add_c(&text, " a");
	CHECK(spf_record_parse(buf_str(&text), &arena, &record, &wrong));
	CHECK(record.directive_count == SPF_TERMS_MAX);
	buf_add_c(&text, " a");
	CHECK(!spf_record_parse(buf_str(&text), &arena, &record, &wrong) &&
	      wrong.len == 0);
	arena_fini(&arena);
	arena_init(&arena, 1000);
	CHECK(!spf_record_parse(STR("v=spf1 a a a a a a a a a a a a a a a a"), &arena,
				&record, &wrong));
	arena_fini(&arena);
	buf_fini(&text);
}

TEST(results_have_names)
{
	static const char *const names[] = {"none",     "neutral",   "pass",     "fail",
					    "softfail", "temperror", "permerror"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		CHECK_STR(str_c(spf_result_name((enum spf_result)i)), str_c(names[i]));
}
