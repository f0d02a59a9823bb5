/* What channels bring along and what ends with them: grants, watches, locks, bounds. */
#include "rt/clock.h"
#include "rt/ipc.h"
#include "storaged/world.h"

static struct {
	account_t account;
	uint32_t generation;
} ended;

static void note_ended(account_t account, uint32_t generation)
{
	ended.account = account;
	ended.generation = generation;
}

static void grants_end(void)
{
	struct account_summary summary;
	struct buf bytes = BUF(GRANT_BYTES);
	struct grant old = {ANN, GRANT_ALL, DOOR_ID, 1, clock_s() + 3600, 1};
	struct grant elsewhere = {BOB, GRANT_ALL, DOOR_ID + 1, 1, clock_s() + 3600, 1};

	CHECK(store_summary(w.door, ANN, &summary) == STORE_DENIED);
	enter(w.door, ANN, 1);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK);
	CHECK(store_summary(w.door, BOB, &summary) == STORE_DENIED);
	store_reconnect(w.door, channel_to(GATE_DOOR, DOOR_ID));
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK);
	store_on_ended(w.door, note_ended);
	storaged_revoke(w.storaged, ANN, 2);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_DENIED);
	CHECK(ended.account == ANN && ended.generation == 2);
	ended.account = 0;
	store_reconnect(w.door, channel_to(GATE_DOOR, DOOR_ID));
	CHECK(store_summary(w.door, ANN, &summary) == STORE_DENIED);
	CHECK(ended.account == ANN && ended.generation == 2); /* if it was missed */
	grant_make(grant_key, &old, &bytes);
	CHECK(store_enter(w.door, ANN, buf_str(&bytes)) == STORE_DENIED);
	buf_reset(&bytes);
	grant_make(grant_key, &elsewhere, &bytes);
	CHECK(store_enter(w.door, BOB, buf_str(&bytes)) == STORE_DENIED);
	store_leave(w.door, ANN);
	enter(w.door, ANN, 2);
	enter(w.door, ANN, 2);
	store_leave(w.door, ANN);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK);
	store_leave(w.door, ANN);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_DENIED);
	buf_fini(&bytes);
}

TEST(a_grant_opens_its_account_until_it_ends)
{
	world_run(grants_end);
}

/* A store that replays for long before it listens, or waits for the vault. */
static void listens_late(void)
{
	struct account_summary summary;
	int fds[2];

	enter(w.door, ANN, 1);
	CHECK(ipc_pair(fds) == OK);
	clock_test_start(clock_us());
	store_reconnect(w.door, fds[0]);
	CHECK(task_sleep_ms(100 * 1000) == OK);
	storaged_add_channel(w.storaged, fds[1], GATE_DOOR, DOOR_ID);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK);
	clock_test_stop();
}

TEST(a_door_waits_for_a_store_that_listens_late)
{
	world_run(listens_late);
}

static void watches(void)
{
	struct store_watch first, second, queue;
	struct store_op op = append_op(STR("Subject: x\r\n\r\n"));
	struct queue_recipient to = {
		.kind = QUEUE_LOCAL, .address = STR("bob@example.org"), .account = BOB};
	struct store_op add = {.kind = OP_QUEUE_ADD};

	enter(w.door, ANN, 1);
	CHECK(store_watch_open(w.door, &first, BOB) == STORE_DENIED);
	CHECK(store_watch_open(w.door, &first, ANN) == STORE_OK);
	CHECK(store_watch_open(w.door, &second, ANN) == STORE_OK);
	CHECK(commit_one(w.deliverd, BOB, STR(""), op, NULL) == STORE_OK);
	CHECK(wait_on(&first.changed, deadline_ms(20)) == ERR_TIMEOUT);
	CHECK(commit_one(w.deliverd, ANN, STR(""), op, NULL) == STORE_OK);
	if (first.rings == 0)
		CHECK(wait_on(&first.changed, deadline_s(5)) == OK);
	CHECK(first.rings == 1 && second.rings == 1);
	struct store_op told = {.kind = OP_RECENT, .recent = {MAILBOX_INBOX, 2}};

	CHECK(commit_one(w.door, ANN, STR(""), told, NULL) == STORE_OK);
	CHECK(wait_on(&first.changed, deadline_ms(20)) == ERR_TIMEOUT);
	store_watch_close(&second);
	store_reconnect(w.door, channel_to(GATE_DOOR, DOOR_ID));
	CHECK(wait_on(&first.changed, deadline_s(5)) == OK); /* may have missed some */
	CHECK(commit_one(w.deliverd, ANN, STR(""), op, NULL) == STORE_OK);
	if (first.rings == 2)
		CHECK(wait_on(&first.changed, deadline_s(5)) == OK);
	store_watch_close(&first);
	store_leave(w.door, ANN);

	CHECK(store_watch_queue(w.deliverd, &queue, QUEUE_REMOTE) == STORE_DENIED);
	CHECK(store_watch_queue(w.deliverd, &queue, QUEUE_LOCAL) == STORE_OK);
	add.queue_add.body.raw = STR("Subject: y\r\n\r\n");
	add.queue_add.recipients = &to;
	add.queue_add.count = 1;
	CHECK(commit_one(w.deliverd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
	if (queue.rings == 0)
		CHECK(wait_on(&queue.changed, deadline_s(5)) == OK);
	store_watch_close(&queue);
}

TEST(watches_wake_when_their_account_changes)
{
	world_run(watches);
}

static void locks(void)
{
	struct store *other = store_open(channel_to(GATE_CTL, CTL_ID + 1));
	struct account_summary summary;

	enter(w.door, ANN, 1);
	CHECK(store_lock(w.door, ANN, STR("maildrop")) == STORE_OK);
	CHECK(store_lock(w.door, ANN, STR("maildrop")) == STORE_CONFLICT);
	CHECK(store_lock(other, ANN, STR("maildrop")) == STORE_CONFLICT);
	CHECK(store_lock(other, BOB, STR("maildrop")) == STORE_OK);
	store_reconnect(w.door, channel_to(GATE_DOOR, DOOR_ID));
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK); /* locked again */
	CHECK(store_lock(other, ANN, STR("maildrop")) == STORE_CONFLICT);
	store_unlock(w.door, ANN, STR("maildrop"));
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK); /* it has arrived */
	CHECK(store_lock(other, ANN, STR("maildrop")) == STORE_OK);
	store_close(&other); /* a lock ends with its channel */
	CHECK(task_sleep_ms(5) == OK);
	CHECK(store_lock(w.door, ANN, STR("maildrop")) == STORE_OK);
	store_unlock(w.door, ANN, STR("maildrop"));
	store_leave(w.door, ANN);
}

TEST(locks_exclude_and_end_with_their_channel)
{
	world_run(locks);
}

static void strangers_are_refused(void)
{
	int fds = channel_to(GATE_DOOR, DOOR_ID);
	struct ipc *ipc = ipc_open("stranger", fds, NULL, NULL, NULL);
	struct buf reply = BUF(1000);
	uint16_t type;

	CHECK(ipc_call(ipc, CALL_COMMIT, STR("rubbish"), -1, deadline_s(5), &type, &reply,
		       NULL) == OK);
	CHECK(type == REPLY_WHOLE && reply.len == 1 && reply.ptr[0] == STORE_INVALID);
	buf_reset(&reply);
	CHECK(ipc_call(ipc, 999, STR(""), -1, deadline_s(5), &type, &reply, NULL) == OK);
	CHECK(reply.len == 1 && reply.ptr[0] == STORE_INVALID);
	/* A piece beyond the end of what was staged. */
	struct store_request request = {.call = CALL_STAGE};
	struct buf body = BUF(1000);

	request.stage.id = 1;
	request.stage.offset = 5;
	request.stage.bytes = STR("x");
	store_enc_request(&body, &request);
	buf_reset(&reply);
	CHECK(ipc_call(ipc, CALL_STAGE, buf_str(&body), -1, deadline_s(5), &type, &reply,
		       NULL) == OK);
	CHECK(reply.len == 1 && reply.ptr[0] == STORE_INVALID);
	buf_fini(&body);
	buf_fini(&reply);
	ipc_close(&ipc);
}

TEST(rubbish_from_a_door_is_answered_invalid)
{
	world_run(strangers_are_refused);
}
