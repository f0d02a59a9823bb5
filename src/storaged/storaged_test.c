#include "storaged/storaged.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "rt/clock.h"
#include "rt/fault.h"
#include "rt/ipc.h"
#include "rt/offload.h"
#include "storage/storage.h"
#include "store/store.h"

enum { DOOR_ID = 11, SMTPD_ID = 12, CTL_ID = 13, ANN = 7, BOB = 8 };

static const unsigned char grant_key[GRANT_KEY_BYTES] =
	"thirty-two octets of a grant key";

/* The store process and its doors, all in one loop. */
static struct world {
	char folder[64], staging[80];
	struct storage *storage;
	struct storaged *storaged;
	struct store *door, *smtpd, *ctl;
	struct arena arena;
	void (*test)(void);
} w;

static int channel_to(enum gate_role role, uint64_t id)
{
	int fds[2];

	CHECK(ipc_pair(fds) == OK);
	storaged_add_channel(w.storaged, fds[1], role, id);
	return fds[0];
}

static void store_process_start(void)
{
	struct storage_options options = {.folder = w.folder,
					  .index_bytes_max = 256 << 20};
	struct storaged_options daemon = {.staging = w.staging};
	struct str why;

	ASSERT(storage_open(&options, &w.arena, &w.storage, &why) == OK);
	daemon.storage = w.storage;
	w.storaged = storaged_open(&daemon);
	storaged_set_grant_key(w.storaged, grant_key);
}

static void store_process_stop(void)
{
	storaged_close(&w.storaged);
	storage_close(&w.storage);
}

static void enter(struct store *store, account_t account, uint32_t generation)
{
	struct buf bytes = BUF(GRANT_BYTES);
	struct grant grant = {account, GRANT_ALL,        DOOR_ID,
			      1,       clock_s() + 3600, generation};

	grant_make(grant_key, &grant, &bytes);
	CHECK(store_enter(store, account, buf_str(&bytes)) == STORE_OK);
	buf_fini(&bytes);
}

static enum store_outcome commit_one(struct store *store, account_t account,
				     struct str key, struct store_op op,
				     struct store_result *result)
{
	struct store_commit commit = {
		.account = account, .key = key, .ops = &op, .count = 1};

	if (key.len > 0)
		commit.key_minute = (uint32_t)(clock_s() / 60);
	return store_commit(store, &commit, &w.arena, result);
}

static struct store_op append_op(struct str raw)
{
	struct store_op op = {.kind = OP_APPEND};

	op.append.mailbox = MAILBOX_INBOX;
	op.append.body.raw = raw;
	op.append.received_at = 1000;
	return op;
}

static void account_create(account_t account)
{
	struct store_op op = {.kind = OP_ACCOUNT_CREATE};

	CHECK(commit_one(w.ctl, account, STR(""), op, NULL) == STORE_OK);
}

static size_t exists(account_t account)
{
	struct mailbox_row row = {0};

	CHECK(store_mailbox(w.ctl, account, MAILBOX_INBOX, &w.arena, &row) == STORE_OK);
	return row.exists;
}

static void world_task(void *arg)
{
	(void)arg; /* there is one world */
	store_process_start();
	w.door = store_open(channel_to(GATE_DOOR, DOOR_ID));
	w.smtpd = store_open(channel_to(GATE_SMTPD, SMTPD_ID));
	w.ctl = store_open(channel_to(GATE_CTL, CTL_ID));
	account_create(ANN);
	account_create(BOB);
	w.test();
	store_close(&w.door);
	store_close(&w.smtpd);
	store_close(&w.ctl);
	store_process_stop();
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
	w = (struct world){.folder = "/tmp/storaged-test-XXXXXX", .test = test};
	ASSERT(mkdtemp(w.folder));
	(void)snprintf(w.staging, sizeof w.staging, "%s/staging", w.folder);
	arena_init(&w.arena, 64 << 20);
	loop_init();
	ASSERT(task_start("test", world_task, NULL));
	loop_run();
	offload_fini();
	loop_fini();
	arena_fini(&w.arena);
	folder_remove(w.folder);
}

static void appends_and_reads(void)
{
	struct str raw = STR("Subject: hello\r\n\r\nWorld, world, world, world\r\n");
	struct store_result result;
	struct message_row *rows = NULL;
	struct mailbox_row *mailboxes = NULL;
	struct account_summary summary;
	struct change_row *changes;
	struct buf body = BUF(1000);
	uint32_t next_uid;
	uint64_t upto;
	size_t count = 0;
	bool more;
	struct store_op op = append_op(raw);

	op.append.trace = STR("Return-Path: <>\r\n");
	op.append.digest = STR("digest");
	enter(w.door, ANN, 1);
	CHECK(commit_one(w.door, ANN, STR(""), op, &result) == STORE_OK);
	CHECK(result.count == 1 && result.ops[0].uid == 1 && !result.is_repeat);
	CHECK(store_rows(w.door, ANN, MAILBOX_INBOX, (struct uid_range){1, UINT32_MAX},
			 ROW_MESSAGE | ROW_DIGEST | ROW_KEYWORDS, &w.arena, &rows, &count,
			 &next_uid) == STORE_OK);
	CHECK(count == 1 && next_uid == 0 && rows[0].uid == 1);
	CHECK(rows[0].size == raw.len + 17 && rows[0].received_at == 1000);
	CHECK_STR(rows[0].trace, STR("Return-Path: <>\r\n"));
	CHECK_STR(rows[0].digest, STR("digest"));
	CHECK(store_body(w.door, ANN, rows[0].message, &body) == STORE_OK);
	CHECK_STR(buf_str(&body), raw);
	body.max = body.len + 5; /* too small for another */
	CHECK(store_body(w.door, ANN, rows[0].message, &body) == STORE_INVALID);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_OK && summary.messages == 1);
	CHECK(store_mailboxes(w.door, ANN, &w.arena, &mailboxes, &count) == STORE_OK);
	CHECK(count == 1);
	CHECK_STR(mailboxes[0].name, STR("INBOX"));
	CHECK(store_changes(w.door, ANN, 0, 0, &w.arena, &changes, &count, &upto,
			    &more) == STORE_OK);
	CHECK(count > 0 && upto == summary.change && !more);
	buf_fini(&body);
	store_leave(w.door, ANN);
	CHECK(store_summary(w.door, ANN, &summary) == STORE_DENIED);
}

TEST(a_message_appended_is_read_back)
{
	world_run(appends_and_reads);
}

static void keeps_pairs(void)
{
	struct store_op op = {.kind = OP_KV_PUT};
	struct kv_row *rows;
	struct str value;
	size_t count;
	char key[16];

	for (int i = 0; i < 450; i++) {
		(void)snprintf(key, sizeof key, "d/k%03d", i);
		op.kv.key = str_c(key);
		op.kv.value = str_c(key + 2);
		CHECK(commit_one(w.ctl, 0, STR(""), op, NULL) == STORE_OK);
	}
	op.kv.only_if_absent = true;
	CHECK(commit_one(w.ctl, 0, STR(""), op, NULL) == STORE_CONFLICT);
	CHECK(store_kv_get(w.smtpd, 0, STR("d/k007"), &w.arena, &value) == STORE_OK);
	CHECK_STR(value, STR("k007"));
	CHECK(store_kv_get(w.smtpd, 0, STR("d/none"), &w.arena, &value) == STORE_ABSENT);
	CHECK(store_kv_get(w.smtpd, 0, STR("x"), &w.arena, &value) == STORE_DENIED);
	/* More than one portion. */
	CHECK(store_kv_scan(w.ctl, 0, STR("d/"), STR("d/k003"), 1000, &w.arena, &rows,
			    &count) == STORE_OK);
	CHECK(count == 446);
	CHECK_STR(rows[0].key, STR("d/k004"));
	CHECK_STR(rows[445].value, STR("k449"));
	CHECK(store_kv_scan(w.ctl, 0, STR("d/"), STR(""), 250, &w.arena, &rows, &count) ==
	      STORE_OK);
	CHECK(count == 250);
}

TEST(pairs_are_kept_and_scanned_in_portions)
{
	world_run(keeps_pairs);
}

static void stages_big_bodies(void)
{
	enum { BYTES = 5 << 20 };
	struct buf raw = BUF(BYTES), got = BUF(BYTES);
	struct store_result result;
	uint32_t x = 12345;

	/* Hard to compress, so that the frame has many pieces and pages. */
	for (size_t i = 0; i < BYTES / 4; i++) {
		x = x * 1664525 + 1013904223;
		buf_add(&raw, (struct str){(const char *)&x, 4});
	}
	enter(w.door, ANN, 1);
	CHECK(commit_one(w.door, ANN, STR(""), append_op(buf_str(&raw)), &result) ==
	      STORE_OK);
	CHECK(result.count == 1);
	if (result.count == 1) {
		CHECK(store_body(w.door, ANN, result.ops[0].message, &got) == STORE_OK);
		CHECK(str_same(buf_str(&got), buf_str(&raw)));
	}
	buf_fini(&raw);
	buf_fini(&got);
	store_leave(w.door, ANN);
}

TEST(a_body_of_5_mb_is_staged_and_comes_back)
{
	world_run(stages_big_bodies);
}

struct taken {
	struct str want;
	size_t at;
	bool is_same;
};

static bool take(void *arg, struct str piece)
{
	struct taken *taken = arg;

	taken->is_same =
		taken->is_same &&
		str_same(str_first(str_skip(taken->want, taken->at), piece.len), piece);
	taken->at += piece.len;
	task_yield();
	return taken->at < (3 << 20);
}

static void streams_bodies(void)
{
	enum { BYTES = 4 << 20 };
	struct buf raw = BUF(BYTES);
	struct store_result result;

	for (unsigned i = 0; raw.len < BYTES - 32; i++)
		buf_printf(&raw, "line %u of many\r\n", i * i);
	enter(w.door, ANN, 1);
	CHECK(commit_one(w.door, ANN, STR(""), append_op(buf_str(&raw)), &result) ==
	      STORE_OK);
	struct taken taken = {buf_str(&raw), 0, true};

	CHECK(store_body_each(w.door, ANN, result.ops[0].message, take, &taken) ==
	      STORE_OK);
	CHECK(taken.is_same && taken.at >= (3 << 20) && taken.at < BYTES - 32);
	taken = (struct taken){str_first(buf_str(&raw), 40000), 0, true};
	CHECK(commit_one(w.door, ANN, STR(""), append_op(taken.want), &result) ==
	      STORE_OK);
	CHECK(store_body_each(w.door, ANN, result.ops[0].message, take, &taken) ==
	      STORE_OK);
	CHECK(taken.is_same && taken.at == 40000);
	CHECK(commit_one(w.door, ANN, STR(""), append_op(STR("")), &result) == STORE_OK);
	taken = (struct taken){STR(""), 0, true};
	CHECK(store_body_each(w.door, ANN, result.ops[0].message, take, &taken) ==
	      STORE_OK);
	CHECK(taken.at == 0);
	buf_fini(&raw);
	store_leave(w.door, ANN);
}

TEST(bodies_stream_piece_by_piece_until_enough)
{
	world_run(streams_bodies);
}

static void many_mailboxes(void)
{
	struct mailbox_row *rows = NULL;
	struct store_op op = {.kind = OP_MAILBOX_CREATE};
	struct store_op *ops = NEW_ARRAY(struct store_op, 1000);
	char *names = mem_zeroed(1000, 256);
	struct store_commit commit = {.account = ANN, .ops = ops, .count = 1000};
	size_t count = 0;

	/* About 700 KB: more than a frame holds. */
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < 1000; i++) {
			char *name = names + i * 256;

			memset(name, 'x', 240);
			(void)snprintf(name, 10, "%zu-%05zu", round, i);
			name[7] = 'y';
			op.mailbox.name = (struct str){name, 240};
			ops[i] = op;
		}
		CHECK(store_commit(w.ctl, &commit, &w.arena, NULL) == STORE_OK);
	}
	CHECK(store_mailboxes(w.ctl, ANN, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 3001);
	if (count == 3001)
		CHECK(rows[0].name.len == 240 && rows[2999].name.len == 240);
	mem_free(ops);
	mem_free(names);
}

TEST(a_reply_longer_than_a_frame_comes_in_parts)
{
	world_run(many_mailboxes);
}

/* ---- commits, lost channels -------------------------------------------------------- */

enum { COMMITTERS = 50, COMMITS_EACH = 20 };

static size_t committed, committers;
static struct waiters all_committed;

static void committer(void *arg)
{
	account_t account = (uintptr_t)arg % 2 ? ANN : BOB;
	struct str raw = STR("Subject: one of many\r\n\r\nText.\r\n");

	for (int i = 0; i < COMMITS_EACH; i++) {
		struct store_op op = append_op(raw);
		struct store_commit commit = {.account = account, .ops = &op, .count = 1};
		struct store_result result;
		struct arena arena;

		arena_init(&arena, 1 << 16);
		if (store_commit(w.smtpd, &commit, &arena, &result) == STORE_OK)
			committed++;
		arena_fini(&arena);
	}
	committers--;
	wake_all(&all_committed);
}

static void commits_from_many(void (*meanwhile)(void))
{
	committed = 0;
	committers = COMMITTERS;
	for (uintptr_t i = 0; i < COMMITTERS; i++)
		ASSERT(task_start("committer", committer, (void *)i));
	if (meanwhile)
		meanwhile();
	while (committers > 0)
		CHECK(wait_on(&all_committed, NEVER) == OK);
	CHECK(committed == (size_t)COMMITTERS * COMMITS_EACH);
	CHECK(exists(ANN) + exists(BOB) == committed);
}

static void commits_concurrently(void)
{
	struct store_stats stats;

	commits_from_many(NULL);
	CHECK(store_stats(w.ctl, &stats) == STORE_OK);
	CHECK(stats.commits >= committed && stats.groups < stats.commits);
}

TEST(commits_of_fifty_tasks_share_groups)
{
	world_run(commits_concurrently);
}

/* The supervisor gives the client a new channel to the same store, again and again. */
static void lose_channels(void)
{
	for (int i = 0; i < 8; i++) {
		CHECK(task_sleep_ms(3) == OK);
		store_reconnect(w.smtpd, channel_to(GATE_SMTPD, SMTPD_ID));
	}
}

static void commits_over_lost_channels(void)
{
	commits_from_many(lose_channels);
}

TEST(commits_over_lost_channels_happen_exactly_once)
{
	world_run(commits_over_lost_channels);
}

static void restart_store(void)
{
	for (int i = 0; i < 3; i++) {
		CHECK(task_sleep_ms(5) == OK);
		store_process_stop();
		CHECK(task_sleep_ms(2) == OK); /* all know that it is gone */
		store_process_start();
		store_reconnect(w.smtpd, channel_to(GATE_SMTPD, SMTPD_ID));
	}
	store_reconnect(w.ctl, channel_to(GATE_CTL, CTL_ID));
}

static void commits_over_restarts(void)
{
	commits_from_many(restart_store);
}

TEST(commits_over_restarts_of_the_store_happen_exactly_once)
{
	world_run(commits_over_restarts);
}

/* ---- reading what was just committed ----------------------------------------------- */

enum { WRITERS = 20, WRITES_EACH = 15 };
static size_t writers;

/* Each sees its own, whatever the others do meanwhile. */
static void write_and_read(void *arg)
{
	account_t account = (uintptr_t)arg % 2 ? ANN : BOB;
	char name[24], text[40];

	for (int i = 0; i < WRITES_EACH; i++) {
		struct store_op op = append_op(STR("Subject: x\r\n\r\n"));
		struct store_op pair = {.kind = OP_KV_PUT};
		struct store_result result;
		struct mailbox_row row = {0};
		struct str value;

		CHECK(commit_one(w.ctl, account, STR(""), op, &result) == STORE_OK);
		CHECK(store_mailbox(w.ctl, account, MAILBOX_INBOX, &w.arena, &row) ==
		      STORE_OK);
		CHECK(row.uid_next > result.ops[0].uid);
		(void)snprintf(name, sizeof name, "k%u", (unsigned)(uintptr_t)arg);
		(void)snprintf(text, sizeof text, "%d", i);
		pair.kv.key = str_c(name);
		pair.kv.value = str_c(text);
		CHECK(commit_one(w.ctl, account, STR(""), pair, NULL) == STORE_OK);
		CHECK(store_kv_get(w.ctl, account, str_c(name), &w.arena, &value) ==
		      STORE_OK);
		CHECK_STR(value, str_c(text));
	}
	if (--writers == 0)
		wake_all(&all_committed);
}

static void reads_own_writes(void)
{
	writers = WRITERS;
	for (uintptr_t i = 0; i < WRITERS; i++)
		ASSERT(task_start("writer", write_and_read, (void *)i));
	while (writers > 0)
		CHECK(wait_on(&all_committed, NEVER) == OK);
	CHECK(exists(ANN) + exists(BOB) == (size_t)WRITERS * WRITES_EACH);
}

TEST(whoever_was_answered_reads_what_it_wrote)
{
	world_run(reads_own_writes);
}

static bool has_read;
static void read_ann(void *arg)
{
	(void)arg;
	CHECK(exists(ANN) == 1);
	has_read = true;
	wake_all(&all_committed);
}

/* The index takes its time; whoever needs nothing of it is served meanwhile, by the loop
 * and by threads, and so are commits' readers after it. */
static void reads_around_the_index(void)
{
	struct store_op op = append_op(STR("Subject: x\r\n\r\n"));
	struct account_summary summary;
	struct mailbox_row *rows;
	struct str value;
	size_t count;

	CHECK(store_summary(w.ctl, BOB, &summary) == STORE_OK); /* all is in the index */
	CHECK(exists(ANN) == 0);
	CHECK(commit_one(w.smtpd, ANN, STR(""), op, NULL) == STORE_OK);
	has_read = false;
	ASSERT(task_start("reader", read_ann, NULL));
	for (int i = 0; i < 20; i++) {
		CHECK(store_summary(w.ctl, BOB, &summary) == STORE_OK);
		CHECK(store_kv_get(w.smtpd, ACCOUNT_SYSTEM, STR("d/none"), &w.arena,
				   &value) == STORE_ABSENT);
		CHECK(store_mailboxes(w.ctl, BOB, &w.arena, &rows, &count) == STORE_OK);
	}
	CHECK(!has_read);
	while (!has_read)
		CHECK(wait_on(&all_committed, NEVER) == OK);
}

TEST(only_readers_of_what_changed_wait_for_the_index)
{
	CHECK(fault_arm(STR("index.commit:1+:delay=150")));
	world_run(reads_around_the_index);
	fault_disarm();
}

static void repeats_by_key(void)
{
	struct store_result first, second;
	struct store_op op = append_op(STR("Subject: once\r\n\r\n"));

	CHECK(commit_one(w.smtpd, ANN, STR("my key"), op, &first) == STORE_OK);
	CHECK(commit_one(w.smtpd, ANN, STR("my key"), op, &second) == STORE_OK);
	CHECK(!first.is_repeat && second.is_repeat);
	CHECK(second.count == 1 && second.ops[0].uid == first.ops[0].uid);
	CHECK(exists(ANN) == 1);
}

TEST(the_same_key_gives_the_first_result)
{
	world_run(repeats_by_key);
}

/* ---- grants, watches, locks -------------------------------------------------------- */

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
	CHECK(commit_one(w.smtpd, BOB, STR(""), op, NULL) == STORE_OK);
	CHECK(wait_on(&first.changed, deadline_ms(20)) == ERR_TIMEOUT);
	CHECK(commit_one(w.smtpd, ANN, STR(""), op, NULL) == STORE_OK);
	if (first.rings == 0)
		CHECK(wait_on(&first.changed, deadline_s(5)) == OK);
	CHECK(first.rings == 1 && second.rings == 1);
	store_watch_close(&second);
	store_reconnect(w.door, channel_to(GATE_DOOR, DOOR_ID));
	CHECK(wait_on(&first.changed, deadline_s(5)) == OK); /* may have missed some */
	CHECK(commit_one(w.smtpd, ANN, STR(""), op, NULL) == STORE_OK);
	if (first.rings == 2)
		CHECK(wait_on(&first.changed, deadline_s(5)) == OK);
	store_watch_close(&first);
	store_leave(w.door, ANN);

	CHECK(store_watch_queue(w.smtpd, &queue, QUEUE_REMOTE) == STORE_DENIED);
	CHECK(store_watch_queue(w.smtpd, &queue, QUEUE_LOCAL) == STORE_OK);
	add.queue_add.body.raw = STR("Subject: y\r\n\r\n");
	add.queue_add.recipients = &to;
	add.queue_add.count = 1;
	CHECK(commit_one(w.smtpd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
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

static void leases_rows(void)
{
	struct queue_recipient to[] = {
		{.kind = QUEUE_LOCAL, .address = STR("ann@example.org"), .account = ANN},
		{.kind = QUEUE_LOCAL, .address = STR("bob@example.org"), .account = BOB}};
	struct store_op add = {.kind = OP_QUEUE_ADD}, op = append_op(STR(""));
	struct queue_row *rows = NULL;
	int64_t now = clock_s(), next_due;
	size_t count = 0;

	add.queue_add.id = STR("QID");
	add.queue_add.body.raw = STR("Subject: y\r\n\r\n");
	add.queue_add.recipients = to;
	add.queue_add.count = 2;
	CHECK(commit_one(w.smtpd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
	CHECK(store_queue_list(w.ctl, 0, 0, 10, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 2);
	CHECK(store_queue_list(w.smtpd, 0, 0, 10, &w.arena, &rows, &count) ==
	      STORE_DENIED);
	/* Not before it has the lease. */
	op.append.body = (struct store_body){.from_account = ACCOUNT_SYSTEM};
	op.append.body.from_message = rows[0].message;
	CHECK(commit_one(w.smtpd, ANN, STR("k"), op, NULL) == STORE_DENIED);
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now, now + 100, 10, &w.arena, &rows,
				&count, &next_due) == STORE_OK);
	CHECK(count == 2 && rows[0].lease != 0);
	CHECK_STR(rows[0].recipient.address, STR("ann@example.org"));
	CHECK(commit_one(w.smtpd, ANN, STR("k"), op, NULL) == STORE_OK);
	struct store_op settle = {.kind = OP_QUEUE_SETTLE};

	settle.settle.row = rows[0].row;
	settle.settle.lease = rows[0].lease + 1;
	CHECK(commit_one(w.smtpd, 0, STR(""), settle, NULL) == STORE_CONFLICT);
	settle.settle.lease--;
	CHECK(commit_one(w.smtpd, 0, STR(""), settle, NULL) == STORE_OK);
	CHECK(commit_one(w.smtpd, 0, STR(""), settle, NULL) == STORE_DENIED);
	CHECK(exists(ANN) == 1);
}

TEST(queue_rows_are_delivered_under_lease_only)
{
	world_run(leases_rows);
}

static void leases_end(void)
{
	struct queue_recipient to = {
		.kind = QUEUE_LOCAL, .address = STR("ann@example.org"), .account = ANN};
	struct store_op add = {.kind = OP_QUEUE_ADD}, op = append_op(STR(""));
	struct queue_row *rows = NULL;
	int64_t now = clock_s(), next_due;
	size_t count = 0;

	add.queue_add.id = STR("QID");
	add.queue_add.body.raw = STR("Subject: y\r\n\r\n");
	add.queue_add.recipients = &to;
	add.queue_add.count = 1;
	CHECK(commit_one(w.smtpd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now - 10, now - 5, 10, &w.arena,
				&rows, &count, &next_due) == STORE_OK);
	CHECK(count == 1);
	/* Another may have delivered it meanwhile, and forgotten the key. */
	op.append.body = (struct store_body){.from_account = ACCOUNT_SYSTEM};
	op.append.body.from_message = rows[0].message;
	CHECK(commit_one(w.smtpd, ANN, STR("k"), op, NULL) == STORE_DENIED);
	/* A door cannot take what others have by telling a later time. */
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now, now + 100, 10, &w.arena, &rows,
				&count, &next_due) == STORE_OK);
	CHECK(count == 1);
	CHECK(store_queue_lease(w.smtpd, QUEUE_LOCAL, now + 7000, now + 8000, 10,
				&w.arena, &rows, &count, &next_due) == STORE_OK);
	CHECK(count == 0);
}

TEST(a_lease_ends_by_the_clock_of_the_store)
{
	world_run(leases_end);
}
