#include "wire/imap/list.h"

#include "base/buf.h"
#include "base/test.h"

static struct arena arena;

static struct imap_in over(struct str text)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	return imap_in_over(text, &arena);
}

static const struct {
	struct str input;
	bool ok, is_extended;
	unsigned select, returns, status;
	size_t patterns;
} cases[] = {
	{STR("\"\" *"), true, false, 0, 0, 0, 1},
	{STR("\"\" \"\""), true, false, 0, 0, 0, 1},
	{STR("a/ %"), true, false, 0, 0, 0, 1},
	{STR("() \"\" (INBOX %)"), true, true, 0, 0, 0, 2},
	{STR("(SUBSCRIBED RECURSIVEMATCH) \"\" *"), true, true,
	 IMAP_LIST_SUBSCRIBED | IMAP_LIST_RECURSIVEMATCH, 0, 0, 1},
	{STR("(SPECIAL-USE REMOTE) \"\" *"), true, true,
	 IMAP_LIST_SPECIAL_USE | IMAP_LIST_REMOTE, 0, 0, 1},
	{STR("\"\" % RETURN (CHILDREN SUBSCRIBED STATUS (MESSAGES SIZE) SPECIAL-USE)"),
	 true, true, 0,
	 IMAP_LIST_CHILDREN | IMAP_LIST_SUBSCRIBED | IMAP_LIST_STATUS |
		 IMAP_LIST_SPECIAL_USE,
	 IMAP_STATUS_MESSAGES | IMAP_STATUS_SIZE, 1},
	{STR("\"\" % RETURN (MYRIGHTS METADATA (/shared/a \"/private/b\"))"), true, true,
	 0, IMAP_LIST_MYRIGHTS | IMAP_LIST_METADATA, 0, 1},
	{STR("\"\" % RETURN (METADATA)"), false, false, 0, 0, 0, 0},
	{STR("\"\" % RETURN (METADATA ())"), false, false, 0, 0, 0, 0},
	{STR("\"\" % RETURN ()"), true, true, 0, 0, 0, 1},
	{STR("(RECURSIVEMATCH) \"\" *"), false, false, 0, 0, 0, 0},
	{STR("(FOO) \"\" *"), false, false, 0, 0, 0, 0},
	{STR("(SUBSCRIBED \"\" *"), false, false, 0, 0, 0, 0},
	{STR("\"\""), false, false, 0, 0, 0, 0},
	{STR("\"\" ("), false, false, 0, 0, 0, 0},
	{STR("\"\" (a"), false, false, 0, 0, 0, 0},
	{STR("\"\" * RETURN"), false, false, 0, 0, 0, 0},
	{STR("\"\" * RETURN (FOO)"), false, false, 0, 0, 0, 0},
	{STR("\"\" * RETURN (STATUS)"), false, false, 0, 0, 0, 0},
	{STR("\"\" * RETURN (STATUS (FOO))"), false, false, 0, 0, 0, 0},
	{STR("\"\" * RETURN (CHILDREN"), false, false, 0, 0, 0, 0},
	{STR("(\"\" *"), false, false, 0, 0, 0, 0},
};

TEST(list_takes_plain_and_extended_forms)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct imap_in in = over(cases[i].input);
		struct imap_list list;
		bool ok = imap_list(&in, &list);

		CHECK(ok == cases[i].ok && ok == cur_done(in.at));
		CHECK(ok || in.reason.len > 0);
		if (!ok)
			continue;
		CHECK(list.is_extended == cases[i].is_extended);
		CHECK(list.select == cases[i].select && list.returns == cases[i].returns);
		CHECK(list.status_items == cases[i].status);
		CHECK(list.pattern_count == cases[i].patterns);
	}
}

TEST(lsub_is_the_old_form_only)
{
	struct imap_in in = over(STR("\"\" Entw&APw-rfe/%"));
	struct imap_list list;

	CHECK(imap_lsub(&in, &list));
	CHECK_STR(list.patterns[0], STR("Entw\xc3\xbcrfe/%"));
	in = over(STR("\"\" (a b)"));
	CHECK(!imap_lsub(&in, &list));
	in = over(STR("\"\" \"a&b\""));
	CHECK(imap_lsub(&in, &list));
	CHECK_STR(list.patterns[0], STR("a&b"));
}

TEST(status_items_have_names)
{
	struct imap_in in = over(STR("(messages UIDNEXT RECENT) ()"));
	unsigned items;

	CHECK(imap_status_items(&in, &items));
	CHECK(items == (IMAP_STATUS_MESSAGES | IMAP_STATUS_UIDNEXT | IMAP_STATUS_RECENT));
	CHECK(imap_space(&in) && !imap_status_items(&in, &items));
	CHECK_STR(imap_status_item_name(IMAP_STATUS_UIDVALIDITY), STR("UIDVALIDITY"));
	in = over(STR("(MESSAGES"));
	CHECK(!imap_status_items(&in, &items));
	in = over(STR("MESSAGES"));
	CHECK(!imap_status_items(&in, &items));
}

static const struct {
	struct str reference, pattern, name;
	bool ok;
} matches[] = {
	{STR(""), STR("*"), STR("a/b/c"), true},
	{STR(""), STR("%"), STR("a"), true},
	{STR(""), STR("%"), STR("a/b"), false},
	{STR(""), STR("%/%"), STR("a/b"), true},
	{STR(""), STR("a%c"), STR("abbc"), true},
	{STR(""), STR("a%c"), STR("ab/c"), false},
	{STR(""), STR("a*c"), STR("ab/c"), true},
	{STR("a/"), STR("%"), STR("a/b"), true},
	{STR("a/"), STR("%"), STR("b/b"), false},
	{STR(""), STR("inbox"), STR("INBOX"), true},
	{STR(""), STR("sent"), STR("Sent"), false},
	{STR(""), STR("*%*"), STR(""), true},
	{STR(""), STR(""), STR("a"), false},
	{STR(""), STR("a"), STR(""), false},
	{STR(""), STR("*a*b*"), STR("xxaxxbxx"), true},
	{STR(""), STR("*a*b"), STR("xxaxxbxx"), false},
	{STR(""), STR("%%"), STR("ab"), true},
	{STR(""), STR("*/%"), STR("a/b/c"), true},
};

TEST(patterns_match_names)
{
	for (size_t i = 0; i < COUNT_OF(matches); i++)
		CHECK(imap_list_match(matches[i].reference, matches[i].pattern,
				      matches[i].name, '/') == matches[i].ok);
}

TEST(patterns_are_bounded)
{
	SCOPED(buf_fini) struct buf text = BUF(20000);
	struct imap_list list;

	buf_add_c(&text, "\"\" (a");
	for (int i = 0; i < IMAP_LIST_PATTERNS_MAX; i++)
		buf_add_c(&text, " a");
	buf_add_c(&text, ")");
	struct imap_in in = over(buf_str(&text));

	CHECK(!imap_list(&in, &list));
	buf_reset(&text);
	buf_add_c(&text, "\"\" ");
	for (int i = 0; i < 6000; i++)
		buf_add_c(&text, "*");
	in = over(buf_str(&text));
	CHECK(!imap_list(&in, &list));
	CHECK(!imap_list_match(buf_str(&text), buf_str(&text), STR("a"), '/'));
}
