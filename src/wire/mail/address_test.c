#include "wire/mail/address.h"

#include "base/mem.h"
#include "base/test.h"

/* The list is written as name|route|local|domain, with group marks {name and }. */
static const struct {
	struct str value, want;
} cases[] = {
	/* RFC 5322 appendix A. */
	{STR(" John Doe <jdoe@machine.example>"),
	 STR("John Doe||jdoe|machine.example\n")},
	{STR("\"Joe Q. Public\" <john.q.public@example.com>"),
	 STR("Joe Q. Public||john.q.public|example.com\n")},
	{STR("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>"),
	 STR("Mary Smith||mary|x.test\n||jdoe|example.org\nWho?||one|y.test\n")},
	{STR("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
	 STR("||boss|nil.test\nGiant; \"Big\" Box||sysservices|example.net\n")},
	{STR("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;"),
	 STR("{A Group\nEd Jones||c|a.test\n||joe|where.test\nJohn||jdoe|one.test\n}\n")},
	{STR("Undisclosed recipients:;"), STR("{Undisclosed recipients\n}\n")},
	{STR("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>"),
	 STR("Pete||pete|silly.test\n")},
	{STR("A Group(Some people)\r\n\t:Chris Jones <c@(Chris's "
	     "host.)public.example>,\r\n"
	     "    joe@example.org, John <jdoe@one.test> (my dear friend); (the end)"),
	 STR("{A Group\nChris Jones||c|public.example\n||joe|example.org\n"
	     "John||jdoe|one.test\n}\n")},
	{STR("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;"),
	 STR("{Hidden recipients\n}\n")},
	{STR("(one)joe(two) @ (three) x.test (Joe) (Joe Doe)"),
	 STR("Joe Doe||joe|x.test\n")},
	{STR("<joe (his comment)@ (another) x.test>"), STR("||joe|x.test\n")},
	{STR("<joe@x.test(not)> (Joe Doe), (Ann) <(no) ann@y.test>"),
	 STR("Joe Doe||joe|x.test\nAnn||ann|y.test\n")},
	/* Obsolete, §4.4. */
	{STR("Joe <@a.test,@b.test:joe@c.test>"),
	 STR("Joe|@a.test,@b.test|joe|c.test\n")},
	{STR("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"),
	 STR("Mary Smith|@node.test|mary|example.net\n||jdoe|test.example\n")},
	{STR("john . q . public @ example . com"), STR("||john.q.public|example.com\n")},
	{STR("Joe Q. Public <a@b.test>"), STR("Joe Q. Public||a|b.test\n")},
	{STR("\"joe \\\"x\\\" doe\"@b.test"), STR("||joe \"x\" doe|b.test\n")},
	{STR("\"a\\\r\n b\\\nc\" <\"d\\\re\"@b.test> (x)"), STR("a bc||de|b.test\n")},
	{STR("a@b.test (c\\\r\n d)"), STR("c d||a|b.test\n")},
	{STR("joe@[192.0.2.1], <ann@[IPv6:2001:db8::1]>"),
	 STR("||joe|[192.0.2.1]\n||ann|[IPv6:2001:db8::1]\n")},
	/* RFC 6532 */
	{STR("J\xc3\xb6 <j\xc3\xb6@b\xc3\xbc.test>"),
	 STR("J\xc3\xb6||j\xc3\xb6|b\xc3\xbc.test\n")},
	{STR("=?utf-8?q?a=2C?= =?utf-8?q?b?= <a@b.test>"),
	 STR("=?utf-8?q?a=2C?= =?utf-8?q?b?=||a|b.test\n")},
	/* Leniencies. */
	{STR("joe@example.org (Joe Doe)"), STR("Joe Doe||joe|example.org\n")},
	{STR("joe@x.test <joe@y.test>"), STR("joe@x.test||joe|y.test\n")},
	{STR("joe"), STR("||joe|\n")},
	{STR("<joe>"), STR("||joe|\n")},
	{STR("Joe Doe"), STR("Joe Doe|||\n")},
	{STR("a@x.test; b@x.test"), STR("||a|x.test\n||b|x.test\n")},
	{STR(",,a@x.test,,"), STR("||a|x.test\n")},
	{STR("\"Joe <joe@x.test>, ann@x.test"), STR("\"Joe||joe|x.test\n||ann|x.test\n")},
	{STR("(Joe <joe@x.test>, ann@x.test"), STR("(Joe||joe|x.test\n||ann|x.test\n")},
	{STR("Joe <joe@x.test, ann@x.test"), STR("Joe||joe|x.test\n||ann|x.test\n")},
	{STR("a:b;c:d;"), STR("{a\n||b|\n}\n{c\n||d|\n}\n")},
	{STR("friends: joe@x.test"), STR("{friends\n||joe|x.test\n}\n")},
	{STR("joe doe@x.test"), STR("||joe doe|x.test\n")},
	{STR("<joe@x.test> junk, ann@x.test"), STR("||joe|x.test\n||ann|x.test\n")},
	{STR("<>"), STR("")},
	{STR(""), STR("")},
	{STR("@"), STR("")},
	{STR("<@x.test>"), STR("|||x.test\n")},
};

static void show(struct buf *buf, const struct mail_addresses *list)
{
	buf_reset(buf);
	for (size_t i = 0; i < list->count; i++) {
		const struct mail_address *a = &list->items[i];

		if (a->kind == MAIL_GROUP_START)
			buf_printf(buf, "{%.*s\n", STR_FMT(a->name));
		else if (a->kind == MAIL_GROUP_END)
			buf_add_c(buf, "}\n");
		else
			buf_printf(buf, "%.*s|%.*s|%.*s|%.*s\n", STR_FMT(a->name),
				   STR_FMT(a->route), STR_FMT(a->local),
				   STR_FMT(a->domain));
	}
}

TEST(address_lists_are_read_as_rfc_5322_and_people_write_them)
{
	struct buf buf = BUF(10000);
	struct arena arena;

	arena_init(&arena, 100000);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mail_addresses list =
			mail_addresses_parse(&arena, cases[i].value, 100);

		show(&buf, &list);
		CHECK_STR(buf_str(&buf), cases[i].want);
		CHECK(!list.is_cut);
		arena_reset(&arena);
	}
	arena_fini(&arena);
	buf_fini(&buf);
}

TEST(a_list_is_cut_at_its_bound_and_groups_stay_whole)
{
	struct buf buf = BUF(10000);
	struct arena arena;

	arena_init(&arena, 100000);
	struct str value = STR("a@x.test, g: b@x.test, c@x.test, d@x.test;, e@x.test");
	struct mail_addresses list = mail_addresses_parse(&arena, value, 4);

	show(&buf, &list);
	CHECK(list.is_cut);
	CHECK_STR(buf_str(&buf), STR("||a|x.test\n{g\n||b|x.test\n}\n"));
	list = mail_addresses_parse(&arena, value, 2);
	show(&buf, &list);
	CHECK_STR(buf_str(&buf), STR("||a|x.test\n"));
	CHECK(list.is_cut && !mail_addresses_parse(&arena, value, 7).is_cut);
	arena.max = arena.used;
	CHECK(mail_addresses_parse(&arena, value, 7).is_cut);
	arena_fini(&arena);
	buf_fini(&buf);
}

/* Linear: each of these took minutes if it were not. */
TEST(hostile_lists_cost_no_more_than_their_length)
{
	static const char *const pieces[] = {"a@x.test,", "\"\\", "(\\(", "<a",    "((a)",
					     "\"\\\"",    "a:b;", "@<",   "<@",    "[",
					     ",",         "<@a,", "a(b)", "\"a\" "};
	size_t len = 900000;
	char *text = mem_zeroed(len, 1);

	for (size_t p = 0; p < COUNT_OF(pieces); p++) {
		struct str piece = str_c(pieces[p]);
		struct arena arena;

		arena_init(&arena, 100 << 20);
		for (size_t i = 0; i < len; i++)
			text[i] = piece.ptr[i % piece.len];
		struct mail_addresses list =
			mail_addresses_parse(&arena, (struct str){text, len}, 100000);

		CHECK(list.count <= 100000);
		CHECK(p > 0 || (list.count == 100000 && !list.is_cut));
		arena_fini(&arena);
	}
	mem_free(text);
}

TEST(a_local_part_is_quoted_where_it_must)
{
	struct buf buf = BUF(100);

	mail_local_add(&buf, STR("joe.doe+x"));
	buf_add_byte(&buf, ' ');
	mail_local_add(&buf, STR("a \"b\\"));
	buf_add_byte(&buf, ' ');
	mail_local_add(&buf, STR("a..b"));
	buf_add_byte(&buf, ' ');
	mail_local_add(&buf, STR(""));
	CHECK_STR(buf_str(&buf), STR("joe.doe+x \"a \\\"b\\\\\" \"a..b\" \"\""));
	buf_fini(&buf);
}

TEST(names_are_quoted_or_encoded)
{
	struct buf buf = BUF(500);

	mail_name_add(&buf, STR("Joe \"J\" Doe, a@b"));
	buf_add_byte(&buf, ' ');
	mail_name_add(&buf, STR("\xc3\xb6"));
	buf_add_byte(&buf, ' ');
	mail_name_add(&buf, STR("=?utf-8?q?x?="));
	CHECK_STR(buf_str(&buf), STR("\"Joe \\\"J\\\" Doe, a@b\" =?utf-8?B?w7Y=?= "
				     "=?utf-8?B?PT91dGYtOD9xP3g/PQ==?="));
	buf_fini(&buf);
}
