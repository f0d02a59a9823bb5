/* Local delivery over the real store: a mail queued is in each inbox once, whatever stops
 * in between. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"
#include "mda/mda.h"
#include "rt/clock.h"
#include "rt/ipc.h"
#include "rt/offload.h"
#include "storage/storage.h"
#include "storaged/storaged.h"

enum { FIRST = 10, ACCOUNTS = 5, ROW_LEASE_S = 120 };

static struct world {
	char folder[64], staging[80];
	struct storage *storage;
	struct storaged *storaged;
	struct store *smtpd, *ctl;
	struct arena arena;
	struct mda mda;
	size_t carriers;
	struct waiters carrier_ended;
	void (*test)(void);
} w;

enum { CARRIER_ID = 77 };

static int channel(enum gate_role role, uint64_t id)
{
	int fds[2];

	ASSERT(ipc_pair(fds) == OK);
	storaged_add_channel(w.storaged, fds[1], role, id);
	return fds[0];
}

static struct store *client(enum gate_role role)
{
	return store_open(channel(role, role));
}

static void world_task(void *arg)
{
	struct storage_options options = {.folder = w.folder,
					  .index_bytes_max = 256 << 20};
	struct storaged_options daemon = {.staging = w.staging};
	struct str why;

	(void)arg; /* there is one world */
	ASSERT(storage_open(&options, &w.arena, &w.storage, &why) == OK);
	daemon.storage = w.storage;
	w.storaged = storaged_open(&daemon);
	w.smtpd = client(GATE_SMTPD);
	w.ctl = client(GATE_CTL);
	w.mda = (struct mda){.store = w.smtpd, .wants_delivered_to = true, .parallel = 8};
	for (account_t account = FIRST; account < FIRST + ACCOUNTS; account++) {
		struct store_op op = {.kind = OP_ACCOUNT_CREATE};
		struct store_commit commit = {.account = account, .ops = &op, .count = 1};

		CHECK(store_commit(w.ctl, &commit, &w.arena, NULL) == STORE_OK);
	}
	w.test();
	store_close(&w.smtpd);
	store_close(&w.ctl);
	storaged_close(&w.storaged);
	storage_close(&w.storage);
	loop_stop();
}

static void folder_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (unlink(name) != 0)
			folder_remove(name);
	}
	if (dir)
		(void)closedir(dir);
	CHECK(rmdir(path) == 0);
}

static void world_run(void (*test)(void))
{
	w = (struct world){.folder = "/tmp/mda-test-XXXXXX", .test = test};
	ASSERT(mkdtemp(w.folder));
	(void)snprintf(w.staging, sizeof w.staging, "%s/staging", w.folder);
	arena_init(&w.arena, 64 << 20);
	clock_test_start((int64_t)1800000000 * 1000000);
	loop_init();
	ASSERT(task_start("test", world_task, NULL));
	loop_run();
	offload_fini();
	loop_fini();
	clock_test_stop();
	arena_fini(&w.arena);
	folder_remove(w.folder);
}

static void carrier(void *arg)
{
	mda_task(arg);
	w.carriers--;
	wake_all(&w.carrier_ended);
}

static uint64_t carrier_start(void)
{
	struct task *task = task_start("mda", carrier, &w.mda);

	ASSERT(task);
	w.carriers++;
	return task_id(task);
}

static void carrier_stop(uint64_t id)
{
	task_cancel(id);
	while (w.carriers > 0)
		CHECK(wait_on(&w.carrier_ended, NEVER) == OK);
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
	CHECK(store_commit(w.smtpd, &commit, &w.arena, NULL) == STORE_OK);
}

static size_t exists(account_t account)
{
	struct mailbox_row row = {0};

	CHECK(store_mailbox(w.ctl, account, MAILBOX_INBOX, &w.arena, &row) == STORE_OK);
	return row.exists;
}

static struct queue_row *waiting(size_t *count)
{
	struct queue_row *rows = NULL;

	CHECK(store_queue_list(w.ctl, 0, 0, 500, &w.arena, &rows, count) == STORE_OK);
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
	world_run(delivers);
}

/* As if its process died: its channel is gone, and nothing it says arrives any more. */
static void carrier_kill(uint64_t id)
{
	CHECK(close(channel(GATE_SMTPD, CARRIER_ID)) == 0);
	carrier_stop(id);
	CHECK(task_sleep_ms(2 * ROW_LEASE_S * 1000) == OK); /* what it tried has failed */
	store_close(&w.mda.store);
}

static void survives_kills(void)
{
	enum { ROUNDS = 60 };
	char id[16];

	for (int round = 0; round < ROUNDS; round++) {
		(void)snprintf(id, sizeof id, "Q%d", round);
		queue_mail(id);
		w.mda.store = store_open(channel(GATE_SMTPD, CARRIER_ID));
		uint64_t carrier_id = carrier_start();
		size_t before = exists(FIRST);

		/* Some rounds die as soon as a delivery is there, others sooner. */
		for (int i = 0; i < 200 && exists(FIRST) == before; i++)
			if (round % 3 == 0 && i > round / 4)
				break;
		carrier_kill(carrier_id);
	}
	w.mda.store = w.smtpd;
	uint64_t last = carrier_start();

	wait_until_empty();
	carrier_stop(last);
	for (account_t i = 0; i < ACCOUNTS; i++)
		CHECK(exists(FIRST + i) == ROUNDS);
}

TEST(a_carrier_killed_anywhere_delivers_exactly_once)
{
	world_run(survives_kills);
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
		CHECK(rows[0].due_at >= clock_s() + 290);
	}
	op.kind = OP_KV_DELETE;
	CHECK(store_commit(w.ctl, &commit, &w.arena, NULL) == STORE_OK);
	wait_until_empty();
	carrier_stop(id);
	CHECK(exists(FIRST) == 1 && exists(FIRST + 1) == 1);
}

TEST(mail_for_a_full_mailbox_waits_and_then_arrives)
{
	world_run(holds_over_quota);
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
	CHECK(store_commit(w.smtpd, &commit, &w.arena, &result) == STORE_OK);
	CHECK(result.is_repeat); /* while it might be tried again */
	CHECK(task_sleep_ms(120 * 1000) == OK);
	CHECK(store_commit(w.smtpd, &commit, &w.arena, &result) == STORE_OK);
	CHECK(!result.is_repeat);
	carrier_stop(id);
}

TEST(keys_of_settled_rows_are_forgotten_after_a_while)
{
	world_run(forgets_keys);
}
