#include "wire/imap/token.h"

#include "base/test.h"

static struct arena arena;

static struct imap_in over(struct str text)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	return imap_in_over(text, &arena);
}

static const struct {
	struct str input, value, rest;
	bool ok;
} astrings[] = {
	{STR("abc def"), STR("abc"), STR(" def"), true},
	{STR("a]c"), STR("a]c"), STR(""), true},
	{STR("\"a b\" x"), STR("a b"), STR(" x"), true},
	{STR("\"a\\\"\\\\b\""), STR("a\"\\b"), STR(""), true},
	{STR("\"\""), STR(""), STR(""), true},
	{STR("{3}\r\nabcd"), STR("abc"), STR("d"), true},
	{STR("{3+}\r\na\r\n"), STR("a\r\n"), STR(""), true},
	{STR("{0}\r\n"), STR(""), STR(""), true},
	{STR("\"caf\xc3\xa9\""), STR("caf\xc3\xa9"), STR(""), true},
	{STR("{4}\r\nabc"), STR(""), STR(""), false},
	{STR("{3}abc"), STR(""), STR(""), false},
	{STR("{x}\r\nabc"), STR(""), STR(""), false},
	{STR("{99999999999999999999}\r\nabc"), STR(""), STR(""), false},
	{STR("~{3}\r\nabc"), STR("~"), STR("{3}\r\nabc"), true},
	{STR("{1}\r\n\0"), STR(""), STR(""), false},
	{STR("\"abc"), STR(""), STR(""), false},
	{STR("\"a\\b\""), STR(""), STR(""), false},
	{STR("\"a\\"), STR(""), STR(""), false},
	{STR("\"a\r\nb\""), STR(""), STR(""), false},
	{STR("(a)"), STR(""), STR(""), false},
	{STR(""), STR(""), STR(""), false},
};

TEST(astring_takes_atoms_quoted_and_literals)
{
	for (size_t i = 0; i < COUNT_OF(astrings); i++) {
		struct imap_in in = over(astrings[i].input);
		struct str got;
		bool ok = imap_astring(&in, &got);

		CHECK(ok == astrings[i].ok);
		if (ok) {
			CHECK_STR(got, astrings[i].value);
			CHECK_STR(
				((struct str){in.at.at, (size_t)(in.at.end - in.at.at)}),
				astrings[i].rest);
		} else {
			CHECK(in.at.at == astrings[i].input.ptr);
		}
	}
}

TEST(nstring_tells_nil_from_its_name)
{
	struct imap_in in = over(STR("nil \"NIL\" {3}\r\nNIL NILS"));
	struct str got;

	CHECK(imap_nstring(&in, &got) && !got.ptr && imap_space(&in));
	CHECK(imap_nstring(&in, &got) && got.ptr && imap_space(&in));
	CHECK(imap_nstring(&in, &got) && got.ptr && imap_space(&in));
	CHECK(!imap_nstring(&in, &got));
}

TEST(mailbox_names_become_utf8_and_inbox_has_one_case)
{
	struct imap_in in = over(STR("inBox Entw&APw-rfe &- \"&AP\" x"));
	struct str name;

	CHECK(imap_mailbox(&in, &name) && imap_space(&in));
	CHECK_STR(name, STR("INBOX"));
	CHECK(imap_mailbox(&in, &name) && imap_space(&in));
	CHECK_STR(name, STR("Entw\xc3\xbcrfe"));
	CHECK(imap_mailbox(&in, &name) && imap_space(&in));
	CHECK_STR(name, STR("&"));
	CHECK(!imap_mailbox(&in, &name) && in.reason.len > 0);
	in = over(STR("a/b/ / x// "));
	CHECK(imap_mailbox(&in, &name) && imap_space(&in));
	CHECK_STR(name, STR("a/b"));
	CHECK(imap_mailbox(&in, &name) && imap_space(&in));
	CHECK_STR(name, STR("/"));
	CHECK(imap_mailbox(&in, &name));
	CHECK_STR(name, STR("x/"));
	in = over(STR("\"Entw\xc3\xbcrfe\""));
	in.is_utf8 = true;
	CHECK(imap_mailbox(&in, &name));
	CHECK_STR(name, STR("Entw\xc3\xbcrfe"));
	in = over(STR("("));
	CHECK(!imap_mailbox(&in, &name));
	CHECK_STR(in.reason, STR("a mailbox name is expected at \"(\""));
}

TEST(numbers_have_bounds)
{
	struct imap_in in = over(STR("4294967295 4294967296 0 7"));
	uint32_t number = 0;
	uint64_t wide = 0;

	CHECK(imap_nz_number(&in, &number) && number == UINT32_MAX && imap_space(&in));
	CHECK(!imap_nz_number(&in, &number));
	CHECK(imap_number(&in, INT64_MAX, &wide) && wide == 4294967296u &&
	      imap_space(&in));
	CHECK(!imap_nz_number(&in, &number) && imap_number(&in, 9, &wide) && wide == 0);
	CHECK(imap_space(&in) && imap_nz_number(&in, &number) && number == 7);
	CHECK(!imap_number(&in, 9, &wide));
}

static const struct {
	struct str input;
	bool ok;
	unsigned system;
	size_t keywords;
} flag_lists[] = {
	{STR("()"), true, 0, 0},
	{STR("(\\Seen \\deleted)"), true, IMAP_SEEN | IMAP_DELETED, 0},
	{STR("($Forwarded \\Answered x \\Recent)"), true, IMAP_ANSWERED, 2},
	{STR("(\\Draft \\Flagged NonJunk)"), true, IMAP_DRAFT | IMAP_FLAGGED, 1},
	{STR("(\\Foo)"), false, 0, 0},
	{STR("(\\Seen"), false, 0, 0},
	{STR("(\\Seen  x )"), true, IMAP_SEEN, 1},
	{STR("(\\)"), false, 0, 0},
	{STR("\\Seen"), false, 0, 0},
	{STR("("), false, 0, 0},
};

TEST(spaces_are_passed_over_but_nothing_follows_the_last)
{
	struct imap_in in = over(STR("x   y ) \r\n"));
	struct str word;

	CHECK(imap_atom(&in, &word) && imap_space(&in) && imap_atom(&in, &word));
	CHECK_STR(word, STR("y"));
	CHECK(!imap_space(&in) && cur_byte(&in.at, ')'));
	CHECK(!imap_space(&in) && cur_byte(&in.at, '\r'));
	CHECK(!imap_space(&in));
}

TEST(flag_lists_split_into_system_flags_and_keywords)
{
	for (size_t i = 0; i < COUNT_OF(flag_lists); i++) {
		struct imap_in in = over(flag_lists[i].input);
		struct imap_flags flags;
		bool ok = imap_flag_list(&in, &flags);

		CHECK(ok == flag_lists[i].ok);
		CHECK(!ok || flags.system == flag_lists[i].system);
		CHECK(!ok || flags.keyword_count == flag_lists[i].keywords);
		CHECK(ok || in.at.at == flag_lists[i].input.ptr);
	}
}

TEST(flags_are_bounded)
{
	char text[3 * IMAP_KEYWORDS_MAX + 20] = "(";
	size_t len = 1;
	struct imap_flags flags;

	for (int i = 0; i <= IMAP_KEYWORDS_MAX; i++) {
		text[len++] = 'k';
		text[len++] = ' ';
	}
	text[len - 1] = ')';
	struct imap_in in = over((struct str){text, len});

	CHECK(!imap_flag_list(&in, &flags));
	memset(text, 'k', IMAP_KEYWORD_BYTES_MAX + 1);
	in = over((struct str){text, IMAP_KEYWORD_BYTES_MAX + 1});
	CHECK(!imap_flag_run(&in, &flags));
	in = over(STR("\\Seen foo"));
	CHECK(imap_flag_run(&in, &flags) && flags.system == IMAP_SEEN);
	CHECK(flags.keyword_count == 1);
}

static const struct {
	struct str input;
	bool ok;
	int64_t day;
} dates[] = {
	{STR("1-Jan-1970"), true, 0},
	{STR("\"2-jan-1970\""), true, 1},
	{STR("31-Dec-1969"), true, -1},
	{STR("01-Feb-1994"), true, 8797},
	{STR("30-Feb-1994"), false, 0},
	{STR("1-Foo-1994"), false, 0},
	{STR("1-Feb-94"), false, 0},
	{STR("\"1-Feb-1994"), false, 0},
	{STR("1-F"), false, 0},
	{STR("x"), false, 0},
	{STR("29-Feb-2000"), true, 11016},
};

TEST(dates_are_days)
{
	for (size_t i = 0; i < COUNT_OF(dates); i++) {
		struct imap_in in = over(dates[i].input);
		int64_t day = 0;

		CHECK(imap_date(&in, &day) == dates[i].ok);
		CHECK(day == dates[i].day);
	}
}

static const struct {
	struct str input;
	bool ok;
	int64_t at;
	int zone;
} date_times[] = {
	{STR("\" 7-Feb-1994 21:52:25 -0800\""), true, 760686745, -480},
	{STR("\"17-Jul-1996 02:44:25 +0000\""), true, 837571465, 0},
	{STR("\"01-Jan-1970 00:00:00 +0100\""), true, -3600, 60},
	{STR("\"1-Jan-1970 00:00:00 +0100\""), true, -3600, 60},
	{STR("\" 11-Jan-1970 00:00:00 +0100\""), false, 0, 0},
	{STR("\"31-Jun-1970 00:00:00 +0000\""), false, 0, 0},
	{STR("\"30-Jun-1970 24:00:00 +0000\""), false, 0, 0},
	{STR("\"30-Jun-1970 00:00:00 +0060\""), false, 0, 0},
	{STR("\"30-Jun-1970 00:00:00 0000\""), false, 0, 0},
	{STR("30-Jun-1970 00:00:00 +0000"), false, 0, 0},
};

TEST(date_times_have_zones)
{
	for (size_t i = 0; i < COUNT_OF(date_times); i++) {
		struct imap_in in = over(date_times[i].input);
		struct imap_date_time when = {0};

		CHECK(imap_date_time(&in, &when) == date_times[i].ok);
		CHECK(when.at_s == date_times[i].at);
		CHECK(when.zone_minutes == date_times[i].zone);
	}
}

TEST(literal_heads_end_the_input)
{
	struct imap_in in = over(STR("~{310+}\r\n"));
	struct imap_literal literal;

	CHECK(imap_literal_head(&in, &literal) && literal.len == 310);
	CHECK(literal.is_binary && !literal.is_synchronising);
	in = over(STR("{1}\r\nx"));
	CHECK(!imap_literal_head(&in, &literal));
	in = over(STR("{1}"));
	CHECK(!imap_literal_head(&in, &literal));
}

TEST(reasons_show_where_and_never_break_lines)
{
	struct imap_in in = over(STR("ab\r\ncd"));

	CHECK(!imap_fail_here(&in, "what"));
	CHECK_STR(in.reason, STR("what at \"ab\""));
	CHECK(!imap_fail(&in, "later"));
	CHECK_STR(in.reason, STR("what at \"ab\""));
	in = over(STR(""));
	CHECK(!imap_fail_here(&in, "what"));
	CHECK_STR(in.reason, STR("what at the end"));
}
