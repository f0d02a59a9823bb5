/* What every back end of the seam must do; written against storage/storage.h only. */
#include "storage/fixture.h"

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
