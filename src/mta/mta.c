#include "mta/mta.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "mta/destination.h"
#include "mta/settle.h"
#include "mta/table.h"
#include "mta/tally.h"
#include "net/tls.h"
#include "rt/clock.h"
#include "tlspolicy/ledger.h"
#include "tlspolicy/policy.h"

enum {
	BATCH_ROWS = 500,
	BATCH_ROWS_MIN = 50, /* fewer are not worth asking for */
	BATCH_ARENA_BYTES = 8 * 1024 * 1024,
	LEASE_S = 3600,   /* what a dead process held the store gives back at once */
	PROLONG_S = 1200, /* that long before it ends, and each minute until it is done */
	RECHECK_S = 60,   /* even if nothing rings */
	RETRY_SOON_S = 5, /* the store could not */
};

struct mta {
	struct run run;
};

/* ---- rows -------------------------------------------------------------------------- */

/* One that we have already: its lease had expired, or the store began anew. */
static void renew(struct run *run, struct entry *entry, const struct queue_row *row,
		  int64_t leased_until)
{
	entry->row.lease = row->lease;
	entry->leased_until = leased_until;
	if (entry->is_orphan)
		settle_again(run, entry);
}

static void place(struct run *run, const struct queue_row *row, int64_t leased_until)
{
	struct entry *entry = table_find(run, row->account, row->row);

	if (entry) {
		renew(run, entry, row, leased_until);
		return;
	}
	struct destination *destination = destination_of(run, row);
	bool is_full = destination_is_full(destination);

	entry = table_add(run, row, destination);
	entry->leased_until = leased_until;
	if (settle_without_try(run, entry))
		return;
	if (is_full)
		settle_release(run, entry,
			       clock_s() + destination_return_in_s(destination));
	else if (destination_is_dead(destination))
		destination_bury(destination);
	else
		destination_kick(destination);
}

/* True if there may be more at once; else *next_due is when there will be, 0 unknown. */
static bool lease(struct run *run, size_t limit, int64_t *next_due)
{
	struct arena arena;
	struct queue_row *rows;
	size_t count = 0;
	int64_t now = clock_s();

	*next_due = 0;
	arena_init(&arena, BATCH_ARENA_BYTES);
	enum store_outcome outcome =
		store_queue_lease(run->options->store, QUEUE_REMOTE, now, now + LEASE_S,
				  limit, &arena, &rows, &count, next_due);

	if (outcome != STORE_OK) {
		*next_due = now + RETRY_SOON_S;
		count = 0;
	}
	for (size_t i = 0; i < count; i++)
		place(run, &rows[i], now + LEASE_S);
	arena_fini(&arena);
	return count > 0;
}

/* ---- transactions that take long ----------------------------------------------------
 */

static size_t prolong_ops(const struct mail *mail, int64_t now, struct store_op *ops)
{
	size_t count = 0;

	LIST_EACH(&mail->entries, link)
	{
		const struct entry *entry = CONTAINER_OF(link, struct entry, in_mail);

		if (entry->leased_until > now + PROLONG_S || count == MAIL_RCPTS_MAX)
			continue;
		ops[count].kind = OP_QUEUE_SETTLE;
		ops[count++].settle = (struct op_queue_settle){.row = entry->row.row,
							       .lease = entry->row.lease,
							       .outcome = QUEUE_PROLONG,
							       .due_at = now + LEASE_S};
	}
	return count;
}

/* Rows may be settled while the store is asked: then nothing is prolonged, and the rest
 * is tried again. */
static void prolong_mail(struct run *run, const struct mail *mail)
{
	struct store_op *ops = NEW_ARRAY(struct store_op, MAIL_RCPTS_MAX);
	int64_t now = clock_s();
	struct store_commit all = {.account = mail->row.account, .ops = ops};

	all.count = prolong_ops(mail, now, ops);
	bool is_done = all.count > 0 &&
		       store_commit(run->options->store, &all, NULL, NULL) == STORE_OK;

	for (size_t i = 0; is_done && i < all.count; i++) {
		struct entry *entry = table_find(run, all.account, ops[i].settle.row);

		if (entry && entry->row.lease == ops[i].settle.lease)
			entry->leased_until = now + LEASE_S;
	}
	mem_free(ops);
}

/* A mail that is being sent must not come due again, or another process would send it
 * too. */
static void prolong(void *arg)
{
	struct run *run = arg;

	while (task_sleep_ms(RECHECK_S * 1000) == OK) {
		size_t count = 0;

		/* Those that are done leave the list while the store is asked. */
		LIST_EACH(&run->under_way, link)
		count++;
		for (; count > 0 && !list_is_empty(&run->under_way); count--) {
			struct list_link *first = list_take_first(&run->under_way);

			list_add_last(&run->under_way, first);
			prolong_mail(run,
				     CONTAINER_OF(first, struct mail, in_destination));
		}
	}
	run->users--;
}

/* Until the queue rings, or a row is due that waits there or was put back. */
static void rest(struct run *run, struct store_watch *bell, int64_t next_due)
{
	int64_t wait_s = RECHECK_S, now = clock_s();

	if (next_due > 0 && next_due - now < wait_s)
		wait_s = next_due > now ? next_due - now : 1;
	run->look_at = now + wait_s;
	(void)wait_on_either(&bell->changed, &run->sooner,
			     deadline_s((uint64_t)wait_s)); /* then look */
	run->look_at = 0;
}

static void carry(struct run *run, struct store_watch *bell)
{
	while (!task_is_canceled()) {
		uint64_t rings = bell->rings, put_back = run->put_back;
		size_t limit =
			num_min(ROWS_MAX - num_min(run->row_count, ROWS_MAX), BATCH_ROWS);
		int64_t next_due;

		settle_forget_orphans(run);
		if (limit < BATCH_ROWS_MIN)
			(void)wait_on(&run->room, deadline_s(RECHECK_S)); /* then look */
		else if (!lease(run, limit, &next_due) && bell->rings == rings &&
			 run->put_back == put_back)
			rest(run, bell, next_due);
	}
}

static bool bell_open(struct store *store, struct store_watch *bell)
{
	while (!task_is_canceled()) {
		if (store_watch_queue(store, bell, QUEUE_REMOTE) == STORE_OK)
			return true;
		if (task_sleep_ms(1000) != OK)
			break;
	}
	return false;
}

void mta_task(void *arg)
{
	struct mta *mta = arg;
	struct store_watch bell = {0};

	struct task *leases = task_start("mta leases", prolong, &mta->run);
	uint64_t leases_id = leases ? task_id(leases) : 0;

	mta->run.users += leases != NULL;
	if (mta->run.ledger && task_start("TLS reports", tally_task, &mta->run))
		mta->run.users++;
	if (bell_open(mta->run.options->store, &bell))
		carry(&mta->run, &bell);
	task_cancel(leases_id);
	store_watch_close(&bell);
}

/* ---- all of it --------------------------------------------------------------------- */

struct mta *mta_open(const struct mta_options *options)
{
	struct mta *mta = NEW(struct mta);

	mta->run.options = options;
	mta->run.tls = tls_client_new(TLS_VERIFY_PEER, options->roots_pem);
	const struct policy_options policy = {.store = options->store,
					      .resolver = options->resolver,
					      .fetch = options->fetch,
					      .uses = options->tls_uses,
					      .sts_port = options->sts_port};

	mta->run.policy = policy_open(&policy);
	mta->run.ledger = tally_open(&mta->run);
	return mta;
}

static void forget_all(struct run *run)
{
	for (size_t i = 0; i < COUNT_OF(run->rows); i++)
		LIST_EACH(&run->rows[i], link)
		{
			struct entry *entry = CONTAINER_OF(link, struct entry, in_table);

			table_forget(run, entry);
		}
}

void mta_close(struct mta **mta_ptr)
{
	struct mta *mta = *mta_ptr;

	if (!mta)
		return;
	ASSERT(mta->run.users == 0);
	forget_all(&mta->run);
	destination_free_all(&mta->run);
	tls_client_free(&mta->run.tls);
	policy_close(&mta->run.policy);
	ledger_close(&mta->run.ledger);
	mem_free(mta);
	*mta_ptr = NULL;
}
