#include "wire/imap/metadata.h"

#include "base/buf.h"
#include "base/test.h"

static const struct {
	struct str input;
	bool ok;
	const char *mailbox;
	size_t count;
	const char *first;
	enum imap_depth depth;
	uint64_t max_size;
} gets[] = {
	{STR("INBOX /private/comment"), true, "INBOX", 1, "/private/comment", 0, 0},
	{STR("\"\" (/Shared/Admin /shared/comment)"), true, "", 2, "/shared/admin", 0, 0},
	{STR("(DEPTH 1) inbox /private/a/b"), true, "INBOX", 1, "/private/a/b",
	 IMAP_DEPTH_1, 0},
	{STR("(MAXSIZE 1024 DEPTH infinity) \"\" (\"/private\")"), true, "", 1,
	 "/private", IMAP_DEPTH_INFINITY, 1024},
	{STR("INBOX (MAXSIZE 7) (/shared/x /private/y)"), true, "INBOX", 2, "/shared/x",
	 0, 7},
	{STR("{0}\r\n {9}\r\n/shared/a"), true, "", 1, "/shared/a", 0, 0},
	{STR("INBOX"), false},
	{STR("INBOX ()"), false},
	{STR("INBOX comment"), false},
	{STR("INBOX /comment"), false},
	{STR("INBOX /privateer/x"), false},
	{STR("INBOX /private/"), false},
	{STR("INBOX /private//x"), false},
	{STR("INBOX \"/private/x*\""), false},
	{STR("INBOX \"/private/x%\""), false},
	{STR("INBOX \"/private/\t\""), false},
	{STR("INBOX \"/private/\xC3\xA9\""), false},
	{STR("(DEPTH 2) INBOX /private/x"), false},
	{STR("(MAXSIZE) INBOX /private/x"), false},
	{STR("(FOO 1) INBOX /private/x"), false},
	{STR("(DEPTH 1 INBOX /private/x"), false},
	{STR("INBOX (/private/x"), false},
	{STR(""), false},
};

TEST(getmetadata_takes_options_and_entries)
{
	for (size_t i = 0; i < COUNT_OF(gets); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_metadata got;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(gets[i].input, &arena);
		bool ok = imap_getmetadata(&in, &got);

		CHECK(ok == gets[i].ok);
		if (!ok) {
			CHECK(in.at.at == gets[i].input.ptr && in.reason.len > 0);
			continue;
		}
		CHECK(cur_done(in.at) && got.count == gets[i].count);
		CHECK_STR(got.mailbox, str_c(gets[i].mailbox));
		CHECK_STR(got.entries[0].name, str_c(gets[i].first));
		CHECK(got.depth == gets[i].depth && got.max_size == gets[i].max_size);
		CHECK(got.has_max_size == (gets[i].max_size > 0));
	}
}

static const struct {
	struct str input;
	bool ok;
	size_t count;
	struct str last; /* value */
} sets[] = {
	{STR("INBOX (/private/comment \"My own\")"), true, 1, STR("My own")},
	{STR("\"\" (/private/a NIL)"), true, 1, {NULL, 0}},
	{STR("INBOX (/private/a \"\" /shared/b {3}\r\na\r\n)"), true, 2, STR("a\r\n")},
	{STR("INBOX (/private/a ~{3}\r\na\0b)"), true, 1, STR("a\0b")},
	{STR("INBOX (/private/a ~{3+}\r\n\0\0\0)"), true, 1, STR("\0\0\0")},
	{STR("INBOX (/private/a ~{4}\r\na\0b)"), false, 0, {NULL, 0}},
	{STR("INBOX (/private/a ~{5}\r\na\0b)"), false, 0, {NULL, 0}},
	{STR("INBOX (/private/a ~\"x\")"), false, 0, {NULL, 0}},
	{STR("INBOX (/private/a x)"), false, 0, {NULL, 0}},
	{STR("INBOX (/private/a)"), false, 0, {NULL, 0}},
	{STR("INBOX /private/a \"x\""), false, 0, {NULL, 0}},
	{STR("INBOX ()"), false, 0, {NULL, 0}},
	{STR("INBOX (/other/a \"x\")"), false, 0, {NULL, 0}},
	{STR("INBOX"), false, 0, {NULL, 0}},
};

TEST(setmetadata_takes_entries_with_values)
{
	for (size_t i = 0; i < COUNT_OF(sets); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_metadata got;

		arena_init(&arena, 100000);
		struct imap_in in = imap_in_over(sets[i].input, &arena);
		bool ok = imap_setmetadata(&in, &got);

		CHECK(ok == sets[i].ok);
		if (!ok)
			CHECK(in.at.at == sets[i].input.ptr && in.reason.len > 0);
		if (!ok)
			continue;
		const struct imap_entry *last = &got.entries[got.count - 1];

		CHECK(cur_done(in.at) && got.count == sets[i].count);
		CHECK((last->value.ptr == NULL) == (sets[i].last.ptr == NULL));
		CHECK_STR(last->value, sets[i].last);
	}
}

TEST(entries_are_bounded)
{
	static const struct {
		size_t entries, len;
		bool ok;
	} sizes[] = {{100, 10, true}, {101, 10, false}, {1, 250, true}, {1, 251, false}};

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		SCOPED(arena_fini) struct arena arena;
		SCOPED(buf_fini) struct buf text = BUF(100000);
		struct imap_metadata got = {0};

		arena_init(&arena, 100000);
		for (size_t n = 0; n < sizes[i].entries; n++) {
			buf_add_c(&text, n == 0 ? "(/shared/" : " /shared/");
			for (size_t at = 8; at < sizes[i].len; at++)
				buf_add_byte(&text, 'x');
		}
		buf_add_byte(&text, ')');
		struct imap_in in = imap_in_over(buf_str(&text), &arena);

		CHECK(imap_entries(&in, &got) == sizes[i].ok);
		CHECK(!sizes[i].ok || got.count == sizes[i].entries);
	}
}
