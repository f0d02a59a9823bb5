#include "wire/imap/url.h"

#include "base/test.h"

static const struct {
	struct str input, mailbox;
	uint32_t uid_validity, uid;
	enum imap_section_text text;
	size_t part_count;
	uint64_t offset, count; /* 0: no partial */
} good[] = {
	{STR("/INBOX/;UID=20"), STR("INBOX"), 0, 20, IMAP_TEXT_ALL, 0, 0, 0},
	{STR("/inbox/;uid=20"), STR("INBOX"), 0, 20, IMAP_TEXT_ALL, 0, 0, 0},
	{STR("/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER"), STR("Drafts"),
	 385759045, 20, IMAP_TEXT_HEADER, 0, 0, 0},
	{STR("/Drafts;UIDVALIDITY=3/;UID=20/;section=1.5.9.MIME"), STR("Drafts"), 3, 20,
	 IMAP_TEXT_MIME, 3, 0, 0},
	{STR("/a/b%20c/%C3%A9/;UID=4294967295/;SECTION=1"), STR("a/b c/\xc3\xa9"), 0,
	 UINT32_MAX, IMAP_TEXT_ALL, 1, 0, 0},
	{STR("/[Gmail]/Drafts/;UID=1/;PARTIAL=5.10"), STR("[Gmail]/Drafts"), 0, 1,
	 IMAP_TEXT_ALL, 0, 5, 10},
	{STR("/a/;UID=1/;SECTION=TEXT/;PARTIAL=7"), STR("a"), 0, 1, IMAP_TEXT_TEXT, 0, 7,
	 INT64_MAX},
	{STR("/a/;UID=1/;SECTION=HEADER.FIELDS%20(From%20To)"), STR("a"), 0, 1,
	 IMAP_TEXT_FIELDS, 0, 0, 0},
	{STR("/%2Fa/;UID=1"), STR("/a"), 0, 1, IMAP_TEXT_ALL, 0, 0, 0},
};

TEST(urls_of_messages_and_parts_are_read)
{
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_url url;

		arena_init(&arena, 100000);
		CHECK(imap_url(good[i].input, &arena, &url));
		CHECK_STR(url.mailbox, good[i].mailbox);
		CHECK(url.uid_validity == good[i].uid_validity);
		CHECK(url.uid == good[i].uid && url.section.text == good[i].text);
		CHECK(url.section.part_count == good[i].part_count);
		CHECK(url.section.is_partial == (good[i].count > 0));
		CHECK(url.section.offset == good[i].offset);
		CHECK(url.section.count == good[i].count);
	}
}

static const struct str bad[] = {
	STR(""),
	STR("/"),
	STR("//host/INBOX/;UID=1"),
	STR("imap://host/INBOX/;UID=1"),
	STR(";UID=1"), /* RFC 5092 §7.2: relative-path references are not taken */
	STR("INBOX/;UID=1"),
	STR("/INBOX"),
	STR("/INBOX/"),
	STR("/INBOX;UIDVALIDITY=1"),
	STR("/INBOX;UIDVALIDITY=0/;UID=1"),
	STR("/INBOX;UIDVALIDITY=1;UID=1"),
	STR("/INBOX;UID=1"),
	STR("/;UID=1"),
	STR("/INBOX/;UID=0"),
	STR("/INBOX/;UID=4294967296"),
	STR("/INBOX/;UID="),
	STR("/INBOX/;UID=1/"),
	STR("/INBOX/;UID=1;SECTION=1"),
	STR("/INBOX/;UID=1/;SECTION="),
	STR("/INBOX/;UID=1/;SECTION=/;PARTIAL=1"),
	STR("/INBOX/;UID=1/;SECTION=MIME"),
	STR("/INBOX/;UID=1/;SECTION=1%5D%5B"),
	STR("/INBOX/;UID=1/;SECTION=1;PARTIAL=1.1"),
	STR("/INBOX/;UID=1/;PARTIAL=1.0"),
	STR("/INBOX/;UID=1/;PARTIAL=1/;SECTION=1"),
	STR("/INBOX/;UID=1/;SECTION=1;EXPIRE=x;URLAUTH=anonymous"),
	STR("/a%/;UID=1"),
	STR("/a%4/;UID=1"),
	STR("/a%zz/;UID=1"),
	STR("/a%00/;UID=1"),
	STR("/a%FF/;UID=1"),
	STR("/a b/;UID=1"),
	STR("/a?x/;UID=1"),
	STR("/a/;UID=1 "),
};

TEST(other_urls_are_refused)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		SCOPED(arena_fini) struct arena arena;
		struct imap_url url;

		arena_init(&arena, 100000);
		CHECK(!imap_url(bad[i], &arena, &url));
	}
}

TEST(a_url_has_a_bound)
{
	SCOPED(arena_fini) struct arena arena;
	static char text[IMAP_URL_BYTES_MAX + 1];
	struct imap_url url;

	memset(text, 'a', sizeof text);
	text[0] = '/';
	memcpy(text + sizeof text - 7, "/;UID=1", 7);
	arena_init(&arena, 100000);
	CHECK(!imap_url((struct str){text, sizeof text}, &arena, &url));
	arena_fini(&arena);
	arena_init(&arena, 10);
	CHECK(!imap_url(STR("/INBOX/;UID=1"), &arena, &url));
}
