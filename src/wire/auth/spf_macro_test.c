#include "wire/auth/spf_macro.h"

#include "base/test.h"

static struct spf_macros example(const char *client)
{
	struct spf_macros macros = {.sender = STR("strong-bad@email.example.com"),
				    .local = STR("strong-bad"),
				    .sender_domain = STR("email.example.com"),
				    .domain = STR("email.example.com"),
				    .validated = STR("mx.example.org"),
				    .helo = STR("mail.example.com"),
				    .receiver = STR("mx.example.net"),
				    .now_s = 1234567890};

	CHECK(ip_parse(str_c(client), &macros.ip));
	return macros;
}

static void check(const char *client, const char *text, const char *want)
{
	struct spf_macros macros = example(client);
	struct buf out = BUF(SPF_EXPANDED_MAX);

	CHECK(spf_explain_string_is_valid(str_c(text)));
	spf_macro_expand(str_c(text), &macros, &out);
	CHECK(buf_ok(&out));
	CHECK_STR(buf_str(&out), str_c(want));
	buf_fini(&out);
}

/* RFC 7208 §7.4 */
TEST(expands_the_examples_of_the_rfc)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{"%{s}", "strong-bad@email.example.com"},
		{"%{o}", "email.example.com"},
		{"%{d}", "email.example.com"},
		{"%{d4}", "email.example.com"},
		{"%{d3}", "email.example.com"},
		{"%{d2}", "example.com"},
		{"%{d1}", "com"},
		{"%{dr}", "com.example.email"},
		{"%{d2r}", "example.email"},
		{"%{l}", "strong-bad"},
		{"%{l-}", "strong.bad"},
		{"%{lr}", "strong-bad"},
		{"%{lr-}", "bad.strong"},
		{"%{l1r-}", "strong"},
		{"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
		{"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
		{"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
		 "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
		{"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
		 "3.2.0.192.in-addr.strong.lp._spf.example.com"},
		{"%{d2}.trusted-domains.example.net",
		 "example.com.trusted-domains.example.net"},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		check("192.0.2.3", table[i].text, table[i].want);
	check("2001:db8::cb01", "%{ir}.%{v}._spf.%{d2}",
	      "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf."
	      "example.com"); /* names have no case */
}

TEST(expands_every_letter_and_escape)
{
	static const struct {
		const char *text, *want;
	} table[] = {
		{"", ""},
		{"50%% of%_it%-all", "50% of it%20all"},
		{"%{c} %{i} %{h} %{r} %{t} %{p}",
		 "192.0.2.3 192.0.2.3 mail.example.com mx.example.net 1234567890 "
		 "mx.example.org"},
		{"%{S}", "strong-bad%40email.example.com"},
		{"%{LR-} %{H1} %{O}", "bad.strong com email.example.com"},
		{"%{d999999999999999999999}", "email.example.com"},
		{"%{d127R}", "com.example.email"},
		{"%{l.-+,/_=}", "strong.bad"},
		{"%{sr@}", NULL}, /* @ is no delimiter */
		{"%{h/}", "mail.example.com"},
		{"%{tr}", "1234567890"},
	};

	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (table[i].want)
			check("192.0.2.3", table[i].text, table[i].want);
		else
			CHECK(!spf_explain_string_is_valid(str_c(table[i].text)));
	check("2001:db8::cb01", "%{c}", "2001:db8::cb01");
}

TEST(empty_parts_are_parts)
{
	struct spf_macros macros = example("192.0.2.3");
	struct buf out = BUF(SPF_EXPANDED_MAX);

	macros.local = STR("--a--b-");
	spf_macro_expand(STR("%{lr-}|%{l2-}|%{l}"), &macros, &out);
	CHECK_STR(buf_str(&out), STR(".b..a..|b.|--a--b-"));
	buf_reset(&out);
	macros.local = STR("");
	spf_macro_expand(STR("<%{l1r-}>"), &macros, &out);
	CHECK_STR(buf_str(&out), STR("<>"));
	buf_fini(&out);
}

TEST(expansion_has_a_bound)
{
	struct spf_macros macros = example("192.0.2.3");
	struct buf out = BUF(40);

	spf_macro_expand(STR("%{s}%{sr.}%{S}"), &macros, &out);
	CHECK(!buf_ok(&out));
	buf_fini(&out);
}

TEST(refuses_malformed_macros)
{
	static const char *const bad[] = {
		"%",       "%a",     "%(ir)",    "%{",   "%{}",    "%{d",   "%{d0}",
		"%{d00r}", "%{dr2}", "%{d }",    "%{x}", "%{d-r}", "%{ d}", "a b",
		"\x7f",    "\x80",   "\xc3\xa4", "a\tb", "%{d}%",  "%\0",
	};
	static const char *const good[] = {
		"",       "!",      "~", "pass", "+", "man:dog/cat", "%{c}%{r}%{t}",
		"%%%_%-", "%{D2R.}"};

	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!spf_macro_string_is_valid(str_c(bad[i])));
	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(spf_macro_string_is_valid(str_c(good[i])));
	CHECK(!spf_macro_string_is_valid(STR("a\0")) &&
	      !spf_macro_string_is_valid(STR("%{d\0}")) &&
	      !spf_macro_string_is_valid(STR("%\0")) &&
	      !spf_macro_string_is_valid(STR("%{\0}")));
	CHECK(spf_explain_string_is_valid(STR("See http://%{d}/why?s=%{S} at %{t}")));
	CHECK(!spf_explain_string_is_valid(STR("two\nlines")));
}

TEST(knows_domain_specs)
{
	static const char *const good[] = {
		"example.org",
		"example.org.",
		"_spf.%{d}",
		"%{d}",
		"%{ir}.x.%{d2}",
		".com",
		"foo:bar/baz.example.com",
		"foo.example.xn--zckzah",
		"a..b",
		"a.1b",
		"%%.com",
		"x%_",
		"%{d}.a-b",
		"%{d/}",
	};
	static const char *const bad[] = {
		"",
		"org",
		"org.",
		"example.123",
		"111.222.33.44",
		"example.-com",
		"example.com-",
		"example.com:80",
		"example.com..",
		"foo-bar",
		"%{d}com",
		"%{d}.",
		"%{c}",
		"%{r}.example.org",
		"a.b c.org",
		"example.c_m",
		"example.com/24",
		".",
	};

	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK(spf_domain_spec_is_valid(str_c(good[i])));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!spf_domain_spec_is_valid(str_c(bad[i])));
}

TEST(knows_which_values_are_wanted)
{
	CHECK(spf_macro_has(STR("a.%{P}.b"), 'p'));
	CHECK(spf_macro_has(STR("%%{p}%{d2}.%{pr-}"), 'p'));
	CHECK(!spf_macro_has(STR("%%{p}.p.%{d}"), 'p'));
	CHECK(!spf_macro_has(STR(""), 'p'));
}

TEST(names_are_cut_at_the_left)
{
	char name[300];

	memset(name, 'a', sizeof name);
	for (size_t i = 9; i < sizeof name; i += 10)
		name[i] = '.';
	CHECK_STR(spf_fit_name(STR("example.org.")), STR("example.org"));
	CHECK_STR(spf_fit_name(STR("")), STR(""));
	CHECK(spf_fit_name((struct str){name, 253}).len == 253);
	CHECK(spf_fit_name((struct str){name, 254}).len == 244);
	CHECK(spf_fit_name((struct str){name, 299}).len == 249);
	memset(name, 'a', sizeof name);
	CHECK(spf_fit_name((struct str){name, 254}).len == 0);
}
