#include "wire/imap/fetch.h"

#include "base/test.h"

static struct arena arena;

static struct imap_in over(struct str text)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	return imap_in_over(text, &arena);
}

enum { FAST = IMAP_FETCH_FLAGS | IMAP_FETCH_INTERNALDATE | IMAP_FETCH_SIZE };

/* What the sections are called in the response, one after the other. */
static const struct {
	struct str input;
	unsigned items;
	struct str sections;
} good[] = {
	{STR("1 FAST"), FAST, STR("")},
	{STR("1 all"), FAST | IMAP_FETCH_ENVELOPE, STR("")},
	{STR("1 FULL"), FAST | IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY, STR("")},
	{STR("1:* (UID FLAGS)"), IMAP_FETCH_UID | IMAP_FETCH_FLAGS, STR("")},
	{STR("1 BODYSTRUCTURE"), IMAP_FETCH_BODYSTRUCTURE, STR("")},
	{STR("1 (FLAGS MODSEQ)"), IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, STR("")},
	{STR("1 FLAGS (CHANGEDSINCE 9)"), IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ, STR("")},
	{STR("1 (PREVIEW (lazy) SAVEDATE)"), IMAP_FETCH_PREVIEW | IMAP_FETCH_SAVEDATE,
	 STR("")},
	{STR("1 PREVIEW (CHANGEDSINCE 9)"), IMAP_FETCH_PREVIEW | IMAP_FETCH_MODSEQ,
	 STR("")},
	{STR("1 (EMAILID THREADID)"), IMAP_FETCH_EMAILID | IMAP_FETCH_THREADID, STR("")},
	{STR("1 FAST (CHANGEDSINCE 9 VANISHED)"), FAST | IMAP_FETCH_MODSEQ, STR("")},
	{STR("1 BODY[]"), 0, STR("BODY[]")},
	{STR("1 body.peek[]<10.20>"), 0, STR("BODY[]<10>")},
	{STR("1 BODY[1.2.HEADER]"), 0, STR("BODY[1.2.HEADER]")},
	{STR("1 BODY[TEXT]"), 0, STR("BODY[TEXT]")},
	{STR("1 BODY[1.MIME]"), 0, STR("BODY[1.MIME]")},
	{STR("1 BODY[3]<0.5>"), 0, STR("BODY[3]<0>")},
	{STR("1 (BODY BODY[header.fields (\"To\" {4}\r\nFrom x-y)])"), IMAP_FETCH_BODY,
	 STR("BODY[HEADER.FIELDS (To From x-y)]")},
	{STR("1 BODY[2.HEADER.FIELDS.NOT (A)]"), 0, STR("BODY[2.HEADER.FIELDS.NOT (A)]")},
	{STR("1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)"), IMAP_FETCH_SIZE,
	 STR("RFC822RFC822.HEADERRFC822.TEXT")},
	{STR("1 (BINARY[1] BINARY.PEEK[1.2]<0.9> BINARY.SIZE[])"), 0,
	 STR("BINARY[1]BINARY[1.2]<0>BINARY.SIZE[]")},
};

TEST(fetch_takes_every_item)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct imap_in in = over(good[i].input);
		SCOPED(buf_fini) struct buf out = BUF(1000);
		struct imap_fetch fetch;
		bool ok = imap_fetch(&in, &fetch);

		CHECK(ok && cur_done(in.at));
		if (!ok)
			continue;
		CHECK(fetch.items == good[i].items);
		for (size_t s = 0; s < fetch.section_count; s++)
			imap_section_write(&out, &fetch.sections[s]);
		CHECK_STR(buf_str(&out), good[i].sections);
	}
}

static const struct {
	struct str input, reason;
} bad[] = {
	{STR("1"), STR("items are expected at the end")},
	{STR("x FLAGS"), STR("a wrong set of messages at \"x FLAGS\"")},
	{STR("1 FOO"), STR("unknown item \"FOO\"")},
	{STR("1 (FLAGS"), STR("the list of items does not end at the end")},
	{STR("1 ()"), STR("an item is expected at \")\"")},
	{STR("1 (ALL)"), STR("unknown item \"ALL\"")},
	{STR("1 BODY["), STR("a section is expected at the end")},
	{STR("1 BODY[X]"), STR("unknown section \"X\"")},
	{STR("1 BODY[MIME]"), STR("MIME needs a part number")},
	{STR("1 BODY[0]"), STR("a wrong part number at \"0]\"")},
	{STR("1 BODY[1.]"), STR("a wrong part number at \"]\"")},
	{STR("1 BODY[1TEXT]"), STR("a wrong section at \"TEXT]\"")},
	{STR("1 BODY[TEXT"), STR("a section does not end at the end")},
	{STR("1 BODY[HEADER.FIELDS]"), STR("a wrong section at \"]\"")},
	{STR("1 BODY[HEADER.FIELDS ()]"), STR("a header field is expected at \")]\"")},
	{STR("1 BODY[HEADER.FIELDS x]"),
	 STR("a list of header fields is expected at \"x]\"")},
	{STR("1 BODY[]<0.0>"), STR("a wrong partial, like <0.2048>, at \">\"")},
	{STR("1 BODY[]<1>"), STR("a wrong partial, like <0.2048>, at \">\"")},
	{STR("1 BINARY[TEXT]"), STR("BINARY takes a part number only at \"TEXT]\"")},
	{STR("1 FLAGS x"), STR("modifiers in () are expected at \"x\"")},
	{STR("1 PREVIEW (BUSY)"), STR("unknown modifier \"BUSY\"")},
	{STR("1 (PREVIEW (BUSY))"), STR("an item is expected at \"(BUSY))\"")},
	{STR("1 FLAGS (FOO 1)"), STR("unknown modifier \"FOO\"")},
	{STR("1 FLAGS (VANISHED)"), STR("VANISHED needs CHANGEDSINCE")},
	{STR("1 FLAGS (CHANGEDSINCE)"), STR("a mod-sequence is expected at \")\"")},
	{STR("1 FLAGS (CHANGEDSINCE 1"), STR("the modifiers do not end at the end")},
	{STR("1 BODY.PEEK"), STR("a section in [] is expected at the end")},
};

TEST(fetch_says_what_is_wrong)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct imap_in in = over(bad[i].input);
		struct imap_fetch fetch;

		CHECK(!imap_fetch(&in, &fetch));
		CHECK_STR(in.reason, bad[i].reason);
		CHECK(in.at.at == bad[i].input.ptr);
	}
}

static bool fetch_of(const char *head, const char *item, size_t count, const char *tail)
{
	SCOPED(buf_fini) struct buf text = BUF(100000);
	struct imap_fetch fetch;

	buf_add_c(&text, head);
	for (size_t i = 0; i < count; i++)
		buf_add_c(&text, item);
	buf_add_c(&text, tail);
	struct imap_in in = over(buf_str(&text));

	return imap_fetch(&in, &fetch);
}

TEST(fetch_is_bounded)
{
	CHECK(fetch_of("1 (FLAGS", " BODY[]", IMAP_FETCH_ITEMS_MAX, ")"));
	CHECK(!fetch_of("1 (FLAGS", " BODY[]", IMAP_FETCH_ITEMS_MAX + 1, ")"));
	CHECK(fetch_of("1 BODY[1", ".1", IMAP_SECTION_DEPTH_MAX - 1, "]"));
	CHECK(!fetch_of("1 BODY[1", ".1", IMAP_SECTION_DEPTH_MAX, "]"));
	CHECK(!fetch_of("1 BODY[HEADER.FIELDS (a", " a", IMAP_SECTION_FIELDS_MAX, ")]"));
}

TEST(a_copy_of_items_is_the_same_and_bounded)
{
	SCOPED(arena_fini) struct arena mine, other;
	struct imap_fetch fetch, copy;

	arena_init(&mine, 100000);
	arena_init(&other, 100000);
	struct imap_in in = imap_in_over(
		STR("(UID BODY.PEEK[1.2.HEADER.FIELDS (From \"To\")]<5.7> RFC822.SIZE)"),
		&mine);

	CHECK(imap_fetch_list(&in, &fetch) && cur_done(in.at));
	CHECK(imap_fetch_copy(&other, &fetch, &copy));
	arena_fini(&mine);
	CHECK(copy.items == (IMAP_FETCH_UID | IMAP_FETCH_SIZE));
	CHECK(copy.section_count == 1 && copy.sections[0].is_peek);
	SCOPED(buf_fini) struct buf out = BUF(1000);

	imap_section_write(&out, copy.sections);
	CHECK_STR(buf_str(&out), STR("BODY[1.2.HEADER.FIELDS (From To)]<5>"));
	for (size_t max = 0; max < 100; max += 10) {
		struct arena small;

		arena_init(&small, max);
		CHECK(!imap_fetch_copy(&small, &copy, &fetch));
		arena_fini(&small);
	}
}

TEST(a_list_of_items_has_parentheses)
{
	static const struct str wrong[] = {STR("UID"), STR("()"), STR("(FOO)"),
					   STR("(UID")};
	SCOPED(arena_fini) struct arena mine;
	struct imap_fetch fetch;

	arena_init(&mine, 100000);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct imap_in in = imap_in_over(wrong[i], &mine);

		CHECK(!imap_fetch_list(&in, &fetch));
		CHECK(in.at.at == wrong[i].ptr && in.reason.len > 0);
	}
}
