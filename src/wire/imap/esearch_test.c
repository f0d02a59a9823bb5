#include "wire/imap/esearch.h"

#include "base/buf.h"
#include "base/test.h"

static bool reads(const char *text, struct arena *arena, struct imap_sources *sources)
{
	struct imap_in in = imap_in_over(str_c(text), arena);

	return imap_sources(&in, sources) && cur_done(in.at);
}

TEST(esearch_reads_where_to_search)
{
	struct arena arena;
	struct imap_sources sources;

	arena_init(&arena, 1 << 20);
	CHECK(reads(" (selected)", &arena, &sources) && sources.count == 1);
	CHECK(sources.list[0].kind == IMAP_SOURCE_SELECTED);
	CHECK(reads(" (mailboxes \"a b\" subtree (x INBOX) PERSONAL)", &arena, &sources));
	CHECK(sources.count == 4);
	CHECK(sources.list[0].kind == IMAP_SOURCE_MAILBOX);
	CHECK_STR(sources.list[0].mailbox, STR("a b"));
	CHECK(sources.list[1].kind == IMAP_SOURCE_SUBTREE);
	CHECK_STR(sources.list[2].mailbox, STR("INBOX"));
	CHECK(sources.list[3].kind == IMAP_SOURCE_PERSONAL);
	CHECK(reads(" (subtree-one x inboxes subscribed)", &arena, &sources));
	CHECK(sources.list[0].kind == IMAP_SOURCE_SUBTREE_ONE && sources.count == 3);
	arena_fini(&arena);
}

TEST(esearch_refuses_other_sources)
{
	static const char *const bad[] = {
		"",
		" ",
		" selected",
		" ()",
		" (selected-delayed)",
		" (selected",
		" (mailboxes)",
		" (mailboxes ())",
		" (mailboxes (a b)",
		" (selected (option))",
		"(selected)",
		" (selected ,)",
	};
	struct arena arena;
	struct imap_sources sources;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!reads(bad[i], &arena, &sources));
	arena_fini(&arena);
}

TEST(esearch_names_a_bounded_number_of_mailboxes)
{
	SCOPED(buf_fini) struct buf text = BUF(10000);
	struct arena arena;
	struct imap_sources sources;

	arena_init(&arena, 1 << 20);
	buf_add_c(&text, " (mailboxes (a");
	for (size_t i = 1; i < IMAP_SOURCES_MAX; i++)
		buf_add_c(&text, " a");
	size_t len = text.len;

	buf_add(&text, (struct str){"))", 3});
	CHECK(reads(text.ptr, &arena, &sources) && sources.count == IMAP_SOURCES_MAX);
	buf_cut(&text, len);
	buf_add(&text, (struct str){" a))", 5});
	CHECK(!reads(text.ptr, &arena, &sources));
	arena_fini(&arena);
}
