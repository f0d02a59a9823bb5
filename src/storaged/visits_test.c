/* Visits: what one account sees and does in another's, and when that ends. */
#include "rt/clock.h"
#include "storaged/world.h"
#include "store/acl.h"

enum { CAROL = 9 };

static enum store_outcome share(account_t whom, uint64_t mailbox, uint32_t rights)
{
	struct store_op op = {
		.kind = OP_ACL,
		.acl = {mailbox, ACL_SET, {{ACL_ACCOUNT, false, whom}, rights}}};

	if (whom == 0)
		op.acl.entry.who.kind = ACL_ANYONE;
	return commit_one(w.ctl, ANN, STR(""), op, NULL);
}

static uint64_t mailbox_of(struct store *store, account_t account, const char *name,
			   uint64_t parent)
{
	struct store_op op = {.kind = OP_MAILBOX_CREATE};
	struct store_result result;

	op.mailbox.name = str_c(name);
	op.mailbox.parent = parent;
	CHECK(commit_one(store, account, STR(""), op, &result) == STORE_OK);
	return result.ops[0].mailbox;
}

static struct message_row row_at(account_t account, uint64_t mailbox, uint32_t uid)
{
	struct uid_range uids = {uid, uid};
	struct message_row *rows, none = {0};
	size_t count = 0;
	uint32_t next;

	if (store_rows(w.door, account, mailbox, uids, ROW_KEYWORDS | ROW_MESSAGE,
		       &w.arena, &rows, &count, &next) != STORE_OK)
		return none;
	return count == 1 ? rows[0] : none;
}

/* Three messages in Ann's INBOX; Bob is in. */
static account_t bob_visits(uint32_t rights)
{
	account_t visit = 0;

	enter(w.door, BOB, 1);
	CHECK(store_visit(w.door, BOB, ANN, &visit) == STORE_ABSENT);
	for (int i = 0; i < 3; i++)
		CHECK(commit_one(w.ctl, ANN, STR(""), append_op(STR("hello")), NULL) ==
		      STORE_OK);
	CHECK(share(BOB, MAILBOX_INBOX, rights) == STORE_OK);
	CHECK(store_visit(w.door, BOB, ANN, &visit) == STORE_OK);
	return visit;
}

static void sees_what_is_shared(void)
{
	account_t visit = bob_visits(ACL_LOOKUP | ACL_READ);
	uint64_t secret = mailbox_of(w.ctl, ANN, "Secret", 0);
	uint64_t below = mailbox_of(w.ctl, ANN, "Open", secret);
	struct mailbox_row *rows, row;
	size_t count;
	struct account_summary summary;

	CHECK(share(BOB, below, ACL_LOOKUP) == STORE_OK);
	(void)mailbox_of(w.ctl, ANN, "Private", 0);
	CHECK(store_mailboxes(w.door, visit, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 3);
	CHECK(rows[0].id == MAILBOX_INBOX && rows[0].exists == 3);
	CHECK(rows[0].rights == (ACL_LOOKUP | ACL_READ) && rows[0].role == ROLE_NONE);
	CHECK(rows[1].id == secret && rows[1].rights == 0 && rows[1].uid_next == 0);
	CHECK(rows[2].id == below && rows[2].rights == ACL_LOOKUP);
	CHECK(store_mailbox(w.door, visit, MAILBOX_INBOX, &w.arena, &row) == STORE_OK);
	CHECK(row.exists == 3 && row.unseen == 3 && row.change > 0);
	CHECK(row.recent == 0 && row.recent_from == 0); /* that is the owner's */
	CHECK(store_mailbox(w.door, visit, secret, &w.arena, &row) == STORE_ABSENT);
	CHECK(store_summary(w.door, visit, &summary) == STORE_OK); /* how far it is */
	CHECK(summary.change > 0 && summary.messages == 0 && summary.bytes == 0);
	CHECK(store_mailboxes(w.door, ANN, &w.arena, &rows, &count) == STORE_DENIED);
	/* The body goes with its place. */
	struct message_row message = row_at(visit, MAILBOX_INBOX, 2);
	struct buf body = BUF(100);

	CHECK(store_body(w.door, visit,
			 (struct message_ref){message.message, MAILBOX_INBOX, 2},
			 &body) == STORE_OK);
	CHECK_STR(buf_str(&body), STR("hello"));
	CHECK(store_body(w.door, visit, MESSAGE_REF(message.message), &body) ==
	      STORE_ABSENT);
	CHECK(store_body(w.door, visit,
			 (struct message_ref){message.message, MAILBOX_INBOX, 1},
			 &body) == STORE_ABSENT);
	CHECK(store_body(w.door, visit, (struct message_ref){message.message, secret, 2},
			 &body) == STORE_ABSENT);
	buf_fini(&body);
	store_visit_end(w.door, visit);
	CHECK(store_mailboxes(w.door, visit, &w.arena, &rows, &count) == STORE_DENIED);
}

TEST(a_visitor_sees_what_is_shared_and_no_more)
{
	world_run(sees_what_is_shared);
}

static enum store_outcome flag(account_t account, enum flags_mode mode, uint8_t flags)
{
	struct uid_range two = {2, 2};
	struct store_op op = {.kind = OP_FLAGS};

	op.flags = (struct op_flags){.mailbox = MAILBOX_INBOX,
				     .uids = {&two, 1},
				     .mode = mode,
				     .flags = flags,
				     .unchanged_since = UINT64_MAX};
	return commit_one(w.door, account, STR(""), op, NULL);
}

static void has_seen_of_his_own(void)
{
	account_t visit = bob_visits(ACL_LOOKUP | ACL_READ | ACL_SEEN), other;
	struct mailbox_row row;

	enter(w.door, ANN, 1);
	account_create(CAROL);
	enter(w.door, CAROL, 1);
	CHECK(share(CAROL, MAILBOX_INBOX, ACL_LOOKUP | ACL_READ | ACL_SEEN) == STORE_OK);
	CHECK(store_visit(w.door, CAROL, ANN, &other) == STORE_OK);
	CHECK(flag(visit, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED) == STORE_OK);
	CHECK(row_at(visit, MAILBOX_INBOX, 2).flags == FLAG_SEEN);
	CHECK(row_at(ANN, MAILBOX_INBOX, 2).flags == 0);
	CHECK(row_at(other, MAILBOX_INBOX, 2).flags == 0);
	CHECK(store_mailbox(w.door, visit, MAILBOX_INBOX, &w.arena, &row) == STORE_OK);
	CHECK(row.unseen == 2);
	CHECK(store_mailbox(w.door, other, MAILBOX_INBOX, &w.arena, &row) == STORE_OK);
	CHECK(row.unseen == 3);
	CHECK(flag(ANN, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED) == STORE_OK);
	CHECK(flag(visit, FLAGS_REMOVE, FLAG_SEEN) == STORE_OK);
	CHECK(row_at(ANN, MAILBOX_INBOX, 2).flags == (FLAG_SEEN | FLAG_FLAGGED));
	CHECK(row_at(visit, MAILBOX_INBOX, 2).flags == FLAG_FLAGGED);
	CHECK(flag(visit, FLAGS_ADD, FLAG_FLAGGED) == STORE_DENIED);
	store_visit_end(w.door, other);
	store_visit_end(w.door, visit);
}

TEST(what_a_visitor_has_seen_is_his_own)
{
	world_run(has_seen_of_his_own);
}

static void ends_at_once(void)
{
	account_t visit = bob_visits(ACL_RIGHTS), again;
	struct change_row *changes;
	struct mailbox_row *rows;
	size_t count;
	uint64_t upto;
	bool more;
	struct message_row message = row_at(visit, MAILBOX_INBOX, 1);
	struct message_ref ref = {message.message, MAILBOX_INBOX, 1};
	struct buf body = BUF(100);

	for (int i = 0; i < 20; i++) {
		CHECK(share(BOB, MAILBOX_INBOX, ACL_LOOKUP) == STORE_OK);
		CHECK(row_at(visit, MAILBOX_INBOX, 1).uid == 0);
		CHECK(store_body(w.door, visit, ref, &body) == STORE_DENIED);
		CHECK(store_changes(w.door, visit, MAILBOX_INBOX, 0, &w.arena, &changes,
				    &count, &upto, &more) == STORE_DENIED);
		CHECK(flag(visit, FLAGS_ADD, FLAG_FLAGGED) == STORE_DENIED);
		CHECK(commit_one(w.door, visit, STR(""), append_op(STR("x")), NULL) ==
		      STORE_DENIED);
		CHECK(share(BOB, MAILBOX_INBOX, ACL_RIGHTS) == STORE_OK);
		CHECK(row_at(visit, MAILBOX_INBOX, 1).uid == 1);
	}
	CHECK(share(BOB, MAILBOX_INBOX, 0) == STORE_OK);
	CHECK(store_mailboxes(w.door, visit, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 0);
	CHECK(store_body(w.door, visit, ref, &body) == STORE_ABSENT);
	CHECK(store_visit(w.door, BOB, ANN, &again) == STORE_ABSENT);
	/* With his own grant his visits end. */
	CHECK(share(BOB, MAILBOX_INBOX, ACL_RIGHTS) == STORE_OK);
	CHECK(store_mailboxes(w.door, visit, &w.arena, &rows, &count) == STORE_OK);
	storaged_revoke(w.storaged, BOB, 2);
	CHECK(store_mailboxes(w.door, visit, &w.arena, &rows, &count) == STORE_DENIED);
	store_visit_end(w.door, visit);
	buf_fini(&body);
}

TEST(a_right_that_is_taken_ends_at_once)
{
	world_run(ends_at_once);
}

static size_t pairs(account_t account, struct str prefix)
{
	struct kv_row *rows;
	size_t count;

	CHECK(store_kv_scan(w.ctl, account, prefix, STR(""), 100, &w.arena, &rows,
			    &count) == STORE_OK);
	return count;
}

static void hints_follow(void)
{
	uint64_t other = mailbox_of(w.ctl, ANN, "Other", 0);
	struct store_op put = {.kind = OP_KV_PUT, .kv.key = STR("from/00000007")};
	account_t visit;

	enter(w.door, BOB, 1);
	CHECK(share(99, MAILBOX_INBOX, ACL_READ) == STORE_ABSENT); /* no such account */
	CHECK(pairs(ANN, PAIR_ACLS) == 0);
	CHECK(share(BOB, MAILBOX_INBOX, ACL_READ) == STORE_OK);
	CHECK(share(BOB, other, ACL_READ) == STORE_OK && pairs(BOB, PAIR_FROM) == 1);
	CHECK(share(BOB, other, 0) == STORE_OK && pairs(BOB, PAIR_FROM) == 1);
	CHECK(share(BOB, MAILBOX_INBOX, 0) == STORE_OK && pairs(BOB, PAIR_FROM) == 0);
	CHECK(share(0, MAILBOX_INBOX, ACL_READ) == STORE_OK);
	CHECK(pairs(ACCOUNT_SYSTEM, PAIR_ANYONE) == 1);
	CHECK(store_visit(w.door, BOB, ANN, &visit) == STORE_OK);
	store_visit_end(w.door, visit);
	CHECK(share(0, MAILBOX_INBOX, 0) == STORE_OK);
	CHECK(pairs(ACCOUNT_SYSTEM, PAIR_ANYONE) == 0);
	/* Nobody makes one for himself. */
	CHECK(commit_one(w.door, BOB, STR(""), put, NULL) == STORE_DENIED);
	CHECK(store_visit(w.door, BOB, ANN, &visit) == STORE_ABSENT);
	CHECK(store_visit(w.door, BOB, BOB, &visit) == STORE_INVALID);
	CHECK(store_visit(w.door, ANN, BOB, &visit) == STORE_DENIED); /* no grant */
}

TEST(hints_are_there_as_long_as_there_is_a_right)
{
	world_run(hints_follow);
}

static void copies(void)
{
	account_t visit = bob_visits(ACL_LOOKUP | ACL_READ | ACL_INSERT);
	struct message_row from = row_at(visit, MAILBOX_INBOX, 3);
	struct store_op op = {.kind = OP_APPEND};
	struct store_result result;
	struct buf body = BUF(100);

	op.append.mailbox = MAILBOX_INBOX;
	op.append.flags = 31;
	op.append.body.from_account = visit;
	op.append.body.from_message = from.message;
	op.append.body.from_mailbox = MAILBOX_INBOX;
	op.append.body.from_uid = 3;
	CHECK(commit_one(w.door, BOB, STR(""), op, &result) == STORE_OK);
	CHECK(store_body(w.door, BOB, MESSAGE_REF(result.ops[0].message), &body) ==
	      STORE_OK);
	CHECK_STR(buf_str(&body), STR("hello"));
	CHECK(row_at(BOB, MAILBOX_INBOX, 1).flags == 31);
	/* And the other way, where he may set no flags. */
	op.append.body.from_account = BOB;
	op.append.body.from_message = result.ops[0].message;
	CHECK(commit_one(w.door, visit, STR(""), op, &result) == STORE_OK);
	CHECK(result.ops[0].uid == 4 && row_at(visit, MAILBOX_INBOX, 4).flags == 0);
	/* Not what he may not read, nor by another number. */
	op.append.body.from_account = ANN;
	op.append.body.from_message = from.message;
	CHECK(commit_one(w.door, BOB, STR(""), op, NULL) == STORE_DENIED);
	op.append.body.from_account = visit;
	op.append.body.from_message = from.message - 2;
	CHECK(commit_one(w.door, BOB, STR(""), op, NULL) == STORE_DENIED);
	op.append.body.from_message = from.message;
	CHECK(share(BOB, MAILBOX_INBOX, ACL_LOOKUP) == STORE_OK);
	CHECK(commit_one(w.door, BOB, STR(""), op, NULL) == STORE_DENIED);
	buf_fini(&body);
	store_visit_end(w.door, visit);
}

TEST(copies_between_accounts_need_the_right_to_read)
{
	world_run(copies);
}

static void keys_are_apart(void)
{
	account_t visit = bob_visits(ACL_LOOKUP | ACL_READ | ACL_INSERT);
	struct store_result result;

	CHECK(commit_one(w.door, visit, STR("QID/1"), append_op(STR("x")), &result) ==
	      STORE_OK);
	/* A mail of that queue id is delivered all the same. */
	CHECK(commit_one(w.deliverd, ANN, STR("QID/1"), append_op(STR("mail")),
			 &result) == STORE_OK);
	CHECK(!result.is_repeat && exists(ANN) == 5);
	CHECK(commit_one(w.door, visit, STR("QID/1"), append_op(STR("x")), &result) ==
	      STORE_OK);
	CHECK(result.is_repeat && exists(ANN) == 5);
	store_visit_end(w.door, visit);
}

TEST(a_visitors_keys_are_not_the_owners)
{
	world_run(keys_are_apart);
}

static void annotate(const char *key)
{
	struct store_op put = {.kind = OP_KV_PUT, .kv = {str_c(key), STR("x"), false}};

	CHECK(commit_one(w.ctl, ANN, STR(""), put, NULL) == STORE_OK);
}

/* Of all of Ann's mailboxes: what has happened since, by kinds. */
static size_t told(account_t account, uint64_t since, enum change_kind kind,
		   struct change_row *first)
{
	struct change_row *rows;
	size_t count = 0, found = 0;
	uint64_t upto;
	bool more;

	CHECK(store_changes(w.door, account, 0, since, &w.arena, &rows, &count, &upto,
			    &more) == STORE_OK);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].kind == kind && found++ == 0 && first)
			*first = rows[i];
	}
	return found;
}

static void hears_of_his_own(void)
{
	account_t visit = bob_visits(ACL_LOOKUP | ACL_READ);
	uint64_t secret = mailbox_of(w.ctl, ANN, "Secret", 0);
	struct store_op append = append_op(STR("hidden"));
	struct account_summary summary;
	struct change_row row = {0};

	CHECK(store_summary(w.door, visit, &summary) == STORE_OK);
	uint64_t since = summary.change;

	append.append.mailbox = secret;
	CHECK(commit_one(w.ctl, ANN, STR(""), append, NULL) == STORE_OK);
	annotate("meta/000000000001/s/comment");
	annotate("meta/000000000001/p/00000007/comment"); /* Ann's */
	annotate("meta/000000000001/p/00000008/comment"); /* Bob's */
	annotate("meta/000000000000/p/00000007/vendor/x");
	CHECK(told(visit, since, CHANGE_MESSAGE_NEW, NULL) == 0);
	CHECK(told(visit, since, CHANGE_ANNOTATION, &row) == 2);
	CHECK(row.mailbox == MAILBOX_INBOX);
	CHECK_STR(row.entry, STR("s/comment"));
	CHECK(commit_one(w.ctl, ANN, STR(""), append_op(STR("seen")), NULL) == STORE_OK);
	CHECK(told(visit, since, CHANGE_MESSAGE_NEW, &row) == 1);
	CHECK(row.mailbox == MAILBOX_INBOX && row.uids.first == 4);
	/* That there is another mailbox, but not which. */
	(void)mailbox_of(w.ctl, ANN, "Below", secret);
	CHECK(told(visit, since, CHANGE_MAILBOX, &row) == 1 && row.mailbox == 0);
	CHECK(share(BOB, MAILBOX_INBOX, ACL_LOOKUP) == STORE_OK);
	CHECK(told(visit, since, CHANGE_RIGHTS, &row) == 1);
	CHECK(row.mailbox == MAILBOX_INBOX);
	CHECK(told(visit, since, CHANGE_MESSAGE_NEW, NULL) == 0);
	CHECK(told(visit, since, CHANGE_ANNOTATION, NULL) == 0);
	store_visit_end(w.door, visit);
}

TEST(a_visitor_hears_of_what_he_may_read)
{
	world_run(hears_of_his_own);
}

/* Who is given the first right hears of it in his own account. */
static void hears_of_shares(void)
{
	struct account_summary summary;
	struct store_watch watch;
	account_t visit = bob_visits(ACL_LOOKUP | ACL_READ);

	CHECK(store_summary(w.door, BOB, &summary) == STORE_OK);
	CHECK(told(BOB, 0, CHANGE_SHARES, NULL) == 1);
	CHECK(store_watch_open(w.door, &watch, BOB) == STORE_OK);
	uint64_t rings = watch.rings;

	CHECK(share(BOB, MAILBOX_INBOX, 0) == STORE_OK);
	while (watch.rings == rings)
		CHECK(wait_on(&watch.changed, deadline_s(5)) == OK);
	CHECK(told(BOB, summary.change, CHANGE_SHARES, NULL) == 1);
	store_watch_close(&watch);
	store_visit_end(w.door, visit);
}

TEST(who_is_given_a_right_hears_of_it)
{
	world_run(hears_of_shares);
}

static void survives_restart(void)
{
	account_t visit = bob_visits(ACL_LOOKUP | ACL_READ);
	struct store_watch watch;

	CHECK(store_watch_open(w.door, &watch, visit) == STORE_OK);
	uint64_t rings = watch.rings;

	CHECK(commit_one(w.ctl, ANN, STR(""), append_op(STR("new")), NULL) == STORE_OK);
	while (watch.rings == rings)
		CHECK(wait_on(&watch.changed, deadline_s(5)) == OK);
	store_process_stop();
	store_process_start();
	store_reconnect(w.door, channel_to(GATE_DOOR, DOOR_ID));
	store_reconnect(w.ctl, channel_to(GATE_CTL, CTL_ID));
	CHECK(row_at(visit, MAILBOX_INBOX, 4).uid == 4);
	rings = watch.rings;
	CHECK(commit_one(w.ctl, ANN, STR(""), append_op(STR("new")), NULL) == STORE_OK);
	while (watch.rings == rings)
		CHECK(wait_on(&watch.changed, deadline_s(5)) == OK);
	store_watch_close(&watch);
	store_visit_end(w.door, visit);
}

TEST(visits_and_their_watches_outlive_the_store_process)
{
	world_run(survives_restart);
}
