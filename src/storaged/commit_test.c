/* Commits of many at once, over lost channels and restarts, and who sees them when. */
#include <stdio.h>

#include "rt/fault.h"
#include "storaged/world.h"

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
		if (store_commit(w.deliverd, &commit, &arena, &result) == STORE_OK)
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
		store_reconnect(w.deliverd, channel_to(GATE_DELIVERD, DELIVERD_ID));
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
		store_reconnect(w.deliverd, channel_to(GATE_DELIVERD, DELIVERD_ID));
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
	CHECK(commit_one(w.deliverd, ANN, STR(""), op, NULL) == STORE_OK);
	has_read = false;
	ASSERT(task_start("reader", read_ann, NULL));
	for (int i = 0; i < 20; i++) {
		CHECK(store_summary(w.ctl, BOB, &summary) == STORE_OK);
		CHECK(store_kv_get(w.deliverd, ACCOUNT_SYSTEM, STR("d/none"), &w.arena,
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

static uint32_t recent_now;
static void read_recent(void *arg)
{
	struct mailbox_row row = {0};

	(void)arg;
	CHECK(store_mailbox(w.ctl, ANN, MAILBOX_INBOX, &w.arena, &row) == STORE_OK);
	recent_now = row.recent;
	has_read = true;
	wake_all(&all_committed);
}

/* Whoever reads messages does not wait for what was told of them; who asks how many are
 * recent does. */
static void reads_around_what_is_recent(void)
{
	struct store_op op = append_op(STR("Subject: x\r\n\r\n"));
	struct store_op told = {.kind = OP_RECENT, .recent = {MAILBOX_INBOX, 2}};
	struct message_row *rows;
	uint32_t next;
	size_t count;

	CHECK(commit_one(w.deliverd, ANN, STR(""), op, NULL) == STORE_OK);
	CHECK(exists(ANN) == 1); /* and so it is in the index */
	CHECK(commit_one(w.ctl, ANN, STR(""), told, NULL) == STORE_OK);
	has_read = false;
	ASSERT(task_start("reader", read_recent, NULL));
	for (int i = 0; i < 20; i++)
		CHECK(store_rows(w.ctl, ANN, MAILBOX_INBOX,
				 (struct uid_range){1, UINT32_MAX}, 0, &w.arena, &rows,
				 &count, &next) == STORE_OK);
	CHECK(!has_read && count == 1);
	while (!has_read)
		CHECK(wait_on(&all_committed, NEVER) == OK);
	CHECK(recent_now == 0);
}

TEST(only_who_asks_what_is_recent_waits_for_what_was_told)
{
	CHECK(fault_arm(STR("index.commit:1+:delay=150")));
	world_run(reads_around_what_is_recent);
	fault_disarm();
}

static void append_ann(void *arg)
{
	struct store_op op = append_op(STR("Subject: x\r\n\r\n"));

	(void)arg;
	CHECK(commit_one(w.deliverd, ANN, STR(""), op, NULL) == STORE_OK);
	has_read = true;
	wake_all(&all_committed);
}

static uint32_t take_below(uint32_t below)
{
	struct store_op told = {.kind = OP_RECENT, .recent = {MAILBOX_INBOX, below}};
	struct store_result result = {0};

	CHECK(commit_one(w.ctl, ANN, STR(""), told, &result) == STORE_OK);
	return result.count == 1 ? result.ops[0].uid : 0;
}

/* One after the other gets what nobody had, while an appending client waits. */
static void takes_without_waiting(void)
{
	append_ann(NULL);
	append_ann(NULL);
	has_read = false;
	CHECK(fault_arm(STR("pack.flush:1+:delay=300")));
	ASSERT(task_start("appending", append_ann, NULL));
	CHECK(take_below(2) == 1);
	CHECK(take_below(3) == 2);
	CHECK(take_below(3) == 3);
	CHECK(!has_read);
	while (!has_read)
		CHECK(wait_on(&all_committed, NEVER) == OK);
}

TEST(who_takes_what_is_recent_does_not_wait_for_the_disk)
{
	world_run(takes_without_waiting);
	fault_disarm();
}

static void repeats_by_key(void)
{
	struct store_result first, second;
	struct store_op op = append_op(STR("Subject: once\r\n\r\n"));

	CHECK(commit_one(w.deliverd, ANN, STR("my key"), op, &first) == STORE_OK);
	CHECK(commit_one(w.deliverd, ANN, STR("my key"), op, &second) == STORE_OK);
	CHECK(!first.is_repeat && second.is_repeat);
	CHECK(second.count == 1 && second.ops[0].uid == first.ops[0].uid);
	CHECK(exists(ANN) == 1);
}

TEST(the_same_key_gives_the_first_result)
{
	world_run(repeats_by_key);
}
