/* What every back end of the seam must do about mailboxes that are shared; written
 * against storage/storage.h only. */
#include "storage/fixture.h"
#include "store/acl.h"

static struct store_op acl_op(uint64_t mailbox, enum acl_change change, account_t account,
			      uint32_t rights)
{
	return (struct store_op){
		.kind = OP_ACL,
		.acl = {mailbox, change, {{ACL_ACCOUNT, false, account}, rights}}};
}

static uint32_t rights_of(struct fixture *f, uint64_t mailbox, account_t account)
{
	struct pair_key key;
	struct str value;

	if (storage_kv_get(f->storage, 1, pair_acl(&key, mailbox), &f->arena, &value) !=
	    STORE_OK)
		return 0;
	return acl_rights(value, account);
}

CONFORMANCE(a_list_changes_entry_by_entry)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, acl_op(99, ACL_SET, 7, 3)) == STORE_ABSENT);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 0, 3)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 7, 1u << 30)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 7, ACL_LOOKUP | ACL_READ)) ==
	      STORE_OK);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_ADD, 7, ACL_SEEN)) == STORE_OK);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_ADD, 8, ACL_READ)) == STORE_OK);
	CHECK(rights_of(&f, 1, 7) == (ACL_LOOKUP | ACL_READ | ACL_SEEN));
	CHECK(rights_of(&f, 1, 8) == ACL_READ && rights_of(&f, 1, 9) == 0);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_REMOVE, 7, ACL_READ | ACL_ADMIN)) ==
	      STORE_OK);
	CHECK(rights_of(&f, 1, 7) == (ACL_LOOKUP | ACL_SEEN));
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 7, 0)) == STORE_OK);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_REMOVE, 7, ACL_READ)) == STORE_OK);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 8, 0)) == STORE_OK);
	CHECK(rights_of(&f, 1, 8) == 0);
	fixture_close(&f);
}

CONFORMANCE(a_list_has_so_many_entries_and_no_more)
{
	struct fixture f;

	fixture_open(&f, FIXTURE_USUAL);
	for (account_t i = 0; i < ACL_ENTRIES_MAX; i++)
		CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 10 + i, ACL_READ)) ==
		      STORE_OK);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 5, ACL_READ)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 10, ACL_SEEN)) == STORE_OK);
	CHECK(rights_of(&f, 1, 10) == ACL_SEEN && rights_of(&f, 1, 509) == ACL_READ);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 300, 0)) == STORE_OK);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 5, ACL_READ)) == STORE_OK);
	fixture_close(&f);
}

CONFORMANCE(what_goes_with_a_mailbox_is_inherited_and_goes_with_it)
{
	struct fixture f;
	struct kv_row *rows;
	size_t count;
	struct store_op put = {.kind = OP_KV_PUT};
	struct store_op delete = {.kind = OP_MAILBOX_DELETE};

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_mailbox_of("a", 0)) == STORE_OK);
	uint64_t above = fixture_first(&f)->mailbox;
	struct pair_key key;

	CHECK(fixture_do(&f, 1, acl_op(above, ACL_SET, 7, ACL_READ)) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_mailbox_of("b", above)) == STORE_OK);
	uint64_t below = fixture_first(&f)->mailbox;

	CHECK(rights_of(&f, below, 7) == ACL_READ);
	CHECK(fixture_do(&f, 1, acl_op(above, ACL_SET, 7, 0)) == STORE_OK);
	CHECK(rights_of(&f, below, 7) == ACL_READ && rights_of(&f, above, 7) == 0);
	CHECK(fixture_do(&f, 1, acl_op(above, ACL_SET, 8, ACL_READ)) == STORE_OK);
	put.kv.key = pair_seen(&key, below, 7);
	put.kv.value = STR("\1");
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	SCOPED(buf_fini) struct buf name = BUF(100);

	buf_add(&name, pair_metadata(&key, below));
	buf_add(&name, STR("s/comment"));
	put.kv.key = buf_str(&name);
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	put.kv.key = STR("meta/zzz");
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	delete.mailbox.mailbox = below;
	CHECK(fixture_do(&f, 1, delete) == STORE_OK);
	CHECK(storage_kv_scan(f.storage, 1, STR(""), STR(""), 100, &f.arena, &rows,
			      &count) == STORE_OK);
	CHECK(count == 2); /* the list of the one above, and what is of no mailbox */
	CHECK(rights_of(&f, above, 8) == ACL_READ);
	fixture_close(&f);
}

static struct store_op flags_op(struct uid_range *range, uint32_t first, uint32_t last,
				enum flags_mode mode, uint8_t flags)
{
	return (struct store_op){.kind = OP_FLAGS,
				 .flags = {.mailbox = MAILBOX_INBOX,
					   .uids = uids_of(range, first, last),
					   .mode = mode,
					   .flags = flags,
					   .unchanged_since = UINT64_MAX,
					   .kept = FLAG_SEEN,
					   .seen_by = 7}};
}

static struct str seen_by(struct fixture *f, account_t account)
{
	struct pair_key key;
	struct str value;

	return storage_kv_get(f->storage, 1, pair_seen(&key, MAILBOX_INBOX, account),
			      &f->arena, &value) == STORE_OK
		       ? value
		       : STR("");
}

CONFORMANCE(the_log_tells_of_lists_and_annotations)
{
	struct fixture f;
	struct store_op put = {.kind = OP_KV_PUT};
	struct change_row *rows;
	struct account_summary summary;
	size_t count;
	uint64_t upto;
	bool more;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(storage_summary(f.storage, 1, &summary) == STORE_OK);
	put.kv.key = STR("meta/000000000001/s/comment");
	put.kv.value = STR("x");
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	put.kind = OP_KV_DELETE;
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	CHECK(fixture_do(&f, 1, acl_op(1, ACL_SET, 7, ACL_READ)) == STORE_OK);
	put.kind = OP_KV_PUT;
	put.kv.key = STR("sub/00000009/000000000001");
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	put.kv.key = STR("nothing/of/that");
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	CHECK(storage_changes(f.storage, 1, 0, summary.change, &f.arena, &rows, &count,
			      &upto, &more) == STORE_OK);
	CHECK(count == 4 && !more && rows[3].change == upto);
	for (size_t i = 0; i < 2 && count == 4; i++) {
		CHECK(rows[i].kind == CHANGE_ANNOTATION && rows[i].mailbox == 1);
		CHECK_STR(rows[i].entry, STR("s/comment"));
		CHECK(rows[i].uids.first == 0);
	}
	CHECK(rows[2].kind == CHANGE_RIGHTS && rows[2].mailbox == 1);
	CHECK(rows[3].kind == CHANGE_SHARES && rows[3].mailbox == 0);
	CHECK(storage_changes(f.storage, 1, 1, summary.change, &f.arena, &rows, &count,
			      &upto, &more) == STORE_OK);
	CHECK(count == 3);
	fixture_close(&f);
}

CONFORMANCE(a_visitors_seen_stands_apart)
{
	struct fixture f;
	struct uid_range range;
	struct message_row *rows;
	struct store_op op;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_fill(&f, 9);
	uint64_t before = f.result.change;

	op = flags_op(&range, 2, 4, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->uids.count == 1 && f.result.change > before);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 9);
	CHECK(rows[1].flags == FLAG_FLAGGED && rows[1].modseq == f.result.change);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).unseen == 9);
	CHECK_STR(seen_by(&f, 7), STR("\1\2\2"));
	CHECK_STR(seen_by(&f, 8), STR(""));
	struct store_op others = flags_op(&range, 2, 2, FLAGS_ADD, FLAG_ANSWERED);

	CHECK(fixture_do(&f, 1, others) == STORE_OK);
	CHECK_STR(seen_by(&f, 7), STR("\1\2\2"));
	/* A second time nothing changes. */
	op = flags_op(&range, 2, 4, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->uids.count == 0);
	op = flags_op(&range, 3, 3, FLAGS_REMOVE, FLAG_SEEN);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK_STR(seen_by(&f, 7), STR("\1\2\0\2\0"));
	op = flags_op(&range, 1, 9, FLAGS_SET, FLAG_SEEN);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK_STR(seen_by(&f, 7), STR("\1\1\x8"));
	op = flags_op(&range, 1, 9, FLAGS_SET, 0);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK_STR(seen_by(&f, 7), STR("\1"));
	/* Flags that are kept stay, and so do keywords. */
	op = flags_op(&range, 1, 1, FLAGS_SET, FLAG_DELETED | FLAG_ANSWERED);
	op.flags.kept = FLAG_SEEN | FLAG_ANSWERED | FLAGS_KEPT_WORDS;
	struct str word = STR("work");

	op.flags.keywords = (struct keywords){&word, 1};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 9);
	CHECK(rows[0].flags == FLAG_DELETED && rows[0].keywords.count == 0);
	fixture_close(&f);
}

CONFORMANCE(what_a_visitor_has_seen_is_bounded)
{
	enum { HOLES = 17000 };
	struct fixture f;
	struct store_op op =
		flags_op(&(struct uid_range){1, 1}, 1, 1, FLAGS_ADD, FLAG_SEEN);
	static struct uid_range odd[HOLES];

	fixture_open(&f, FIXTURE_USUAL);
	for (uint32_t i = 0; i < 2 * HOLES; i += 500) {
		struct store_op ops[500];

		for (size_t n = 0; n < COUNT_OF(ops); n++)
			ops[n] = op_append_of(MAILBOX_INBOX, "x");
		CHECK(fixture_commit(&f, 1, "", ops, COUNT_OF(ops)) == STORE_OK);
	}
	for (uint32_t i = 0; i < HOLES; i++)
		odd[i] = (struct uid_range){2 * i + 1, 2 * i + 1};
	op.flags.uids = (struct uid_set){odd, HOLES};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op.flags.uids = (struct uid_set){odd, 16000};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	op.flags.uids = (struct uid_set){odd + 16000, HOLES - 16000};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	odd[0] = (struct uid_range){1, 2 * HOLES}; /* but everything is one range */
	op.flags.uids = (struct uid_set){odd, 1};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	fixture_close(&f);
}
