#include "wire/imap/mailbox_name.h"

#include "base/test.h"

static const struct {
	struct str utf7, utf8;
} pairs[] = {
	{STR("INBOX"), STR("INBOX")},
	{STR("a &- b"), STR("a & b")},
	{STR("~peter/mail/&U,BTFw-/&ZeVnLIqe-"), /* RFC 3501 §5.1.3 */
	 STR("~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
	     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e")},
	{STR("&AOk-&-"), STR("\xc3\xa9&")},
	{STR("&2D3eAA-x"), STR("\xf0\x9f\x98\x80x")},
	{STR("&2D3eAA-"), STR("\xf0\x9f\x98\x80")},
	{STR("&IKw-"), STR("\xe2\x82\xac")},
};

TEST(modified_utf7_goes_both_ways)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		SCOPED(buf_fini) struct buf there = BUF(1000), back = BUF(1000);

		CHECK(imap_mailbox_name_to_utf7(&there, pairs[i].utf8, false));
		CHECK_STR(buf_str(&there), pairs[i].utf7);
		CHECK(imap_mailbox_name_from_utf7(&back, pairs[i].utf7));
		CHECK_STR(buf_str(&back), pairs[i].utf8);
		buf_fini(&back);
	}
}

static const struct str bad[] = {
	STR("&"),     STR("a&b"),      STR("&AOk"),        STR("&AOk-&AOk-"),
	STR("&AGE-"), STR("&AOl-"),    STR("&AOkA-"),      STR("&2D0-"),
	STR("&3gA-"), STR("&2D0A4Q-"), STR("caf\xc3\xa9"), STR("a\tb"),
	STR("&AO/-"), STR("&AAA-"),    STR("&AIU-"),
};

TEST(only_canonical_modified_utf7_is_taken)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		SCOPED(buf_fini) struct buf out = BUF(1000);

		CHECK(!imap_mailbox_name_from_utf7(&out, bad[i]));
	}
}

TEST(names_are_utf8_without_controls)
{
	char long_name[IMAP_MAILBOX_NAME_MAX + 1];
	SCOPED(buf_fini) struct buf out = BUF(100);

	memset(long_name, 'a', sizeof long_name);
	CHECK(imap_mailbox_name_ok(STR("caf\xc3\xa9")));
	CHECK(!imap_mailbox_name_ok(STR("")));
	CHECK(!imap_mailbox_name_ok(STR("a\x7f")));
	CHECK(!imap_mailbox_name_ok(STR("\xc2\x85")));
	CHECK(!imap_mailbox_name_ok(STR("\xff")));
	CHECK(!imap_mailbox_name_ok((struct str){long_name, sizeof long_name}));
	CHECK(!imap_mailbox_name_to_utf7(&out, STR("\xff"), false) && out.len == 0);
	CHECK(imap_mailbox_name_to_utf7(&out, STR("a\"b"), true));
	CHECK_STR(buf_str(&out), STR("a\\\"b"));
}

TEST(inbox_has_one_case_also_above_others)
{
	SCOPED(arena_fini) struct arena arena;
	struct str name;

	arena_init(&arena, 8000);
	CHECK(imap_mailbox_name_read(STR("Inbox/Sub"), false, &arena, &name));
	CHECK_STR(name, STR("INBOX/Sub"));
	CHECK(imap_mailbox_name_read(STR("inboxes"), false, &arena, &name));
	CHECK_STR(name, STR("inboxes"));
	CHECK(imap_mailbox_name_read(STR(""), false, &arena, &name) && name.len == 0);
	CHECK(!imap_mailbox_name_read(STR("a\xc3\xa9"), false, &arena, &name));
	CHECK(imap_mailbox_name_read(STR("a\xc3\xa9"), true, &arena, &name));
}
