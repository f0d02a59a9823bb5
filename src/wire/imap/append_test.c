#include "wire/imap/append.h"

#include "base/test.h"

static const struct {
	struct str input;
	bool ok;
	struct str mailbox;
	unsigned flags;
	bool has_date;
	uint64_t len;
} cases[] = {
	{STR("INBOX {310}\r\n"), true, STR("INBOX"), 0, false, 310},
	{STR("{1}\r\na (\\Seen) {0+}\r\n"), true, STR("a"), IMAP_SEEN, false, 0},
	{STR("a (\\Seen) \" 7-Feb-1994 21:52:25 -0800\" ~{9}\r\n"), true, STR("a"),
	 IMAP_SEEN, true, 9},
	{STR("a \" 7-Feb-1994 21:52:25 -0800\" {9}\r\n"), true, STR("a"), 0, true, 9},
	{STR("a UTF8 (~{9+}\r\n"), true, STR("a"), 0, false, 9},
	{STR("a (\\Seen) CATENATE ("), true, STR("a"), IMAP_SEEN, false, 0},
	{STR("a CATENATE"), false, STR(""), 0, false, 0},
	{STR("a CATENATE URL"), false, STR(""), 0, false, 0},
	{STR("a UTF8 ({9}\r\n"), false, STR(""), 0, false, 0},
	{STR("a UTF9 (~{9}\r\n"), false, STR(""), 0, false, 0},
	{STR("a UTF8 ~{9}\r\n"), false, STR(""), 0, false, 0},
	{STR("a {9}"), false, STR(""), 0, false, 0},
	{STR("a"), false, STR(""), 0, false, 0},
	{STR("a (\\Seen {9}\r\n"), false, STR(""), 0, false, 0},
	{STR("a \"x\" {9}\r\n"), false, STR(""), 0, false, 0},
	{STR("a \"message\"\r\n"), false, STR(""), 0, false, 0},
};

TEST(append_reads_up_to_the_message)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_append append;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(cases[i].input, &arena);
		bool ok = imap_append(&in, &append);

		CHECK(ok == cases[i].ok && ok == cur_done(in.at));
		CHECK(ok || (in.reason.len > 0 && in.at.at == cases[i].input.ptr));
		if (!ok)
			continue;
		CHECK_STR(append.mailbox, cases[i].mailbox);
		CHECK(append.first.flags.system == cases[i].flags);
		CHECK(append.first.has_date == cases[i].has_date);
		CHECK(append.first.literal.len == cases[i].len);
	}
}

static const struct {
	struct str input;
	bool was_utf8, ok, is_end;
	uint64_t len;
} rests[] = {
	{STR("\r\n"), false, true, true, 0},
	{STR(")\r\n"), true, true, true, 0},
	{STR(" {5}\r\n"), false, true, false, 5},
	{STR(" (\\Seen) \" 7-Feb-1994 21:52:25 -0800\" {5+}\r\n"), false, true, false, 5},
	{STR(") UTF8 (~{5}\r\n"), true, true, false, 5},
	{STR("\r\n"), true, false, false, 0},
	{STR(")\r\n"), false, false, false, 0},
	{STR("{5}\r\n"), false, false, false, 0},
	{STR(" \r\n"), false, false, false, 0},
	{STR("x\r\n"), false, false, false, 0},
	{STR(""), false, false, false, 0},
};

TEST(append_reads_on_behind_a_message)
{
	for (size_t i = 0; i < COUNT_OF(rests); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_append_message next = {0};
		bool is_end;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(rests[i].input, &arena);
		bool ok = imap_append_next(&in, rests[i].was_utf8, &is_end, &next);

		CHECK(ok == rests[i].ok);
		CHECK(ok || (in.reason.len > 0 && in.at.at == rests[i].input.ptr));
		if (ok)
			CHECK(is_end == rests[i].is_end && cur_done(in.at));
		if (ok && !is_end)
			CHECK(next.literal.len == rests[i].len);
	}
}

static const struct {
	struct str input;
	bool is_first, was_utf8, ok;
	enum imap_cat_kind kind;
	uint64_t len;
	struct str url;
} parts[] = {
	{STR("TEXT {5}\r\n"), true, false, true, IMAP_CAT_TEXT, 5, STR("")},
	{STR(" text ~{5+}\r\n"), false, false, true, IMAP_CAT_TEXT, 5, STR("")},
	{STR("URL \"/a/;UID=1\""), true, false, true, IMAP_CAT_URL, 0, STR("/a/;UID=1")},
	{STR(" URL /a/;UID=1"), false, false, true, IMAP_CAT_URL, 0, STR("/a/;UID=1")},
	{STR(" URL {5}\r\n"), false, false, true, IMAP_CAT_URL_LITERAL, 5, STR("")},
	{STR(") UTF8 (~{5}\r\n"), false, true, true, IMAP_CAT_TEXT, 5, STR("")},
	{STR(")"), false, false, true, IMAP_CAT_END, 0, STR("")},
	{STR("))"), false, true, true, IMAP_CAT_END, 0, STR("")},
	{STR(")"), true, false, false, IMAP_CAT_END, 0, STR("")},
	{STR(")"), false, true, false, IMAP_CAT_END, 0, STR("")},
	{STR(" TEXT \"x\""), false, false, false, IMAP_CAT_END, 0, STR("")},
	{STR(" UTF8 ({5}\r\n"), false, false, false, IMAP_CAT_END, 0, STR("")},
	{STR(" BLOB {5}\r\n"), false, false, false, IMAP_CAT_END, 0, STR("")},
	{STR("TEXT {5}\r\n"), false, false, false, IMAP_CAT_END, 0, STR("")},
	{STR(" URL"), false, false, false, IMAP_CAT_END, 0, STR("")},
	{STR(" URL ("), false, false, false, IMAP_CAT_END, 0, STR("")},
	{STR(""), true, false, false, IMAP_CAT_END, 0, STR("")},
};

TEST(parts_of_a_catenated_message_are_read)
{
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_cat_part part, before = {.is_utf8 = parts[i].was_utf8};

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(parts[i].input, &arena);
		bool ok = imap_cat_part(&in, parts[i].is_first ? NULL : &before, &part);

		CHECK(ok == parts[i].ok);
		CHECK(ok || (in.reason.len > 0 && in.at.at == parts[i].input.ptr));
		if (!ok)
			continue;
		CHECK(part.kind == parts[i].kind && cur_done(in.at));
		CHECK(part.literal.len == parts[i].len);
		CHECK_STR(part.url, parts[i].url);
	}
}

TEST(replace_names_one_message)
{
	static const struct {
		struct str input;
		bool ok;
	} replaces[] = {
		{STR("4 a {5}\r\n"), true},    {STR("* a (\\Seen) {5}\r\n"), true},
		{STR("4 a CATENATE ("), true}, {STR("4:4 a {5}\r\n"), true},
		{STR("4:5 a {5}\r\n"), false}, {STR("4,6 a {5}\r\n"), false},
		{STR("4:* a {5}\r\n"), false}, {STR("$ a {5}\r\n"), false},
		{STR("a {5}\r\n"), false},     {STR("4 {5}\r\n"), false},
	};

	for (size_t i = 0; i < COUNT_OF(replaces); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_append replace;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(replaces[i].input, &arena);
		bool ok = imap_replace(&in, &replace);

		CHECK(ok == replaces[i].ok);
		CHECK(ok || (in.reason.len > 0 && in.at.at == replaces[i].input.ptr));
		if (ok)
			CHECK_STR(replace.mailbox, STR("a"));
	}
}
