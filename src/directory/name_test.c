#include "directory/name.h"

#include "base/test.h"

static struct arena arena;

static struct str domain_of(struct str text)
{
	struct str domain = STR("(none)");

	arena_reset(&arena);
	return name_domain(text, &arena, &domain) ? domain : STR("(none)");
}

TEST(domains_have_one_spelling)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"Example.COM", "example.com"},
		{"localhost", "localhost"},
		{"xn--Bcher-kva.example", "xn--bcher-kva.example"},
		{"b\xc3\xbc\x63her.example", "xn--bcher-kva.example"},
		{"B\xc3\x9c\x43HER.example", "xn--bcher-kva.example"},
		{"bu\xcc\x88\x63her.example", "xn--bcher-kva.example"}, /* not composed */
		{"stra\xc3\x9f\x65.example",
		 "xn--strae-oqa.example"}, /* RFC 5891: kept */
		{"", "(none)"},
		{"a..b", "(none)"},
		{".a", "(none)"},
		{"a.", "(none)"},
		{"-a.example", "(none)"},
		{"a-.example", "(none)"},
		{"a_b.example", "(none)"},
		{"[192.0.2.1]", "(none)"},
		{"a b", "(none)"},
		{"a/b", "(none)"},
		{"\xff.example", "(none)"},
	};

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK_STR(domain_of(str_c(cases[i].text)), str_c(cases[i].want));
	arena_fini(&arena);
}

TEST(domains_end_at_their_bounds)
{
	char long_label[70], long_name[400];

	arena_init(&arena, 100000);
	memset(long_label, 'a', sizeof long_label);
	CHECK(domain_of((struct str){long_label, 63}).len == 63);
	CHECK_STR(domain_of((struct str){long_label, 64}), STR("(none)"));
	for (size_t i = 0; i < sizeof long_name; i++)
		long_name[i] = i % 10 == 9 ? '.' : 'a';
	CHECK(domain_of((struct str){long_name, 253}).len == 253);
	CHECK_STR(domain_of((struct str){long_name, 254}), STR("(none)"));
	arena_fini(&arena);
}

TEST(a_tag_leads_where_its_user_leads)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"Ann", "ann"},
		{"ann+news", "ann"},
		{"ann+", "ann"},
		{"+news", "+news"},
		{"cafe\xcc\x81", "caf\xc3\xa9"},
		{"\xef\xbc\xa1nn", "ann"},
		{"a+b+c", "a"},
		{"\xc3\x84nn", "\xc3\x84nn"}, /* ASCII only is folded */
		{"", "(none)"},
	};

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str local;

		if (!name_local(str_c(cases[i].text), &arena, &local))
			local = STR("(none)");
		CHECK_STR(local, str_c(cases[i].want));
	}
	arena_fini(&arena);
}

TEST(only_dot_atoms_become_names)
{
	static const char *const good[] = {"ann", "ann.lee", "a-b_c", "\xc3\xa4nn",
					   "o'b"};
	static const char *const bad[] = {"",
					  ".a",
					  "a.",
					  "a..b",
					  "a+b",
					  "a b",
					  "a@b",
					  "a\"b",
					  "a(b",
					  "\xff",
					  "a\n",
					  "a\x7f",
					  "a\xef\xbc\xa0n",
					  "\xee\x80\x80"};
	struct str local;

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(name_new_local(str_c(good[i]), &arena, &local));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!name_new_local(str_c(bad[i]), &arena, &local));
	CHECK(!name_new_local((struct str){"a\0b", 3}, &arena, &local));
	arena_fini(&arena);
}

TEST(addresses_split_at_the_last_at_sign)
{
	struct str local, domain;

	name_split(STR("a@b@c"), &local, &domain);
	CHECK_STR(local, STR("a@b"));
	CHECK_STR(domain, STR("c"));
	name_split(STR("ann"), &local, &domain);
	CHECK_STR(local, STR("ann"));
	CHECK_STR(domain, STR(""));
}
