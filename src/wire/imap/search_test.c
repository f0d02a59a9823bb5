#include "wire/imap/search.h"

#include "base/test.h"

static struct arena arena;

static struct imap_in over(struct str text)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	return imap_in_over(text, &arena);
}

/* The tree as text: (and ...), (or a b), (not a), and leaves by kind and argument. */
static void show(struct buf *out, const struct imap_search_key *key)
{
	static const char *const names[] = {
		"and",     "or",  "not",    "seq",     "uid",    "flag",   "keyword",
		"recent",  "new", "header", "body",    "text",   ">",      "<",
		"before",  "on",  "since",  "sbefore", "son",    "ssince", "modseq",
		"vbefore", "von", "vsince", "email",   "thread", "older",  "younger",
	};

	buf_printf(out, "(%s%s", key->is_fuzzy ? "~" : "", names[key->kind]);
	for (const struct imap_search_key *child = key->child; child; child = child->next)
		show(out, child);
	if (key->kind == IMAP_SEARCH_FLAG)
		buf_printf(out, " %u", key->flag);
	if (key->field.len > 0)
		buf_printf(out, " %.*s", STR_FMT(key->field));
	if (key->text.len > 0)
		buf_printf(out, " %.*s", STR_FMT(key->text));
	if (key->kind >= IMAP_SEARCH_LARGER)
		buf_printf(out, " %lld", (long long)key->number);
	if (key->set.count > 0)
		imap_ranges_write(out, key->set.ranges, key->set.count);
	buf_add_byte(out, ')');
}

static const struct {
	struct str input, tree;
} good[] = {
	{STR("ALL"), STR("(and(and))")},
	{STR("UNSEEN"), STR("(and(not(flag 1)))")},
	{STR("flagged DELETED"), STR("(and(flag 4)(flag 8))")},
	{STR("NOT (SEEN 1:3)"), STR("(and(not(and(flag 1)(seq1:3))))")},
	{STR("OR FROM ann TO \"bob b\""),
	 STR("(and(or(header From ann)(header To bob b)))")},
	{STR("KEYWORD \"$Junk\" UNKEYWORD x"),
	 STR("(and(keyword $Junk)(not(keyword x)))")},
	{STR("HEADER Message-ID {3}\r\n<a>"), STR("(and(header Message-ID <a>))")},
	{STR("SUBJECT \"\""), STR("(and(header Subject))")},
	{STR("UID 5,7:9 LARGER 100"), STR("(and(uid5,7:9)(> 100))")},
	{STR("SMALLER 5"), STR("(and(< 5))")},
	{STR("OLDER 5 YOUNGER 4294967295"), STR("(and(older 5)(younger 4294967295))")},
	{STR("UIDAFTER 5 UIDBEFORE 5"), STR("(and(uid6:4294967295)(uid1:4))")},
	{STR("UIDAFTER 4294967295 UIDBEFORE 1"), STR("(and(uid)(uid))")},
	{STR("BEFORE 2-Jan-1970 ON 2-Jan-1970 SINCE 2-Jan-1970"),
	 STR("(and(before 1)(on 1)(since 1))")},
	{STR("SENTBEFORE 2-Jan-1970 SENTON 2-Jan-1970 SENTSINCE 2-Jan-1970"),
	 STR("(and(sbefore 1)(son 1)(ssince 1))")},
	{STR("KEYWORD $Junk UNKEYWORD x"), STR("(and(keyword $Junk)(not(keyword x)))")},
	{STR("NEW OLD RECENT"), STR("(and(new)(not(recent))(recent))")},
	{STR("MODSEQ 5 MODSEQ \"/flags/\\\\draft\" all 7"),
	 STR("(and(modseq 5)(modseq 7))")},
	{STR("SAVEDBEFORE 2-Jan-1970 SAVEDON 2-Jan-1970 SAVEDSINCE 2-Jan-1970"),
	 STR("(and(vbefore 1)(von 1)(vsince 1))")},
	{STR("SAVEDATESUPPORTED EMAILID M1 THREADID T_2"),
	 STR("(and(and)(email M1 0)(thread T_2 0))")},
	{STR("BODY x TEXT y BCC z CC w"),
	 STR("(and(body x)(text y)(header Bcc z)(header Cc w))")},
	{STR("CHARSET UTF-8 TEXT \"\xc3\xa9\""), STR("(and(text \xc3\xa9))")},
	{STR("RETURN (UPDATE (UID FLAGS) COUNT) SEEN"), STR("(and(flag 1))")},
	{STR("RETURN (UPDATE(BODY[]) ) SEEN"), STR("(and(flag 1))")},
	{STR("RETURN () $"), STR("(and(seq))")},
	{STR("FUZZY SUBJECT work FROM ann"),
	 STR("(and(~header Subject work)(header From ann))")},
	{STR("FUZZY (SUBJECT \"IMAP break\" UNSEEN) SEEN"),
	 STR("(and(~and(~header Subject IMAP break)(~not(~flag 1)))(flag 1))")},
	{STR("OR FUZZY BODY x FUZZY FUZZY TEXT y NOT FUZZY BODY z"),
	 STR("(and(or(~body x)(~text y))(not(~body z)))")},
	{STR("FUZZY OR BODY x NOT BODY y SINCE 2-Jan-1970"),
	 STR("(and(~or(~body x)(~not(~body y)))(since 1))")},
	{STR("fuzzy uid 5:7 FUZZY 3"), STR("(and(~uid5:7)(~seq3))")},
	{STR("RETURN (RELEVANCY ALL) FUZZY TEXT \"Helo\""), STR("(and(~text Helo))")},
	{STR("RETURN (MIN MAX COUNT ALL SAVE) CHARSET \"US-ASCII\" ANSWERED"),
	 STR("(and(flag 2))")},
};

TEST(search_makes_a_tree)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct imap_in in = over(good[i].input);
		SCOPED(buf_fini) struct buf out = BUF(1000);
		struct imap_search search;
		bool ok = imap_search(&in, &search);

		CHECK(ok && cur_done(in.at));
		if (ok)
			show(&out, search.key);
		CHECK_STR(buf_str(&out), good[i].tree);
		buf_reset(&out);
		if (ok)
			show(&out, imap_search_key_copy(&arena, search.key));
		CHECK_STR(buf_str(&out), good[i].tree);
	}
}

static const struct {
	struct str input, reason;
} bad[] = {
	{STR(""), STR("a search key is expected at the end")},
	{STR("FOO"), STR("unknown search key \"FOO\"")},
	{STR("NOT"), STR("a search key's argument is missing at the end")},
	{STR("OR SEEN"), STR("OR needs two search keys at the end")},
	{STR("(SEEN"), STR("a group of search keys does not end at the end")},
	{STR("FROM ("), STR("a text is expected at \"(\"")},
	{STR("HEADER x"), STR("a header field is expected at the end")},
	{STR("LARGER x"), STR("a number is expected at \"x\"")},
	{STR("KEYWORD \\Seen"), STR("a keyword is expected at \"\\Seen\"")},
	{STR("ON x"), STR("a date like 1-Feb-1994 is expected at \"x\"")},
	{STR("UID x"), STR("a wrong set of messages at \"x\"")},
	{STR("0"), STR("a wrong set of messages at \"0\"")},
	{STR("RETURN SEEN"), STR("RETURN needs a list at \"SEEN\"")},
	{STR("RETURN (UPDATE (FOO)) SEEN"), STR("unknown item \"FOO\"")},
	{STR("RETURN (FOO) SEEN"), STR("unknown return option \"FOO\"")},
	{STR("RETURN (MIN SEEN"), STR("unknown return option \"SEEN\"")},
	{STR("RETURN (MIN"), STR("the return options do not end at the end")},
	{STR("RETURN (("), STR("a return option is expected at \"(\"")},
	{STR("RETURN ()"), STR("search keys are expected at the end")},
	{STR("CHARSET"), STR("a wrong charset at the end")},
	{STR("FUZZY"), STR("FUZZY needs a search key at the end")},
	{STR("FUZZY "), STR("a search key is expected at the end")},
	{STR("NOT FUZZY FOO"), STR("unknown search key \"FOO\"")},
	{STR("RETURN (RELEVANCY) TEXT x"), STR("RELEVANCY needs a FUZZY search key")},
	{STR("RETURN (PARTIAL) ALL"), STR("a range is expected at \") ALL\"")},
	{STR("RETURN (PARTIAL 1:2 ALL) ALL"), STR("one PARTIAL or ALL is the most")},
	{STR("RETURN (ALL PARTIAL 1:2) ALL"), STR("one PARTIAL or ALL is the most")},
	{STR("RETURN (PARTIAL 1:2 PARTIAL 1:2) ALL"),
	 STR("one PARTIAL or ALL is the most")},
};

TEST(search_says_what_is_wrong)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct imap_in in = over(bad[i].input);
		struct imap_search search;

		CHECK(!imap_search(&in, &search));
		CHECK_STR(in.reason, bad[i].reason);
	}
}

TEST(search_for_rev2_knows_nothing_recent)
{
	static const struct str dropped[] = {STR("NEW"), STR("NOT OLD"), STR("(recent)")};
	struct imap_search search;

	for (size_t i = 0; i < COUNT_OF(dropped); i++) {
		struct imap_in in = over(dropped[i]);

		CHECK(imap_search(&in, &search));
		in = over(dropped[i]);
		in.is_rev2 = true;
		CHECK(!imap_search(&in, &search));
		CHECK(str_starts(in.reason, STR("unknown search key")));
	}
	struct imap_in in = over(STR("OLDER 5 UNSEEN"));

	in.is_rev2 = true;
	CHECK(imap_search(&in, &search));
}

static bool search_of(const char *key, size_t count, const char *tail)
{
	SCOPED(buf_fini) struct buf text = BUF(100000);
	struct imap_search search;

	for (size_t i = 0; i < count; i++)
		buf_add_c(&text, key);
	buf_add_c(&text, tail);
	struct imap_in in = over(buf_str(&text));

	return imap_search(&in, &search);
}

TEST(search_is_bounded_in_depth_and_count)
{
	CHECK(search_of("NOT ", IMAP_SEARCH_DEPTH_MAX - 1, "SEEN"));
	CHECK(!search_of("NOT ", IMAP_SEARCH_DEPTH_MAX, "SEEN"));
	CHECK(search_of("FUZZY ", IMAP_SEARCH_DEPTH_MAX - 1, "SEEN"));
	CHECK(!search_of("FUZZY ", IMAP_SEARCH_DEPTH_MAX, "SEEN"));
	CHECK(!search_of("(", 5000, ""));
	CHECK(search_of("SEEN ", IMAP_SEARCH_KEYS_MAX - 2, "SEEN"));
	CHECK(!search_of("SEEN ", IMAP_SEARCH_KEYS_MAX - 1, "SEEN"));
	CHECK(!search_of("UNSEEN ", IMAP_SEARCH_KEYS_MAX / 2, "UNSEEN"));
}

TEST(search_wants_a_part_and_to_hear_more)
{
	struct imap_in in = over(STR("RETURN (UPDATE PARTIAL -1:-10 context) SEEN"));
	struct imap_search search;

	CHECK(imap_search(&in, &search) && cur_done(in.at));
	CHECK(search.returns ==
	      (IMAP_RETURN_UPDATE | IMAP_RETURN_PARTIAL | IMAP_RETURN_CONTEXT));
	CHECK(search.partial.first == 1 && search.partial.last == 10);
	CHECK(search.partial.is_from_end && search.sort.count == 0);
}

TEST(sort_and_thread_put_in_order_what_they_find)
{
	struct imap_in in = over(STR("(SUBJECT REVERSE DATE) UTF-8 SEEN 1:3"));
	struct imap_search search;

	CHECK(imap_sort_search(&in, &search) && cur_done(in.at));
	CHECK(search.sort.count == 2 && !search.is_extended);
	CHECK_STR(search.charset, STR("UTF-8"));
	in = over(STR("RETURN (COUNT) (SIZE) \"US-ASCII\" ALL"));
	CHECK(imap_sort_search(&in, &search) && cur_done(in.at));
	CHECK(search.returns == IMAP_RETURN_COUNT && search.is_extended);
	in = over(STR("REFERENCES KOI8-R ALL"));
	CHECK(imap_thread_search(&in, &search) && cur_done(in.at));
	CHECK(search.thread == IMAP_THREAD_REFERENCES);
	CHECK_STR(search.charset, STR("KOI8-R"));
}

TEST(relevancy_is_for_fuzzy_searches)
{
	struct imap_in in = over(STR("RETURN (RELEVANCY PARTIAL 1:10) (REVERSE RELEVANCY "
				     "DATE) UTF-8 NOT FUZZY BODY x"));
	struct imap_search search;

	CHECK(imap_sort_search(&in, &search) && cur_done(in.at));
	CHECK(search.returns == (IMAP_RETURN_RELEVANCY | IMAP_RETURN_PARTIAL));
	CHECK(search.has_fuzzy && imap_search_by_relevancy(&search));
	CHECK(search.sort.keys[0].by == IMAP_SORT_RELEVANCY &&
	      search.sort.keys[0].is_reverse);
	in = over(STR("(DATE RELEVANCY) UTF-8 FUZZY ALL"));
	CHECK(imap_sort_search(&in, &search) && imap_search_by_relevancy(&search));
	in = over(STR("(DATE) UTF-8 FUZZY BODY x"));
	CHECK(imap_sort_search(&in, &search) && !imap_search_by_relevancy(&search));
	struct str without = STR("(DATE RELEVANCY) UTF-8 BODY x");

	in = over(without);
	CHECK(!imap_sort_search(&in, &search) && in.at.at == without.ptr);
	CHECK_STR(in.reason, STR("RELEVANCY needs a FUZZY search key"));
	in = over(STR("REFS UTF-8 FUZZY BODY x"));
	CHECK(imap_thread_search(&in, &search) && search.has_fuzzy);
}

TEST(sort_and_thread_need_a_charset)
{
	static const struct str without[] = {STR("(DATE) ALL"), STR("(DATE)"),
					     STR("(DATE) UTF-8"), STR("UTF-8 ALL"),
					     STR("RETURN (DATE) UTF-8 ALL")};
	struct imap_search search;

	for (size_t i = 0; i < COUNT_OF(without); i++) {
		struct imap_in in = over(without[i]);

		CHECK(!imap_sort_search(&in, &search) && in.at.at == without[i].ptr);
	}
	struct imap_in in = over(STR("REFS ALL"));

	CHECK(!imap_thread_search(&in, &search));
	CHECK_STR(in.reason, STR("a charset is expected, and search keys at the end"));
}
