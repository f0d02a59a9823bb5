#include "store/acl.h"

#include "base/test.h"

static struct acl_entry entry(enum acl_kind kind, bool is_negative, account_t account,
			      uint32_t rights)
{
	return (struct acl_entry){{kind, is_negative, account}, rights};
}

TEST(rights_are_what_is_given_less_what_is_taken)
{
	struct acl_entry entries[] = {
		entry(ACL_ACCOUNT, false, 7, ACL_LOOKUP | ACL_READ | ACL_SEEN),
		entry(ACL_ANYONE, false, 0, ACL_LOOKUP | ACL_INSERT),
		entry(ACL_ACCOUNT, true, 8, ACL_INSERT),
		entry(ACL_ANYONE, true, 0, ACL_SEEN),
	};
	struct acl acl = {entries, COUNT_OF(entries)};
	struct buf value = BUF(1000);
	struct arena arena;
	struct acl again;

	acl_write(&value, &acl);
	CHECK(acl_rights(buf_str(&value), 7) == (ACL_LOOKUP | ACL_READ | ACL_INSERT));
	CHECK(acl_rights(buf_str(&value), 8) == ACL_LOOKUP);
	CHECK(acl_rights(buf_str(&value), 9) == (ACL_LOOKUP | ACL_INSERT));
	CHECK(acl_gives(buf_str(&value), &entries[0].who));
	CHECK(!acl_gives(buf_str(&value), &(struct acl_who){ACL_ACCOUNT, false, 9}));
	arena_init(&arena, 10000);
	CHECK(acl_read(buf_str(&value), &arena, &again) && again.count == 4);
	CHECK(again.entries[2].who.account == 8 && again.entries[2].who.is_negative);
	/* Damage gives nobody anything. */
	for (size_t len = 0; len < value.len; len++) {
		CHECK(acl_rights(str_first(buf_str(&value), len), 7) == 0);
		CHECK(!acl_read(str_first(buf_str(&value), len), &arena, &again));
	}
	arena_fini(&arena);
	buf_fini(&value);
}

TEST(letters_are_those_of_the_rfc_with_the_old_ones)
{
	static const struct {
		const char *letters;
		uint32_t rights;
		const char *again;
	} cases[] = {
		{"", 0, ""},
		{"lr", ACL_LOOKUP | ACL_READ, "lr"},
		{"rl", ACL_LOOKUP | ACL_READ, "lr"},
		{"d", ACL_TRASH | ACL_EXPUNGE, "ted"},
		{"c", ACL_CREATE | ACL_DELETE, "kxc"},
		{"k", ACL_CREATE, "kc"},
		{"lrswipkxtea", ACL_RIGHTS, "lrswipkxteacd"},
		{"lrswipkxteacd", ACL_RIGHTS, "lrswipkxteacd"},
	};
	static const char *const wrong[] = {"L", "z", "l r", "0", "l\x80"};
	uint32_t rights;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct buf out = BUF(100);

		CHECK(acl_letters(str_c(cases[i].letters), &rights));
		CHECK(rights == cases[i].rights);
		acl_add_letters(&out, rights);
		CHECK(str_same(buf_str(&out), str_c(cases[i].again)));
		buf_fini(&out);
	}
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		CHECK(!acl_letters(str_c(wrong[i]), &rights));
	CHECK(!acl_letters((struct str){"l\0", 2}, &rights));
}

TEST(names_of_pairs_tell_what_they_are_of)
{
	struct pair_key key;
	uint64_t mailbox;

	CHECK(pair_mailbox(pair_acl(&key, 0xabcdef)) == 0xabcdef);
	CHECK(pair_mailbox(pair_seen(&key, 77, 9)) == 77);
	CHECK(pair_mailbox(pair_metadata(&key, 78)) == 78);
	CHECK(pair_mailbox(STR("acl/00000000000")) == 0);
	CHECK(pair_mailbox(STR("quota")) == 0);
	CHECK(pair_owner(pair_from(&key, 9), &mailbox) == 9 && mailbox == 0);
	CHECK(pair_owner(pair_anyone(&key, 10), &mailbox) == 10);
	CHECK(pair_owner(pair_subscription(&key, 11, 12), &mailbox) == 11);
	CHECK(mailbox == 12);
	CHECK(pair_owner(STR("from/zz"), &mailbox) == ACCOUNT_SYSTEM);
	CHECK(pair_is_kept(pair_acl(&key, 1)) && pair_is_kept(pair_from(&key, 1)));
	CHECK(!pair_is_kept(pair_subscription(&key, 1, 1)));
	CHECK(str_starts(pair_gone(&key, STR("a/b")), PAIR_GONE));
	CHECK_STR(str_skip(pair_gone(&key, STR("a/b")), PAIR_GONE.len),
		  STR("c1f4f68c5043670b")); /* for ever */
}

TEST(the_log_tells_of_lists_annotations_and_shares)
{
	struct change_row row;
	struct pair_key key;

	CHECK(pair_is_logged(pair_acl(&key, 5), &row));
	CHECK(row.kind == CHANGE_RIGHTS && row.mailbox == 5 && row.entry.len == 0);
	CHECK(pair_is_logged(STR("meta/00000000001f/s/comment"), &row));
	CHECK(row.kind == CHANGE_ANNOTATION && row.mailbox == 31);
	CHECK_STR(row.entry, STR("s/comment"));
	CHECK(pair_is_logged(STR("meta/000000000000/p/00000007/x"), &row));
	CHECK(row.kind == CHANGE_ANNOTATION && row.mailbox == 0);
	CHECK_STR(row.entry, STR("p/00000007/x"));
	CHECK(pair_is_logged(pair_from(&key, 9), &row) && row.kind == CHANGE_SHARES);
	CHECK(pair_is_logged(pair_subscription(&key, 9, 3), &row));
	CHECK(row.kind == CHANGE_SHARES && row.mailbox == 0);
	CHECK(!pair_is_logged(pair_seen(&key, 1, 2), &row));
	CHECK(!pair_is_logged(STR("meta/xyz"), &row));
	CHECK(!pair_is_logged(STR("quota"), &row));
}
