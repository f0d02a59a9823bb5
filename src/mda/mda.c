#include "mda/mda.h"

#include "base/log.h"
#include "base/mem.h"
#include "mda/run.h"
#include "rt/clock.h"

enum {
	PARALLEL_USUAL = 64,
	BATCH_ROWS = 256,
	BATCH_ARENA_BYTES = 8 * 1024 * 1024,
	LEASE_S = 30, /* more than a batch takes; what a dead process held waits for it */
	STORE_WAIT_S = 30,   /* when the store could not */
	FORGET_S = 30,       /* keys wait that long for company */
	FORGETS_HIGH = 5000, /* but not beyond so many */
	RECHECK_S = 60,      /* even if nothing rings */
	RIDERS_MAX = 16,     /* keys forgotten along with a delivery */
};

struct str mda_key(const struct queue_row *row, char *room)
{
	struct buf key = BUF(MDA_KEY_MAX);

	buf_add_u64(&key, row->account);
	buf_add_byte(&key, '/');
	buf_add_u64(&key, row->row);
	buf_add_byte(&key, '/');
	buf_add(&key, row->id);
	ASSERT(buf_ok(&key)); /* 10 + 15 + 32 octets and two slashes */
	memcpy(room, key.ptr, key.len);
	struct str made = {room, key.len};

	buf_fini(&key);
	return made;
}

void batch_unref(struct batch *batch)
{
	if (--batch->unfinished > 0)
		return settle_waiting(batch);
	arena_fini(&batch->arena);
	mem_free(batch);
}

void run_unref(struct run *run)
{
	if (--run->users > 0)
		return;
	LIST_EACH(&run->forget_ages, link)
	mem_free(CONTAINER_OF(link, struct forget, in_age));
	mem_free(run);
}

/* ---- one delivery ------------------------------------------------------------------ */

/* The header fields of final delivery, over those of the hop that took it.  RFC 5321
 * §4.4: Return-path is at the beginning. */
static void add_trace(struct buf *trace, const struct mda *mda,
		      const struct queue_row *row)
{
	buf_add(trace, STR("Return-Path: <"));
	buf_add(trace, row->sender);
	buf_add(trace, STR(">\r\n"));
	struct str delivered_to = row->recipient.address;

	if (mda->wants_delivered_to &&
	    trace->len + delivered_to.len + row->trace.len + 20 <= TRACE_BYTES_MAX) {
		buf_add(trace, STR("Delivered-To: "));
		buf_add(trace, delivered_to);
		buf_add(trace, STR("\r\n"));
	}
	buf_add(trace, row->trace);
}

/* For who reads it a mail that was held comes in when it is released. */
static int64_t arrived_at(const struct queue_row *row)
{
	return schedule_first_due(&row->timing, row->received_at);
}

static enum store_outcome append(struct run *run, const struct queue_row *row)
{
	struct store_op ops[1 + RIDERS_MAX] = {{.kind = OP_APPEND}};
	struct forget *riders[RIDERS_MAX];
	struct buf trace = BUF(2 * TRACE_BYTES_MAX);
	struct store_commit commit = {.account = row->recipient.account, .ops = ops};
	const struct mda *mda = run->mda;
	struct store_result result;
	struct arena arena;
	char key[MDA_KEY_MAX];

	add_trace(&trace, mda, row);
	ops[0].append = (struct op_append){
		.mailbox = row->body_kind & QUEUE_SUSPECT ? MAILBOX_JUNK : MAILBOX_INBOX,
		.unless_sieve = mda->by_script && !(row->body_kind & QUEUE_SUSPECT),
		.trace = buf_str(&trace),
		.received_at = arrived_at(row)};
	ops[0].append.body.from_account = row->account;
	ops[0].append.body.from_message = row->message;
	commit.key = mda_key(row, key);
	size_t count = forget_take(run, commit.account, ops + 1, riders, RIDERS_MAX);

	commit.count = 1 + count;
	arena_init(&arena, 64 * 1024);
	enum store_outcome outcome = store_commit(mda->store, &commit, &arena, &result);

	/* A repeat gives the first result and does nothing, not even for riders. */
	forget_end(run, riders, count, outcome == STORE_OK && !result.is_repeat);
	if (outcome == STORE_CONFLICT && ops[0].append.unless_sieve)
		outcome = mda->by_script(mda->by_script_arg, row, commit.key,
					 buf_str(&trace));
	arena_fini(&arena);
	buf_fini(&trace);
	return outcome;
}

static void log_delivery(const struct queue_row *row, enum store_outcome outcome)
{
	if (outcome == STORE_OK)
		LOG(INFO, "delivered", KV_STR("queue_id", row->id),
		    KV_STR("rcpt", row->recipient.address),
		    KV_INT("account", row->recipient.account));
	else
		LOG(WARN, "delivery deferred", KV_STR("queue_id", row->id),
		    KV_STR("rcpt", row->recipient.address),
		    KV("reason", store_outcome_text(outcome)));
}

static void deliver(struct run *run, struct batch *batch, const struct queue_row *row)
{
	int64_t now = clock_s();

	/* Others may be at it.  The store would let us, if we have the message under
	 * lease for another recipient. */
	if (now >= batch->leased_until) {
		batch_unref(batch);
		return;
	}
	if (row->is_given_up || schedule_is_late(row, now)) {
		struct verdict over =
			row->is_given_up ? verdict_given_up() : verdict_late();

		return settle_later(run, batch, row, &over);
	}
	enum store_outcome outcome = append(run, row);

	log_delivery(row, outcome);
	if (outcome == STORE_DENIED) /* no longer under our lease: it will come again */
		return batch_unref(batch);
	struct verdict verdict = verdict_of(run->mda, row, outcome);

	settle_later(run, batch, row, &verdict);
}

/* ---- batches ----------------------------------------------------------------------- */

static void worker(void *arg)
{
	struct run *run = arg;

	while (run->batch && !task_is_canceled()) {
		struct batch *batch = run->batch;
		const struct queue_row *row = &batch->rows[batch->taken++];

		if (batch->taken == batch->count) {
			run->batch = NULL;
			wake_all(&run->emptied);
		}
		deliver(run, batch, row);
	}
	run->workers--;
	wake_all(&run->emptied);
	run_unref(run);
}

static void workers_start(struct run *run)
{
	size_t wanted = run->mda->parallel ? run->mda->parallel : PARALLEL_USUAL;

	if (wanted > run->batch->count)
		wanted = run->batch->count;
	while (run->workers < wanted && task_start("mda", worker, run)) {
		run->workers++;
		run->users++;
	}
}

/* The rows nobody took are left to their lease. */
static void batch_drop(struct run *run)
{
	struct batch *batch = run->batch;

	run->batch = NULL;
	while (batch && batch->taken < batch->count) {
		bool is_last = ++batch->taken == batch->count;

		batch_unref(batch);
		if (is_last)
			break;
	}
}

/* True if rows came; else *next_due is when there will be some, 0 unknown. */
static bool batch_lease(struct run *run, int64_t *next_due)
{
	struct batch *batch = NEW(struct batch);
	int64_t now = clock_s();

	*next_due = 0;
	batch->leased_until = now + LEASE_S;
	batch->run = run;
	arena_init(&batch->arena, BATCH_ARENA_BYTES);
	enum store_outcome outcome = store_queue_lease(
		run->mda->store, QUEUE_LOCAL, now, batch->leased_until, BATCH_ROWS,
		&batch->arena, &batch->rows, &batch->count, next_due);

	batch->unfinished = batch->count;
	if (outcome == STORE_OK && batch->count > 0) {
		run->batch = batch;
		return true;
	}
	if (outcome != STORE_OK)
		*next_due = now + STORE_WAIT_S;
	arena_fini(&batch->arena);
	mem_free(batch);
	return false;
}

/* Until the queue rings or a row is due. */
static void rest(struct run *run, struct store_watch *bell, int64_t next_due)
{
	int64_t wait_s = run->forget_count > 0 ? FORGET_S : RECHECK_S;
	int64_t now = clock_s();

	if (next_due > 0 && next_due - now < wait_s)
		wait_s = next_due > now ? next_due - now : 1;
	(void)wait_on(&bell->changed, deadline_s((uint64_t)wait_s)); /* then look */
}

/* Keys that have waited enough for a delivery to ride along with. */
static void forget_old(struct run *run)
{
	if (run->forget_count == 0)
		return;
	struct forget *oldest =
		CONTAINER_OF(run->forget_ages.first, struct forget, in_age);

	if (run->forget_count > FORGETS_HIGH || oldest->since + FORGET_S <= clock_s())
		forget_all(run);
}

static void carry(struct run *run, struct store_watch *bell)
{
	while (!task_is_canceled()) {
		uint64_t rings = bell->rings;
		int64_t next_due;

		forget_old(run);
		if (!batch_lease(run, &next_due)) {
			if (bell->rings == rings)
				rest(run, bell, next_due);
			continue;
		}
		workers_start(run);
		while (run->batch && run->workers > 0)
			if (wait_on(&run->emptied, NEVER) != OK)
				break;
		batch_drop(run);
	}
}

static bool bell_open(struct store *store, struct store_watch *bell)
{
	while (!task_is_canceled()) {
		if (store_watch_queue(store, bell, QUEUE_LOCAL) == STORE_OK)
			return true;
		if (task_sleep_ms(1000) != OK)
			break;
	}
	return false;
}

void mda_task(void *arg)
{
	struct run *run = NEW(struct run);
	struct store_watch bell = {0};

	run->mda = arg;
	run->users = 1;
	if (bell_open(run->mda->store, &bell))
		carry(run, &bell);
	store_watch_close(&bell);
	run_unref(run);
}
