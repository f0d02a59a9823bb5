/* Leases of queue rows. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/clock.h"
#include "storaged/world.h"

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
	CHECK(commit_one(w.deliverd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &(struct queue_place){0},
			       10, &w.arena, &rows, &count) == STORE_OK);
	CHECK(count == 2);
	CHECK(store_queue_list(w.deliverd, &(struct queue_select){0},
			       &(struct queue_place){0}, 10, &w.arena, &rows,
			       &count) == STORE_DENIED);
	/* Not before it has the lease. */
	op.append.body = (struct store_body){.from_account = ACCOUNT_SYSTEM};
	op.append.body.from_message = rows[0].message;
	CHECK(commit_one(w.deliverd, ANN, STR("k"), op, NULL) == STORE_DENIED);
	CHECK(store_queue_lease(w.deliverd, QUEUE_LOCAL, now, now + 100, 10, &w.arena,
				&rows, &count, &next_due) == STORE_OK);
	CHECK(count == 2 && rows[0].lease != 0);
	CHECK_STR(rows[0].recipient.address, STR("ann@example.org"));
	CHECK(commit_one(w.deliverd, ANN, STR("k"), op, NULL) == STORE_OK);
	struct store_op settle = {.kind = OP_QUEUE_SETTLE};

	settle.settle.row = rows[0].row;
	settle.settle.lease = rows[0].lease + 1;
	CHECK(commit_one(w.deliverd, 0, STR(""), settle, NULL) == STORE_CONFLICT);
	settle.settle.lease--;
	CHECK(commit_one(w.deliverd, 0, STR(""), settle, NULL) == STORE_OK);
	CHECK(commit_one(w.deliverd, 0, STR(""), settle, NULL) == STORE_DENIED);
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
	CHECK(commit_one(w.deliverd, ACCOUNT_SYSTEM, STR(""), add, NULL) == STORE_OK);
	CHECK(store_queue_lease(w.deliverd, QUEUE_LOCAL, now - 10, now - 5, 10, &w.arena,
				&rows, &count, &next_due) == STORE_OK);
	CHECK(count == 1);
	/* Another may have delivered it meanwhile, and forgotten the key. */
	op.append.body = (struct store_body){.from_account = ACCOUNT_SYSTEM};
	op.append.body.from_message = rows[0].message;
	CHECK(commit_one(w.deliverd, ANN, STR("k"), op, NULL) == STORE_DENIED);
	/* A door cannot take what others have by telling a later time. */
	CHECK(store_queue_lease(w.deliverd, QUEUE_LOCAL, now, now + 100, 10, &w.arena,
				&rows, &count, &next_due) == STORE_OK);
	CHECK(count == 1);
	CHECK(store_queue_lease(w.deliverd, QUEUE_LOCAL, now + 7000, now + 8000, 10,
				&w.arena, &rows, &count, &next_due) == STORE_OK);
	CHECK(count == 0);
}

TEST(a_lease_ends_by_the_clock_of_the_store)
{
	world_run(leases_end);
}

/* ---- what is taken for long, and what is left behind --------------------------------
 */

static void queue_some(account_t account, size_t count)
{
	struct queue_recipient *to = ARENA_ARRAY(&w.arena, struct queue_recipient, count);
	struct store_op add = {.kind = OP_QUEUE_ADD};

	for (size_t i = 0; i < count; i++)
		to[i] = (struct queue_recipient){.kind = QUEUE_LOCAL,
						 .address = STR("ann@example.org"),
						 .account = ANN};
	add.queue_add.id = STR("QID");
	add.queue_add.body.raw = STR("Subject: y\r\n\r\n");
	add.queue_add.recipients = to;
	add.queue_add.count = count;
	CHECK(commit_one(w.ctl, account, STR(""), add, NULL) == STORE_OK);
}

static size_t lease_all(struct store *store, int64_t until, struct queue_row **rows)
{
	int64_t next_due;
	size_t count = 0;

	CHECK(store_queue_lease(store, QUEUE_LOCAL, clock_s(), until, 500, &w.arena, rows,
				&count, &next_due) == STORE_OK);
	return count;
}

static void leases_go_on(void)
{
	struct queue_row *rows, *others;
	int64_t now = clock_s();
	struct store_op settle = {.kind = OP_QUEUE_SETTLE}, op = append_op(STR(""));

	queue_some(ACCOUNT_SYSTEM, 1);
	/* It has ended, but nobody else has taken the row. */
	int64_t next_due;
	size_t count = 0;

	CHECK(store_queue_lease(w.deliverd, QUEUE_LOCAL, now - 10, now - 5, 10, &w.arena,
				&rows, &count, &next_due) == STORE_OK);
	CHECK(count == 1);
	op.append.body.from_message = rows[0].message;
	CHECK(commit_one(w.deliverd, ANN, STR("k"), op, NULL) == STORE_DENIED);
	settle.settle.row = rows[0].row;
	settle.settle.lease = rows[0].lease;
	settle.settle.outcome = QUEUE_PROLONG;
	settle.settle.due_at = now + 1000000; /* an hour, rather */
	CHECK(commit_one(w.deliverd, 0, STR(""), settle, NULL) == STORE_OK);
	CHECK(lease_all(w.ctl, now + 50, &others) == 0);
	CHECK(commit_one(w.deliverd, ANN, STR("k"), op, NULL) == STORE_OK);
	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &(struct queue_place){0},
			       10, &w.arena, &others, &count) == STORE_OK);
	CHECK(count == 1 && others[0].lease != 0);
	CHECK(others[0].leased_until >= now + 3590 &&
	      others[0].leased_until <= clock_s() + 3600);
	/* Whoever lost it cannot. */
	CHECK(store_queue_lease(w.ctl, QUEUE_LOCAL, now + 8000, now + 9000, 10, &w.arena,
				&others, &count, &next_due) == STORE_OK);
	CHECK(count == 1);
	CHECK(commit_one(w.deliverd, 0, STR(""), settle, NULL) == STORE_CONFLICT);
}

TEST(a_lease_is_prolonged_by_its_holder)
{
	world_run(leases_go_on);
}

/* Another process has the channel too, so that it ends with that process. */
static pid_t hold_channel(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			(void)pause();
	ASSERT(pid > 0);
	return pid;
}

static void leases_of_the_killed(void)
{
	enum { ACCOUNTS_MANY = 40, EACH = 5 };
	struct queue_row *rows, *again;
	size_t count = 0;
	int64_t late = clock_s() + 3000;

	for (account_t i = 0; i < ACCOUNTS_MANY; i++) {
		account_create(100 + i);
		queue_some(100 + i, EACH);
	}
	int fd = channel_to(GATE_DELIVERD, 77);
	pid_t pid = hold_channel();
	struct store *other = store_open(fd);

	CHECK(lease_all(other, late, &rows) == ACCOUNTS_MANY * EACH);
	store_close(&other);
	CHECK(lease_all(w.deliverd, late, &again) == 0); /* that process still has them */
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	for (unsigned i = 0; i < 500 && count < ACCOUNTS_MANY * EACH; i++) {
		CHECK(task_sleep_ms(2) == OK);
		count += lease_all(w.deliverd, late, &again);
	}
	CHECK(count == ACCOUNTS_MANY * EACH);
	CHECK(again[0].tries == 0);
}

TEST(a_killed_process_gives_its_leases_back_at_once)
{
	world_run(leases_of_the_killed);
}

static void changes_ring(void)
{
	struct store_watch bell;
	uint64_t rows[1];
	struct queue_row *leased;
	struct store_op op = {.kind = OP_QUEUE_CHANGE,
			      .queue_change = {.change = ROWS_HOLD,
					       .rows = rows,
					       .count = 1,
					       .until = QUEUE_HELD}};
	struct store_result result;

	queue_some(ACCOUNT_SYSTEM, 1);
	CHECK(lease_all(w.ctl, clock_s() + 1, &leased) == 1);
	rows[0] = leased[0].row;
	struct store_op settle = {.kind = OP_QUEUE_SETTLE,
				  .settle = {.row = rows[0],
					     .lease = leased[0].lease,
					     .outcome = QUEUE_RETRY,
					     .due_at = clock_s() + 5000}};

	CHECK(commit_one(w.ctl, 0, STR(""), settle, NULL) == STORE_OK);
	CHECK(commit_one(w.deliverd, 0, STR(""), op, NULL) == STORE_DENIED);
	CHECK(commit_one(w.ctl, 0, STR(""), op, &result) == STORE_OK);
	CHECK(result.ops[0].row == 1);
	op.queue_change.change = ROWS_RETRY;
	CHECK(commit_one(w.ctl, 0, STR(""), op, NULL) == STORE_OK);
	CHECK(lease_all(w.deliverd, clock_s() + 50, &leased) == 0);
	CHECK(store_watch_queue(w.deliverd, &bell, QUEUE_LOCAL) == STORE_OK);
	uint64_t rings = bell.rings;

	op.queue_change.change = ROWS_RELEASE;
	CHECK(commit_one(w.ctl, 0, STR(""), op, NULL) == STORE_OK);
	while (bell.rings == rings)
		if (wait_on(&bell.changed, deadline_s(5)) != OK)
			break;
	CHECK(bell.rings > rings);
	CHECK(lease_all(w.deliverd, clock_s() + 50, &leased) == 1);
	store_watch_close(&bell);
}

TEST(carriers_hear_what_people_do_to_the_queue)
{
	world_run(changes_ring);
}
