/* What a full queue costs: queuebench [FOLDER [ROWS]] (a million).  The folder is made
 * and left behind.  Fills the queue, then times what doors and people do with it; each
 * line is the median, the 99th of 100 and the worst. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rand.h"
#include "rt/clock.h"
#include "storage/embedded.h"

enum { DOMAINS = 20000, SENDERS = 5000, ACCOUNTS = 50, FRAME = 2000, TIMES = 400 };

static struct storage *storage;
static struct arena arena;
static char frame[FRAME];
static uint64_t took_us[TIMES];
static size_t took;
static int64_t now;

static void commit(account_t account, struct store_op *ops, size_t count)
{
	struct store_commit given = {.account = account, .ops = ops, .count = count};
	struct storage_commit one = {.commit = &given, .arena = &arena};

	storage_commit_group(storage, &one, 1);
	ASSERT(one.outcome == STORE_OK);
}

static struct store_op add_op(uint64_t number)
{
	struct queue_recipient *to = ARENA_NEW(&arena, struct queue_recipient);

	*to = (struct queue_recipient){
		.kind = QUEUE_REMOTE,
		.address = arena_printf(&arena, "user%llu@d%u.example.org",
					(unsigned long long)number,
					(unsigned)rand_below(DOMAINS))};
	return (struct store_op){
		.kind = OP_QUEUE_ADD,
		.queue_add = {
			.sender = arena_printf(&arena, "s%u@example.com",
					       (unsigned)rand_below(SENDERS)),
			.id = arena_printf(&arena, "Q%llu", (unsigned long long)number),
			.body = {.frame = {frame, FRAME}, .raw_size = FRAME},
			.trace = STR("Received: from there by here; some time\r\n"),
			.digest = STR("digest"),
			.received_at = now,
			.due_at = now + (int64_t)rand_below(100000),
			.priority = (uint8_t)rand_below(3),
			.recipients = to,
			.count = 1}};
}

static void fill(uint64_t rows)
{
	enum { BATCH = 200 };
	uint64_t began_us = clock_monotonic_us();

	for (uint64_t i = 0; i < rows; i += BATCH) {
		struct store_op ops[BATCH];

		arena_reset(&arena);
		for (size_t j = 0; j < BATCH; j++)
			ops[j] = add_op(i + j);
		commit((account_t)rand_below(ACCOUNTS + 1), ops, BATCH);
		(void)storage_tend(storage);
	}
	storage_index_commit(storage);
	printf("%llu rows added in %.1f s, %.1f us each\n", (unsigned long long)rows,
	       (double)(clock_monotonic_us() - began_us) / 1e6,
	       (double)(clock_monotonic_us() - began_us) / (double)rows);
}

/* ---- measuring --------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static uint64_t began_us;

static void start(void)
{
	arena_reset(&arena);
	began_us = clock_monotonic_us();
}

static void stop(void)
{
	took_us[took++] = clock_monotonic_us() - began_us;
}

static void tell(const char *what)
{
	struct rusage usage;

	qsort(took_us, took, sizeof *took_us, compare);
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("%-44s %8.2f %8.2f %8.2f ms   (%ld MB of memory, with the map)\n", what,
	       (double)took_us[took / 2] / 1e3, (double)took_us[took * 99 / 100] / 1e3,
	       (double)took_us[took - 1] / 1e3, usage.ru_maxrss / 1024);
	took = 0;
}

static struct storage_lease lease(size_t limit)
{
	struct storage_lease lease = {.kind = QUEUE_REMOTE,
				      .now = now + 100000,
				      .leased_until = now + 103000,
				      .limit = limit,
				      .arena = &arena};

	ASSERT(storage_take_due(storage, &lease) == STORE_OK);
	return lease;
}

static void leases_and_settles(void)
{
	for (size_t i = 0; i < TIMES; i++) {
		start();
		(void)lease(20);
		stop();
	}
	tell("lease of 20, durable");
	for (size_t i = 0; i < TIMES; i++) {
		struct storage_lease taken;

		arena_reset(&arena);
		taken = lease(1);
		struct store_op op = {
			.kind = OP_QUEUE_SETTLE,
			.settle = {.row = taken.rows[0].row,
				   .lease = taken.rows[0].lease,
				   .outcome = i % 2 ? QUEUE_DONE : QUEUE_RETRY,
				   .due_at = now + 50000,
				   .cause = CAUSE_CONNECT,
				   .host = STR("mx.example.org"),
				   .reason = STR("450 4.4.1 no answer")}};
		account_t account = taken.rows[0].account;

		start();
		commit(account, &op, 1);
		stop();
	}
	tell("settle, durable");
	for (size_t i = 0; i < TIMES; i++) {
		start();
		struct store_op op = add_op(1u << 30 | i);

		commit(1, &op, 1);
		stop();
	}
	tell("add, durable");
	storage_index_commit(storage);
}

static void reads(uint64_t rows)
{
	struct queue_row *page;
	struct queue_place place = {0};
	struct queue_select select = {0};
	struct queue_count all;
	struct queue_domain *domains;
	size_t count;

	for (size_t i = 0; i < TIMES; i++) {
		start();
		ASSERT(storage_queue_list(storage, &select, &place, 500, &arena, &page,
					  &count) == STORE_OK);
		stop();
	}
	tell("queue list, a page of 500");
	for (size_t i = 0; i < TIMES; i++) {
		place = (struct queue_place){0};
		start();
		select = (struct queue_select){
			.by = BY_ID,
			.id = arena_printf(&arena, "Q%llu",
					   (unsigned long long)rand_below(rows))};
		ASSERT(storage_queue_list(storage, &select, &place, 500, &arena, &page,
					  &count) == STORE_OK);
		stop();
	}
	tell("queue show, by id");
	for (size_t i = 0; i < TIMES; i++) {
		start();
		ASSERT(storage_queue_counts(storage, STR("d1"), 5000, &arena, &all,
					    &domains, &count) == STORE_OK);
		stop();
	}
	tell("counts, a page of 5,000 domains");
	select = (struct queue_select){
		.by = BY_SENDER, .sender = STR("s77@example.com"), .is_brief = true};
	place = (struct queue_place){0};
	uint64_t whole_us = clock_monotonic_us();

	for (size_t found = 0; !place.is_end; found += count) {
		start();
		ASSERT(storage_queue_list(storage, &select, &place, 500, &arena, &page,
					  &count) == STORE_OK);
		if (took < TIMES)
			stop();
	}
	tell("a slice of looking for a sender");
	printf("%-44s %8.2f ms\n", "looking for a sender, all of it",
	       (double)(clock_monotonic_us() - whole_us) / 1e3);
}

static void changes(enum queue_change change, size_t batch, const char *what)
{
	struct queue_select select = {.by = BY_ACCOUNT, .account = 7, .is_brief = true};
	struct queue_place place = {0};
	struct queue_row *page;
	size_t count;

	for (size_t i = 0; i < 12; i++) {
		uint64_t *rows = NEW_ARRAY(uint64_t, batch);
		struct store_op op = {.kind = OP_QUEUE_CHANGE,
				      .queue_change = {.change = change, .rows = rows}};

		arena_reset(&arena);
		ASSERT(storage_queue_list(storage, &select, &place, batch, &arena, &page,
					  &count) == STORE_OK);
		for (size_t j = 0; j < count; j++)
			rows[j] = page[j].row;
		op.queue_change.count = count;
		op.queue_change.until = QUEUE_HELD;
		if (count > 0) {
			start();
			commit(7, &op, 1);
			stop();
		}
		mem_free(rows);
	}
	storage_index_commit(storage);
	tell(what);
}

int main(int argc, char **argv)
{
	struct storage_options options = {.folder =
						  argc > 1 ? argv[1] : "queuebench.data"};
	uint64_t rows = 1000000;
	struct str why;

	if (argc > 2 && !num_parse(str_c(argv[2]), 100000000, &rows))
		return 2;
	(void)mkdir(options.folder, 0700);
	now = clock_s();
	arena_init(&arena, 256 << 20);
	rand_bytes(frame, sizeof frame);
	if (storage_open(&options, &arena, &storage, &why) != OK) {
		printf("%.*s\n", STR_FMT(why));
		return 1;
	}
	for (account_t account = 1; account <= ACCOUNTS; account++)
		commit(account, &(struct store_op){.kind = OP_ACCOUNT_CREATE}, 1);
	fill(rows);
	leases_and_settles();
	reads(rows);
	changes(ROWS_HOLD, 250, "hold 250 rows");
	changes(ROWS_RETRY, 1000, "retry 1,000 rows");
	changes(ROWS_DROP, 250, "drop 250 rows");
	uint64_t closing_us = clock_monotonic_us();

	storage_close(&storage);
	arena_reset(&arena);
	ASSERT(storage_open(&options, &arena, &storage, &why) == OK);
	printf("%-44s %8.2f ms\n", "close and open again, leases given back",
	       (double)(clock_monotonic_us() - closing_us) / 1e3);
	storage_close(&storage);
	arena_fini(&arena);
	return 0;
}
