/* What every back end of the seam must do; written against storage/storage.h only. */
#include <stdio.h>

#include "storage/fixture.h"
#include "store/acl.h"

static void put_messages(struct fixture *f, unsigned n)
{
	fixture_open(f, FIXTURE_USUAL);
	fixture_fill(f, n);
}

static struct store_op flags_op(struct uid_range *range, uint32_t first, uint32_t last,
				enum flags_mode mode, uint8_t flags)
{
	return (struct store_op){.kind = OP_FLAGS,
				 .flags = {.mailbox = MAILBOX_INBOX,
					   .uids = uids_of(range, first, last),
					   .mode = mode,
					   .flags = flags,
					   .unchanged_since = UINT64_MAX}};
}

CONFORMANCE(an_account_has_an_inbox_and_is_made_once)
{
	struct fixture f;
	struct account_summary summary;

	fixture_open(&f, FIXTURE_USUAL);
	struct mailbox_row inbox = fixture_mailbox(&f, 1, MAILBOX_INBOX);

	CHECK_STR(inbox.name, STR("INBOX"));
	CHECK(inbox.role == ROLE_INBOX && inbox.uid_next == 1 && inbox.uid_validity > 0);
	CHECK(fixture_do(&f, 1, (struct store_op){.kind = OP_ACCOUNT_CREATE}) ==
	      STORE_CONFLICT);
	CHECK(fixture_do(&f, 2, op_append_of(MAILBOX_INBOX, "x")) == STORE_ABSENT);
	CHECK(storage_summary(f.storage, 2, &summary) == STORE_ABSENT);
	CHECK(storage_summary(f.storage, 1, &summary) == STORE_OK && summary.epoch == 1);
	CHECK(storage_summary(f.storage, ACCOUNT_SYSTEM, &summary) == STORE_OK);
	fixture_close(&f);
}

CONFORMANCE(an_appended_message_reads_back_whole)
{
	struct fixture f;
	struct message_row *rows;
	struct str words[] = {STR("$Work"), STR("$work"), STR("b")};
	struct store_op op = op_append_of(MAILBOX_INBOX, "the body");

	fixture_open(&f, FIXTURE_USUAL);
	op.append.flags = FLAG_FLAGGED;
	op.append.keywords = (struct keywords){words, 3};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	const struct op_result *result = fixture_first(&f);

	CHECK(result->uid == 1 && result->mailbox == MAILBOX_INBOX &&
	      result->message > 0);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 1);
	CHECK(rows[0].uid == 1 && rows[0].flags == FLAG_FLAGGED);
	CHECK(rows[0].message == result->message && rows[0].member > 0);
	CHECK(rows[0].modseq == f.result.change && rows[0].saved_at > 1600000000);
	CHECK(rows[0].received_at == 1700000000 && rows[0].received_zone == -90);
	CHECK(rows[0].keywords.count == 2);
	CHECK_STR(rows[0].keywords.words[0], STR("$Work"));
	CHECK_STR(rows[0].trace, op.append.trace);
	CHECK_STR(rows[0].digest, STR("a digest"));
	CHECK(rows[0].size == op.append.trace.len + 8);
	CHECK_STR(fixture_body(&f, 1, result->message), STR("the body"));
	struct mailbox_row inbox = fixture_mailbox(&f, 1, MAILBOX_INBOX);

	CHECK(inbox.exists == 1 && inbox.unseen == 1 && inbox.deleted == 0);
	CHECK(inbox.bytes == rows[0].size && inbox.uid_next == 2);
	CHECK(inbox.modseq == f.result.change);
	fixture_close(&f);
}

CONFORMANCE(an_append_is_refused_for_its_faults)
{
	struct fixture f;
	static char long_trace[TRACE_BYTES_MAX + 1];
	struct str word = {long_trace, KEYWORD_BYTES_MAX + 1};
	struct store_op op = op_append_of(MAILBOX_INBOX, "x");

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_append_of(99, "x")) == STORE_ABSENT);
	CHECK(fixture_do(&f, 1, op_append_of(UINT64_MAX, "x")) == STORE_ABSENT);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "")) == STORE_INVALID);
	op.append.trace = (struct str){long_trace, sizeof long_trace};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op = op_append_of(MAILBOX_INBOX, "x");
	op.append.keywords = (struct keywords){&word, 1};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op = op_append_of(MAILBOX_INBOX, "x");
	op.append.flags = 32;
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op = op_mailbox_of("box", 0);
	op.mailbox.is_container = true;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_append_of(fixture_first(&f)->mailbox, "x")) ==
	      STORE_CONFLICT);
	op = op_append_of(MAILBOX_INBOX, "");
	op.append.body.from_account = 1;
	op.append.body.from_message = 12345;
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 0);
	fixture_close(&f);
}

CONFORMANCE(a_commit_happens_whole_or_not_at_all)
{
	struct fixture f;
	struct store_op ops[] = {op_append_of(MAILBOX_INBOX, "one"),
				 op_mailbox_of("box", 0), op_append_of(99, "two")};
	struct mailbox_row *rows;
	size_t count;

	put_messages(&f, 1);
	CHECK(fixture_commit(&f, 1, "", ops, 3) == STORE_ABSENT);
	CHECK(f.result.failed_op == 2);
	CHECK(storage_mailboxes(f.storage, 1, &f.arena, &rows, &count) == STORE_OK);
	CHECK(count == 1 && rows[0].exists == 1 && rows[0].uid_next == 2);
	ops[2] = op_append_of(MAILBOX_INBOX, "two");
	CHECK(fixture_commit(&f, 1, "", ops, 3) == STORE_OK);
	CHECK(f.result.count == 3 && f.result.ops[2].uid == 3);
	CHECK_STR(fixture_body(&f, 1, f.result.ops[2].message), STR("two"));
	CHECK(storage_mailboxes(f.storage, 1, &f.arena, &rows, &count) == STORE_OK);
	CHECK(count == 2 && rows[0].exists == 3);
	fixture_close(&f);
}

CONFORMANCE(one_refusal_does_not_touch_the_rest_of_the_group)
{
	struct fixture f;
	struct store_op good = op_append_of(MAILBOX_INBOX, "good");
	struct store_op bad[] = {op_append_of(MAILBOX_INBOX, "bad"),
				 op_append_of(99, "bad")};
	struct store_commit commits[] = {{.account = 1, .ops = &good, .count = 1},
					 {.account = 1, .ops = bad, .count = 2},
					 {.account = 7, .ops = &good, .count = 1},
					 {.account = 1, .ops = &good, .count = 1}};
	struct storage_commit group[4];

	fixture_open(&f, FIXTURE_USUAL);
	for (size_t i = 0; i < 4; i++)
		group[i] =
			(struct storage_commit){.commit = &commits[i], .arena = &f.arena};
	storage_commit_group(f.storage, group, 4);
	storage_index_commit(f.storage);
	CHECK(group[0].outcome == STORE_OK && group[0].result.ops[0].uid == 1);
	CHECK(group[1].outcome == STORE_ABSENT && group[2].outcome == STORE_ABSENT);
	CHECK(group[3].outcome == STORE_OK && group[3].result.ops[0].uid == 2);
	CHECK_STR(fixture_body(&f, 1, group[3].result.ops[0].message), STR("good"));
	struct mailbox_row inbox = fixture_mailbox(&f, 1, MAILBOX_INBOX);

	CHECK(inbox.exists == 2 && inbox.uid_next == 3);
	fixture_close(&f);
}

CONFORMANCE(the_same_key_gives_the_first_result)
{
	struct fixture f;
	struct store_op op = op_append_of(MAILBOX_INBOX, "x");
	struct store_op forget = {.kind = OP_KEY_FORGET, .key_forget = STR("k")};
	struct store_commit timed = {.account = 1,
				     .key = STR("t"),
				     .key_minute = 1000,
				     .ops = &op,
				     .count = 1};
	struct storage_commit one = {.commit = &timed, .arena = &f.arena};

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_commit(&f, 1, "k", &op, 1) == STORE_OK && !f.result.is_repeat);
	struct op_result first = *fixture_first(&f);
	uint64_t change = f.result.change;

	fixture_fill(&f, 1);
	CHECK(fixture_commit(&f, 1, "k", &op, 1) == STORE_OK && f.result.is_repeat);
	CHECK(f.result.change == change && f.result.count == 1);
	CHECK(fixture_first(&f)->uid == first.uid &&
	      fixture_first(&f)->message == first.message &&
	      fixture_first(&f)->uid_validity == first.uid_validity);
	CHECK(fixture_do(&f, 1, forget) == STORE_OK);
	CHECK(fixture_commit(&f, 1, "k", &op, 1) == STORE_OK && !f.result.is_repeat);
	storage_commit_group(f.storage, &one, 1);
	CHECK(one.outcome == STORE_OK && !one.result.is_repeat);
	storage_commit_group(f.storage, &one, 1);
	CHECK(one.outcome == STORE_OK && one.result.is_repeat);
	fixture_maintain(&f, (1000 + 60) * 60);
	storage_commit_group(f.storage, &one, 1);
	CHECK(one.result.is_repeat);
	fixture_maintain(&f, (1000 + 61) * 60);
	storage_commit_group(f.storage, &one, 1);
	CHECK(one.outcome == STORE_OK && !one.result.is_repeat);
	fixture_close(&f);
}

CONFORMANCE(flags_change_only_what_differs_and_was_not_changed_since)
{
	struct fixture f;
	struct uid_range range;
	struct message_row *rows;
	struct str words[] = {STR("one"), STR("two")};

	put_messages(&f, 5);
	struct store_op op = flags_op(&range, 2, 9, FLAGS_ADD, FLAG_SEEN);

	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->uids.count == 1);
	CHECK(fixture_first(&f)->uids.ranges[0].first == 2 &&
	      fixture_first(&f)->uids.ranges[0].last == 5);
	uint64_t change = f.result.change;

	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).unseen == 1);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->uids.count == 0 && f.result.change == change);
	op = flags_op(&range, 1, 5, FLAGS_SET, FLAG_DELETED);
	op.flags.keywords = (struct keywords){words, 2};
	op.flags.unchanged_since = change - 1;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->uids.count == 1 &&
	      fixture_first(&f)->refused.count == 1);
	CHECK(fixture_first(&f)->refused.ranges[0].first == 2);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 5);
	CHECK(rows[0].flags == FLAG_DELETED && rows[0].keywords.count == 2);
	CHECK(rows[0].modseq == f.result.change && rows[1].modseq == change);
	struct mailbox_row inbox = fixture_mailbox(&f, 1, MAILBOX_INBOX);

	CHECK(inbox.unseen == 1 && inbox.deleted == 1 && inbox.exists == 5);
	op = flags_op(&range, 1, 1, FLAGS_REMOVE, FLAG_DELETED);
	op.flags.keywords = (struct keywords){&words[0], 1};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 5);
	CHECK(rows[0].flags == 0 && rows[0].keywords.count == 1);
	CHECK_STR(rows[0].keywords.words[0], STR("two"));
	range = (struct uid_range){3, 2};
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	fixture_close(&f);
}

CONFORMANCE(a_copy_shares_the_message_and_a_move_takes_it_along)
{
	struct fixture f;
	struct uid_range range;
	struct message_row *from, *to;

	put_messages(&f, 4);
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	uint64_t box = fixture_first(&f)->mailbox;
	struct store_op op = {.kind = OP_COPY,
			      .copy = {.mailbox = MAILBOX_INBOX,
				       .to_mailbox = box,
				       .uids = uids_of(&range, 2, 3)}};

	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->to_uids.ranges[0].first == 1 &&
	      fixture_first(&f)->to_uids.ranges[0].last == 2);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &from) == 4);
	CHECK(fixture_rows(&f, 1, box, &to) == 2);
	CHECK(to[0].message == from[1].message && to[0].member != from[1].member);
	op.kind = OP_MOVE;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->uids.ranges[0].last == 3);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &from) == 2);
	CHECK(fixture_rows(&f, 1, box, &to) == 4);
	CHECK(to[2].message == to[0].message && to[2].uid == 3);
	CHECK_STR(fixture_body(&f, 1, to[3].message), STR("body 3"));
	CHECK(fixture_mailbox(&f, 1, box).exists == 4);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 2);
	/* The body goes with the last membership. */
	uint64_t message = to[0].message;
	op = (struct store_op){
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = box, .uids = uids_of(&range, 1, 1)}};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK_STR(fixture_body(&f, 1, message), STR("body 2"));
	range = (struct uid_range){3, 3};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_body(&f, 1, message).len == 0);
	op = (struct store_op){.kind = OP_COPY,
			       .copy = {.mailbox = box,
					.to_mailbox = 99,
					.uids = uids_of(&range, 1, 9)}};
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	fixture_close(&f);
}

CONFORMANCE(an_expunge_removes_what_it_says)
{
	struct fixture f;
	struct uid_range range;
	struct message_row *rows;
	struct store_stats stats;
	struct store_op op = {
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = MAILBOX_INBOX, .only_deleted = true}};

	put_messages(&f, 5);
	fixture_keep(&f, 1, "0");
	CHECK(fixture_do(&f, 1, flags_op(&range, 2, 3, FLAGS_SET, FLAG_DELETED)) ==
	      STORE_OK);
	op.expunge.uids = uids_of(&range, 3, 9);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_first(&f)->uids.count == 1 &&
	      fixture_first(&f)->uids.ranges[0].first == 3 &&
	      fixture_first(&f)->uids.ranges[0].last == 3);
	op.expunge.uids.count = 0;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_rows(&f, 1, MAILBOX_INBOX, &rows) == 3);
	struct mailbox_row inbox = fixture_mailbox(&f, 1, MAILBOX_INBOX);

	CHECK(inbox.exists == 3 && inbox.deleted == 0 && inbox.unseen == 3);
	CHECK(inbox.uid_next == 6);
	op.expunge.only_deleted = false;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK);
	CHECK(stats.messages == 0 && stats.body_bytes == 0 && stats.accounts == 1);
	inbox = fixture_mailbox(&f, 1, MAILBOX_INBOX);
	CHECK(inbox.bytes == 0 && inbox.exists == 0);
	fixture_fill(&f, 1);
	CHECK(fixture_first(&f)->uid == 6);
	fixture_close(&f);
}

CONFORMANCE(a_body_can_be_shared_between_accounts)
{
	struct fixture f;
	struct uid_range range;
	struct message_row *rows;
	struct store_stats stats;
	struct store_op op = {.kind = OP_ACCOUNT_CREATE};

	put_messages(&f, 1);
	uint64_t message = fixture_first(&f)->message;

	CHECK(fixture_do(&f, 2, op) == STORE_OK);
	fixture_keep(&f, 1, "0");
	fixture_keep(&f, 2, "0");
	op = op_append_of(MAILBOX_INBOX, "");
	op.append.digest = STR("");
	op.append.trace = STR("Delivered-To: b\r\n");
	op.append.body.from_account = 1;
	op.append.body.from_message = message;
	CHECK(fixture_do(&f, 2, op) == STORE_OK);
	CHECK(fixture_rows(&f, 2, MAILBOX_INBOX, &rows) == 1);
	CHECK_STR(rows[0].digest, STR("a digest"));
	CHECK_STR(rows[0].trace, STR("Delivered-To: b\r\n"));
	CHECK(rows[0].size == op.append.trace.len + 6);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.body_bytes == 6);
	op = (struct store_op){
		.kind = OP_EXPUNGE,
		.expunge = {.mailbox = MAILBOX_INBOX, .uids = uids_of(&range, 1, 1)}};
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK_STR(fixture_body(&f, 2, rows[0].message), STR("body 1"));
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.body_bytes == 6);
	CHECK(fixture_do(&f, 2, op) == STORE_OK);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.body_bytes == 0);
	fixture_close(&f);
}

CONFORMANCE(a_quota_is_kept)
{
	struct fixture f;
	struct uid_range range;
	struct account_summary summary;
	struct store_op op = {.kind = OP_KV_PUT,
			      .kv = {.key = STR(STORE_KV_QUOTA), .value = STR("3 0")}};

	put_messages(&f, 2);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(storage_summary(f.storage, 1, &summary) == STORE_OK);
	CHECK(summary.messages == 2 && summary.messages_max == 3 && summary.bytes > 50);
	struct store_op copy = {.kind = OP_COPY,
				.copy = {.mailbox = MAILBOX_INBOX,
					 .to_mailbox = MAILBOX_INBOX,
					 .uids = uids_of(&range, 1, 2)}};

	CHECK(fixture_do(&f, 1, copy) == STORE_OVER_QUOTA);
	fixture_fill(&f, 1);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "x")) == STORE_OVER_QUOTA);
	op.kv.value = STR("0 100");
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, 1, copy) == STORE_OVER_QUOTA);
	CHECK(fixture_do(&f, 1, op_append_of(MAILBOX_INBOX, "x")) == STORE_OVER_QUOTA);
	op.kv.value = STR("much");
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op.kind = OP_KV_DELETE;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, 1, copy) == STORE_OK);
	fixture_close(&f);
}

CONFORMANCE(mailboxes_form_a_tree)
{
	struct fixture f;
	struct mailbox_row *rows;
	size_t count;

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_mailbox_of("b", 0)) == STORE_OK);
	uint64_t b = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, op_mailbox_of("z", b)) == STORE_OK);
	uint64_t z = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, op_mailbox_of("a", z)) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_mailbox_of("c", b)) == STORE_OK);
	CHECK(fixture_do(&f, 1, op_mailbox_of("A", 0)) == STORE_OK);
	CHECK(storage_mailboxes(f.storage, 1, &f.arena, &rows, &count) == STORE_OK);
	struct str names[] = {STR("A"), STR("INBOX"), STR("b"),
			      STR("c"), STR("z"),     STR("a")};

	CHECK(count == 6);
	for (size_t i = 0; i < count && i < 6; i++)
		CHECK_STR(rows[i].name, names[i]);
	CHECK(fixture_do(&f, 1, op_mailbox_of("c", b)) == STORE_CONFLICT);
	CHECK(fixture_do(&f, 1, op_mailbox_of("inBox", 0)) == STORE_CONFLICT);
	CHECK(fixture_do(&f, 1, op_mailbox_of("x/y", 0)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, op_mailbox_of("", 0)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, op_mailbox_of("\xff", 0)) == STORE_INVALID);
	CHECK(fixture_do(&f, 1, op_mailbox_of("x", 4711)) == STORE_ABSENT);
	struct store_op op = op_mailbox_of("x", z);

	op.kind = OP_MAILBOX_RENAME;
	op.mailbox.mailbox = b;
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT); /* under itself */
	op.mailbox.mailbox = z;
	op.mailbox.parent = b;
	op.mailbox.name = STR("c");
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT); /* a sibling has it */
	op.mailbox.parent = 0;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, z).parent == 0);
	op.mailbox.mailbox = MAILBOX_INBOX;
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	CHECK(storage_mailboxes(f.storage, 1, &f.arena, &rows, &count) == STORE_OK);
	CHECK(count == 6 && rows[4].id == z);
	fixture_close(&f);
}

CONFORMANCE(a_mailbox_has_roles_and_depth_within_bounds)
{
	struct fixture f;
	uint64_t parent = 0;
	struct store_op op = op_mailbox_of("Sent", 0);

	fixture_open(&f, FIXTURE_USUAL);
	op.mailbox.role = ROLE_SENT;
	op.mailbox.is_subscribed = true;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	uint64_t sent = fixture_first(&f)->mailbox;

	CHECK(fixture_mailbox(&f, 1, sent).is_subscribed);
	op.mailbox.name = STR("Sent 2");
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT);
	op.mailbox.role = ROLE_INBOX;
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op.kind = OP_MAILBOX_SUBSCRIBE;
	op.mailbox.mailbox = sent;
	op.mailbox.is_subscribed = false;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(!fixture_mailbox(&f, 1, sent).is_subscribed);
	for (unsigned i = 0; i < MAILBOX_DEPTH_MAX; i++) {
		CHECK(fixture_do(&f, 1, op_mailbox_of("d", parent)) == STORE_OK);
		parent = fixture_first(&f)->mailbox;
	}
	CHECK(fixture_do(&f, 1, op_mailbox_of("d", parent)) == STORE_INVALID);
	op = op_mailbox_of("x", sent);
	op.kind = OP_MAILBOX_RENAME;
	op.mailbox.mailbox = 0;
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	fixture_close(&f);
}

static bool is_gone_name(struct fixture *f, const char *path)
{
	struct pair_key key;
	struct str value;

	return storage_kv_get(f->storage, 1, pair_gone(&key, str_c(path)), &f->arena,
			      &value) == STORE_OK &&
	       str_same(value, str_c(path));
}

static uint64_t make_subscribed(struct fixture *f, const char *name, uint64_t parent)
{
	struct store_op op = op_mailbox_of(name, parent);

	op.mailbox.is_subscribed = true;
	CHECK(fixture_do(f, 1, op) == STORE_OK);
	return fixture_first(f)->mailbox;
}

static enum store_outcome delete_mailbox(struct fixture *f, uint64_t mailbox)
{
	return fixture_do(f, 1,
			  (struct store_op){.kind = OP_MAILBOX_DELETE,
					    .mailbox = {.mailbox = mailbox}});
}

CONFORMANCE(a_name_stays_subscribed_when_its_mailbox_goes)
{
	struct fixture f;
	struct store_op op;

	fixture_open(&f, FIXTURE_USUAL);
	uint64_t top = make_subscribed(&f, "a", 0);
	uint64_t leaf = make_subscribed(&f, "b", top);

	CHECK(delete_mailbox(&f, leaf) == STORE_OK && is_gone_name(&f, "a/b"));
	CHECK(!is_gone_name(&f, "a"));
	/* Made again, by whomever, it is subscribed again. */
	CHECK(fixture_do(&f, 1, op_mailbox_of("b", top)) == STORE_OK);
	leaf = fixture_first(&f)->mailbox;
	CHECK(fixture_mailbox(&f, 1, leaf).is_subscribed && !is_gone_name(&f, "a/b"));
	CHECK(delete_mailbox(&f, leaf) == STORE_OK && is_gone_name(&f, "a/b"));
	/* So is one that gets the name, and it takes it along. */
	CHECK(fixture_do(&f, 1, op_mailbox_of("c", top)) == STORE_OK);
	op = op_mailbox_of("b", top);
	op.kind = OP_MAILBOX_RENAME;
	op.mailbox.mailbox = leaf = fixture_first(&f)->mailbox;
	CHECK(!fixture_mailbox(&f, 1, leaf).is_subscribed);
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, leaf).is_subscribed && !is_gone_name(&f, "a/b"));
	op.mailbox.name = STR("d");
	CHECK(fixture_do(&f, 1, op) == STORE_OK && !is_gone_name(&f, "a/b"));
	CHECK(fixture_mailbox(&f, 1, leaf).is_subscribed);
	/* What nobody subscribed to leaves nothing. */
	CHECK(fixture_do(&f, 1, op_mailbox_of("e", 0)) == STORE_OK);
	CHECK(delete_mailbox(&f, fixture_first(&f)->mailbox) == STORE_OK);
	CHECK(!is_gone_name(&f, "e"));
	fixture_close(&f);
}

CONFORMANCE(so_many_names_stay_subscribed_and_no_more)
{
	struct fixture f;
	struct kv_row *rows;
	size_t count;

	fixture_open(&f, FIXTURE_USUAL);
	for (unsigned i = 0; i < SUBSCRIBED_GONE_MAX + 2; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "m%u", i);
		CHECK(delete_mailbox(&f, make_subscribed(&f, name, 0)) == STORE_OK);
	}
	CHECK(storage_kv_scan(f.storage, 1, PAIR_GONE, STR(""), 2 * SUBSCRIBED_GONE_MAX,
			      &f.arena, &rows, &count) == STORE_OK);
	CHECK(count == SUBSCRIBED_GONE_MAX && is_gone_name(&f, "m0"));
	fixture_close(&f);
}

CONFORMANCE(junk_goes_where_the_account_has_it_and_else_to_the_inbox)
{
	struct fixture f;
	struct store_op create = op_mailbox_of("Spam", 0);
	struct store_op suspect = op_append_of(MAILBOX_JUNK, "suspect");

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, suspect) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 1);
	create.mailbox.role = ROLE_JUNK;
	CHECK(fixture_do(&f, 1, create) == STORE_OK);
	uint64_t junk = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, suspect) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 1);
	CHECK(fixture_mailbox(&f, 1, junk).exists == 1);
	fixture_close(&f);
}

/* Into which mailbox a message with that path goes. */
static uint64_t goes_to(struct fixture *f, const char *path)
{
	struct store_op op = op_append_of(MAILBOX_NAMED, "text");

	op.append.path = str_c(path);
	return fixture_do(f, 1, op) == STORE_OK ? fixture_first(f)->mailbox : 0;
}

CONFORMANCE(a_message_goes_where_a_name_leads_and_else_to_the_inbox)
{
	struct fixture f;
	struct store_op box = op_mailbox_of("box", 0);

	fixture_open(&f, FIXTURE_USUAL);
	CHECK(fixture_do(&f, 1, op_mailbox_of("list", 0)) == STORE_OK);
	uint64_t list = fixture_first(&f)->mailbox;

	CHECK(fixture_do(&f, 1, op_mailbox_of("c", list)) == STORE_OK);
	uint64_t below = fixture_first(&f)->mailbox;

	box.mailbox.is_container = true;
	CHECK(fixture_do(&f, 1, box) == STORE_OK);
	CHECK(goes_to(&f, "list") == list);
	CHECK(goes_to(&f, "list/c") == below);
	CHECK(goes_to(&f, "inbox") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "c") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "list/inbox") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "list//c") == MAILBOX_INBOX);
	CHECK(goes_to(&f, "box") == MAILBOX_INBOX); /* holds no messages */
	fixture_close(&f);
}

CONFORMANCE(who_has_a_script_gets_nothing_that_it_was_not_asked_about)
{
	struct fixture f;
	struct store_op op = op_append_of(MAILBOX_INBOX, "text");
	struct store_op put = {.kind = OP_KV_PUT};

	fixture_open(&f, FIXTURE_USUAL);
	op.append.unless_sieve = true;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	put.kv = (struct op_kv){.key = STR(STORE_KV_SIEVE), .value = STR("keep;")};
	CHECK(fixture_do(&f, 1, put) == STORE_OK);
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT);
	op.append.unless_sieve = false;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_mailbox(&f, 1, MAILBOX_INBOX).exists == 2);
	fixture_close(&f);
}

CONFORMANCE(a_deleted_mailbox_is_gone_at_once_and_purged_later)
{
	struct fixture f;
	struct store_op op = {.kind = OP_MAILBOX_DELETE};
	struct mailbox_row row;
	struct store_stats stats;
	struct account_summary summary;

	fixture_open(&f, FIXTURE_USUAL);
	fixture_keep(&f, 1, "0");
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	uint64_t box = fixture_first(&f)->mailbox;
	uint32_t validity = fixture_first(&f)->uid_validity;

	CHECK(fixture_do(&f, 1, op_mailbox_of("child", box)) == STORE_OK);
	uint64_t child = fixture_first(&f)->mailbox;

	for (unsigned i = 0; i < 200; i++)
		CHECK(fixture_do(&f, 1, op_append_of(box, "0123456789")) == STORE_OK);
	op.mailbox.mailbox = MAILBOX_INBOX;
	CHECK(fixture_do(&f, 1, op) == STORE_INVALID);
	op.mailbox.mailbox = box;
	CHECK(fixture_do(&f, 1, op) == STORE_CONFLICT); /* it has a child */
	op.mailbox.mailbox = child;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	op.mailbox.mailbox = box;
	CHECK(fixture_do(&f, 1, op) == STORE_OK);
	CHECK(fixture_do(&f, 1, op) == STORE_ABSENT);
	CHECK(storage_mailbox(f.storage, 1, box, &f.arena, &row) == STORE_ABSENT);
	CHECK(storage_summary(f.storage, 1, &summary) == STORE_OK);
	CHECK(summary.messages == 0 && summary.bytes == 0);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.body_bytes == 2000);
	CHECK(fixture_do(&f, 1, op_mailbox_of("box", 0)) == STORE_OK);
	CHECK(fixture_first(&f)->mailbox != box &&
	      fixture_first(&f)->uid_validity > validity);
	fixture_maintain(&f, 0);
	CHECK(storage_stats(f.storage, &stats) == STORE_OK && stats.body_bytes == 0);
	fixture_close(&f);
}
