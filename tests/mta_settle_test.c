/* Settling rows of mail that led out, over the real store. */
#include "base/mem.h"
#include "mta/destination.h"
#include "mta/settle.h"
#include "mta/table.h"
#include "rt/clock.h"
#include "storaged/world.h"

enum { MTA_ID = 55 };

static void queue_mail(void)
{
	struct queue_recipient to = {.kind = QUEUE_REMOTE,
				     .address = STR("you@example.net")};
	struct store_op op = {.kind = OP_QUEUE_ADD};

	op.queue_add.sender = STR("ann@example.org");
	op.queue_add.id = STR("QOUT");
	op.queue_add.trace = STR("Received: from there\r\n");
	op.queue_add.body.raw = STR("\r\nHello.\r\n");
	op.queue_add.recipients = &to;
	op.queue_add.count = 1;
	op.queue_add.received_at = op.queue_add.due_at = clock_s();
	CHECK(commit_one(w.deliverd, 0, STR(""), op, NULL) == STORE_OK);
}

static struct queue_row lease(struct store *store)
{
	struct queue_row *rows = NULL;
	size_t count = 0;
	int64_t next;

	CHECK(store_queue_lease(store, QUEUE_REMOTE, clock_s(), clock_s() + 3600, 10,
				&w.arena, &rows, &count, &next) == STORE_OK);
	ASSERT(count == 1);
	return rows[0];
}

/* What the store does with all leases when it begins anew. */
static void lose_lease(struct store *store, const struct queue_row *row)
{
	struct store_op op = {.kind = OP_QUEUE_SETTLE};

	op.settle = (struct op_queue_settle){.row = row->row,
					     .lease = row->lease,
					     .outcome = QUEUE_RELEASE,
					     .due_at = clock_s()};
	CHECK(commit_one(store, row->account, STR(""), op, NULL) == STORE_OK);
}

static size_t waiting(void)
{
	struct queue_row *rows = NULL;
	size_t count = 1;

	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &(struct queue_place){0},
			       500, &w.arena, &rows, &count) == STORE_OK);
	return count;
}

static void settles_anew(void)
{
	struct mta_options options = {.connections_max = 4,
				      .store = store_open(channel_to(GATE_MTA, MTA_ID))};
	const struct verdict done = {.kind = VERDICT_DONE,
				     .code = 250,
				     .status = {2, 0, 0},
				     .text = STR("kept")};
	const struct settle_where where = {.host = STR("mx.example.net")};
	struct run *run = NEW(struct run);

	run->options = &options;
	queue_mail();
	struct queue_row row = lease(options.store);
	struct entry *entry = table_add(run, &row, destination_of(run, &row));

	lose_lease(options.store, &row);
	uint64_t renewed = lease(options.store).lease;

	settle_verdict(run, entry, &done, &where);
	for (int i = 0; i < 100 && entry->settled_lease == 0; i++)
		task_yield();
	CHECK(entry->settled_lease == row.lease); /* it is on its way to the store */
	entry->row.lease = renewed;
	for (int i = 0; i < 1000 && run->row_count > 0; i++)
		CHECK(task_sleep_ms(1) == OK);
	CHECK(run->row_count == 0 && waiting() == 0);
	CHECK(list_is_empty(&run->orphans));
	destination_free_all(run);
	mem_free(run);
	store_close(&options.store);
}

TEST(a_lease_renewed_while_its_row_is_settled_is_settled_too)
{
	world_run(settles_anew);
}
