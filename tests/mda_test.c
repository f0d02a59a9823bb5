/* Local delivery over the real store: a mail queued is in each inbox once, whatever stops
 * in between. */
#include <stdio.h>
#include <unistd.h>

#include "directory/directory.h"
#include "mda/mda.h"
#include "rt/clock.h"
#include "storaged/world.h"

enum { HOUR = 3600, DAY = 86400 };
enum { FIRST = 10, ACCOUNTS = 5, ROW_LEASE_S = 120, CARRIER_ID = 77 };

static struct carriers {
	struct mda mda;
	struct directory directory;
	size_t running;
	struct waiters ended;
	void (*test)(void);
} c;

static void carriers_test(void)
{
	c.directory = (struct directory){w.deliverd, STR("example.org")};
	c.mda = (struct mda){.store = w.deliverd,
			     .wants_delivered_to = true,
			     .parallel = 8,
			     .schedule = {300, 4 * HOUR, 5 * DAY, 4 * HOUR},
			     .reporter = {.store = w.deliverd,
					  .directory = &c.directory,
					  .hostname = STR("mx.example.org")}};
	for (account_t account = FIRST; account < FIRST + ACCOUNTS; account++)
		account_create(account);
	c.test();
}

static void carriers_run(void (*test)(void))
{
	c = (struct carriers){.test = test};
	clock_test_start((int64_t)1800000000 * 1000000);
	world_run(carriers_test);
	clock_test_stop();
}

static void carrier(void *arg)
{
	mda_task(arg);
	c.running--;
	wake_all(&c.ended);
}

static uint64_t carrier_start(void)
{
	struct task *task = task_start("mda", carrier, &c.mda);

	ASSERT(task);
	c.running++;
	return task_id(task);
}

static void carrier_stop(uint64_t id)
{
	task_cancel(id);
	while (c.running > 0)
		CHECK(wait_on(&c.ended, NEVER) == OK);
}

/* One mail to everybody. */
static void queue_mail(const char *id)
{
	struct queue_recipient to[ACCOUNTS];
	struct store_op op = {.kind = OP_QUEUE_ADD};
	struct store_commit commit = {.ops = &op, .count = 1};

	for (account_t i = 0; i < ACCOUNTS; i++)
		to[i] = (struct queue_recipient){.kind = QUEUE_LOCAL,
						 .address = STR("you@example.org"),
						 .account = FIRST + i};
	op.queue_add.sender = STR("joe@example.com");
	op.queue_add.id = str_c(id);
	op.queue_add.trace = STR("Received: from there\r\n");
	op.queue_add.body.raw = STR("Subject: to all\r\n\r\nHello.\r\n");
	op.queue_add.recipients = to;
	op.queue_add.count = ACCOUNTS;
	op.queue_add.received_at = clock_s();
	op.queue_add.due_at = clock_s();
	CHECK(store_commit(w.deliverd, &commit, &w.arena, NULL) == STORE_OK);
}

static struct queue_row *waiting(size_t *count)
{
	struct queue_row *rows = NULL;

	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &(struct queue_place){0},
			       500, &w.arena, &rows, count) == STORE_OK);
	return rows;
}

static void wait_until_empty(void)
{
	size_t count = 1;

	for (int i = 0; i < 1000 && count > 0; i++) {
		CHECK(task_sleep_ms(1000) == OK);
		(void)waiting(&count);
	}
	CHECK(count == 0);
}

static void delivers(void)
{
	uint64_t id = carrier_start();
	struct message_row *rows = NULL;
	uint32_t next_uid;
	size_t count = 0;

	queue_mail("QONE");
	wait_until_empty();
	carrier_stop(id);
	for (account_t i = 0; i < ACCOUNTS; i++)
		CHECK(exists(FIRST + i) == 1);
	CHECK(store_rows(w.ctl, FIRST, MAILBOX_INBOX, (struct uid_range){1, 9},
			 ROW_MESSAGE, &w.arena, &rows, &count, &next_uid) == STORE_OK);
	CHECK(count == 1);
	if (count == 1)
		CHECK_STR(rows[0].trace, STR("Return-Path: <joe@example.com>\r\n"
					     "Delivered-To: you@example.org\r\n"
					     "Received: from there\r\n"));
}

TEST(queued_mail_is_delivered_with_its_trace)
{
	carriers_run(delivers);
}

/* As if its process died: its channel is gone, and nothing it says arrives any more. */
static void carrier_kill(uint64_t id)
{
	CHECK(close(channel_to(GATE_DELIVERD, CARRIER_ID)) == 0);
	carrier_stop(id);
	CHECK(task_sleep_ms(2 * ROW_LEASE_S * 1000) == OK); /* what it tried has failed */
	store_close(&c.mda.store);
}

static void survives_kills(void)
{
	enum { ROUNDS = 60 };
	char id[16];

	for (int round = 0; round < ROUNDS; round++) {
		(void)snprintf(id, sizeof id, "Q%d", round);
		queue_mail(id);
		c.mda.store = store_open(channel_to(GATE_DELIVERD, CARRIER_ID));
		uint64_t carrier_id = carrier_start();
		size_t before = exists(FIRST);

		/* Some rounds die as soon as a delivery is there, others sooner. */
		for (int i = 0; i < 200 && exists(FIRST) == before; i++)
			if (round % 3 == 0 && i > round / 4)
				break;
		carrier_kill(carrier_id);
	}
	c.mda.store = w.deliverd;
	uint64_t last = carrier_start();

	wait_until_empty();
	carrier_stop(last);
	for (account_t i = 0; i < ACCOUNTS; i++)
		CHECK(exists(FIRST + i) == ROUNDS);
}

TEST(a_carrier_killed_anywhere_delivers_exactly_once)
{
	carriers_run(survives_kills);
}

static void holds_over_quota(void)
{
	struct store_op op = {.kind = OP_KV_PUT};
	struct store_commit commit = {.account = FIRST, .ops = &op, .count = 1};
	uint64_t id = carrier_start();
	size_t count = 0;

	op.kv.key = STR(STORE_KV_QUOTA);
	op.kv.value = STR("0 10");
	CHECK(store_commit(w.ctl, &commit, &w.arena, NULL) == STORE_OK);
	queue_mail("QFULL");
	CHECK(task_sleep_ms(5000) == OK);
	struct queue_row *rows = waiting(&count);

	CHECK(count == 1);
	if (count == 1) {
		CHECK(rows[0].recipient.account == FIRST && rows[0].tries == 1);
		CHECK_STR(rows[0].reason, STR("452 4.2.2 Mailbox full"));
		CHECK(rows[0].due_at >= clock_s() + 250);
	}
	op.kind = OP_KV_DELETE;
	CHECK(store_commit(w.ctl, &commit, &w.arena, NULL) == STORE_OK);
	wait_until_empty();
	carrier_stop(id);
	CHECK(exists(FIRST) == 1 && exists(FIRST + 1) == 1);
}

TEST(mail_for_a_full_mailbox_waits_and_then_arrives)
{
	carriers_run(holds_over_quota);
}

static void forgets_keys(void)
{
	struct store_op op = {.kind = OP_APPEND};
	struct store_commit commit = {.account = FIRST, .ops = &op, .count = 1};
	struct store_result result;
	char key[64];
	size_t count;

	queue_mail("QKEY");
	(void)snprintf(key, sizeof key, "0/%llu/QKEY",
		       (unsigned long long)waiting(&count)[0].row);
	uint64_t id = carrier_start();

	wait_until_empty();
	commit.key = str_c(key);
	op.append.mailbox = MAILBOX_INBOX;
	op.append.body.raw = STR("\r\n");
	CHECK(store_commit(w.deliverd, &commit, &w.arena, &result) == STORE_OK);
	CHECK(result.is_repeat); /* while it might be tried again */
	CHECK(task_sleep_ms(120 * 1000) == OK);
	CHECK(store_commit(w.deliverd, &commit, &w.arena, &result) == STORE_OK);
	CHECK(!result.is_repeat);
	carrier_stop(id);
}

TEST(keys_of_settled_rows_are_forgotten_after_a_while)
{
	carriers_run(forgets_keys);
}

/* ---- what senders hear ------------------------------------------------------------- */

/* Ann of this server, whose number is below FIRST. */
static account_t sender_create(void)
{
	struct directory directory = {w.ctl, STR("example.org")};
	account_t account = 0;

	CHECK(directory_add_domain(&directory, STR("example.org")) == STORE_OK);
	CHECK(directory_add_account(&directory, STR("ann@example.org"), DIRECTORY_PERSON,
				    &account) == STORE_OK);
	return account;
}

/* From Ann to the first two. */
static void queue_from(const char *sender, uint8_t notify, uint8_t ret,
		       struct queue_timing timing)
{
	struct queue_recipient to[2];
	struct store_op op = {.kind = OP_QUEUE_ADD};
	struct store_commit commit = {.ops = &op, .count = 1};

	for (account_t i = 0; i < 2; i++)
		to[i] = (struct queue_recipient){.kind = QUEUE_LOCAL,
						 .address = STR("you@example.org"),
						 .original = i ? STR("two@example.org")
							       : STR("one@example.org"),
						 .account = FIRST + i,
						 .notify = notify};
	op.queue_add = (struct op_queue_add){
		.sender = str_c(sender),
		.id = STR("QTOLD"),
		.trace = STR("Received: from there\r\n"),
		.body = {.raw = STR("Message-ID: <m1@example.org>\r\nSubject: to "
				    "all\r\n\r\nHello.\r\n")},
		.ret = ret,
		.timing = timing,
		.recipients = to,
		.count = 2,
		.received_at = clock_s(),
		.due_at = clock_s()};
	CHECK(store_commit(w.deliverd, &commit, &w.arena, NULL) == STORE_OK);
}

static void make_full(account_t account)
{
	struct store_op op = {.kind = OP_KV_PUT,
			      .kv = {STR(STORE_KV_QUOTA), STR("0 10"), false}};

	CHECK(commit_one(w.ctl, account, STR(""), op, NULL) == STORE_OK);
}

/* Whether the message with that UID in the account's INBOX says so. */
static bool inbox_says(account_t account, uint32_t uid, const char *text)
{
	struct buf body = BUF(1 << 20);
	struct message_row *rows;
	uint32_t next_uid;
	size_t count = 0;
	bool is_said = false;

	enter(w.door, account, 1);
	CHECK(store_rows(w.door, account, MAILBOX_INBOX, (struct uid_range){uid, uid},
			 ROW_MESSAGE, &w.arena, &rows, &count, &next_uid) == STORE_OK);
	if (count == 1 &&
	    store_body(w.door, account, MESSAGE_REF(rows[0].message), &body) == STORE_OK)
		is_said = str_find(buf_str(&body), str_c(text)) < body.len;
	buf_fini(&body);
	store_leave(w.door, account);
	return is_said;
}

static void sleep_s(uint64_t seconds)
{
	CHECK(task_sleep_ms(seconds * 1000) == OK);
}

static void tells_delay_and_failure(void)
{
	account_t ann = sender_create();
	uint64_t id = carrier_start();
	size_t count;

	make_full(FIRST);
	make_full(FIRST + 1);
	queue_from("ann@example.org", 0, 1, (struct queue_timing){0});
	sleep_s(4 * HOUR - 60);
	CHECK(exists(ann) == 0);
	sleep_s(120);
	CHECK(exists(ann) == 1); /* one report about both */
	CHECK(inbox_says(ann, 1, "Action: delayed\r\nStatus: 4.2.2\r\n"));
	CHECK(inbox_says(ann, 1, "rfc822; one@example.org\r\n"));
	CHECK(inbox_says(ann, 1, "rfc822; two@example.org\r\n"));
	CHECK(!inbox_says(ann, 1, "Hello."));
	sleep_s(5 * DAY - 5 * HOUR);
	CHECK(exists(ann) == 1 && waiting(&count) && count == 2);
	sleep_s(HOUR + 120);
	(void)waiting(&count);
	CHECK(exists(ann) == 2 && count == 0);
	CHECK(inbox_says(ann, 2, "Action: failed\r\nStatus: 4.2.2\r\n"));
	CHECK(inbox_says(ann, 2, "Hello.")); /* RET=FULL */
	CHECK(inbox_says(ann, 2, "In-Reply-To: <m1@example.org>\r\n"));
	CHECK(exists(FIRST) == 0);
	carrier_stop(id);
}

TEST(a_sender_hears_once_of_delay_and_of_failure)
{
	carriers_run(tells_delay_and_failure);
}

static void tells_success(void)
{
	account_t ann = sender_create();
	uint64_t id = carrier_start();

	queue_from("ann@example.org", 2, 1, (struct queue_timing){0});
	sleep_s(10);
	CHECK(exists(FIRST) == 1 && exists(FIRST + 1) == 1 && exists(ann) >= 1);
	CHECK(inbox_says(ann, 1, "Action: delivered\r\nStatus: 2.1.5\r\n"));
	CHECK(!inbox_says(ann, 1, "Hello."));
	carrier_stop(id);
}

/* RFC 3461 §6 */
TEST(a_sender_who_asks_hears_of_the_delivery)
{
	carriers_run(tells_success);
}

static void tells_nobody(void)
{
	account_t ann = sender_create();
	uint64_t id = carrier_start();
	size_t count;

	make_full(FIRST);
	make_full(FIRST + 1);
	queue_from("", 0, 1, (struct queue_timing){0});
	queue_from("ann@example.org", 1, 1, (struct queue_timing){0}); /* NEVER */
	queue_from("gone@example.org", 0, 1, (struct queue_timing){0});
	sleep_s(5 * DAY + 120);
	(void)waiting(&count);
	CHECK(exists(ann) == 0 && count == 0);
	c.mda.reporter.double_bounce = STR("ann@example.org");
	queue_from("", 0, 1, (struct queue_timing){0});
	queue_from("gone@example.org", 0, 1, (struct queue_timing){0});
	sleep_s(5 * DAY + 120);
	(void)waiting(&count);
	CHECK(exists(ann) == 2 && count == 0);
	CHECK(inbox_says(ann, 1, "To: <ann@example.org>\r\n"));
	carrier_stop(id);
}

TEST(a_failed_report_is_not_reported_but_to_whom_it_is_set)
{
	carriers_run(tells_nobody);
}

static void queue_mail_late(struct queue_timing timing)
{
	struct queue_recipient to = {.kind = QUEUE_LOCAL,
				     .address = STR("you@example.org"),
				     .account = FIRST + 2};
	struct store_op op = {.kind = OP_QUEUE_ADD};

	op.queue_add = (struct op_queue_add){.sender = STR("ann@example.org"),
					     .id = STR("QLATE"),
					     .body = {.raw = STR("Subject: x\r\n\r\n")},
					     .timing = timing,
					     .recipients = &to,
					     .count = 1,
					     .received_at = clock_s(),
					     .due_at = clock_s()};
	CHECK(commit_one(w.deliverd, ACCOUNT_SYSTEM, STR(""), op, NULL) == STORE_OK);
}

/* RFC 2852 §4.1.3 */
static void returns_late(void)
{
	account_t ann = sender_create();
	uint64_t id = carrier_start();
	struct queue_timing timing = {.deliver_by = clock_s() + 1000,
				      .modes = QUEUE_BY_RETURN};

	make_full(FIRST);
	make_full(FIRST + 1);
	queue_from("ann@example.org", 0, 0, timing);
	sleep_s(900);
	CHECK(exists(ann) == 0);
	sleep_s(200);
	CHECK(exists(ann) == 1);
	CHECK(inbox_says(ann, 1, "Status: 5.4.7\r\n"));
	CHECK(inbox_says(ann, 1, "Deliver-By-Date: "));
	/* And what is late already is not tried. */
	timing.deliver_by = clock_s() - 1;
	queue_mail_late(timing);
	sleep_s(10);
	CHECK(exists(ann) == 2 && exists(FIRST + 2) == 0);
	carrier_stop(id);
}

TEST(mail_that_is_late_goes_back)
{
	carriers_run(returns_late);
}

/* How often the account's mails tell of a recipient. */
static size_t told_of(account_t account)
{
	size_t told = 0, mails = exists(account);

	for (uint32_t uid = 1; uid <= mails; uid++) {
		bool one = inbox_says(account, uid, "rfc822; one@example.org");
		bool two = inbox_says(account, uid, "rfc822; two@example.org");

		CHECK(one || two);
		told += one + two;
	}
	return told;
}

/* A report that is killed with its carrier comes once all the same. */
static void reports_survive_kills(void)
{
	enum { ROUNDS = 40 };
	account_t ann = sender_create();
	size_t count;

	for (int round = 0; round < ROUNDS; round++) {
		queue_from("ann@example.org", 2, 0, (struct queue_timing){0});
		c.mda.store = store_open(channel_to(GATE_DELIVERD, CARRIER_ID));
		c.mda.reporter.store = c.mda.store;
		uint64_t carrier_id = carrier_start();

		for (int i = 0; i < round; i++)
			CHECK(task_sleep_ms(0) == OK);
		carrier_kill(carrier_id);
	}
	c.mda.store = c.mda.reporter.store = w.deliverd;
	uint64_t last = carrier_start();

	wait_until_empty();
	carrier_stop(last);
	(void)waiting(&count);
	CHECK(exists(FIRST) == ROUNDS && exists(FIRST + 1) == ROUNDS);
	CHECK(told_of(ann) == 2 * ROUNDS);
}

TEST(a_report_is_sent_once_whatever_is_killed)
{
	carriers_run(reports_survive_kills);
}
