/* What comes after delivery: settling rows, many in one commit, and forgetting keys. */
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "mda/run.h"
#include "rt/clock.h"

enum { SETTLES_MAX = 200, FORGETS_MAX = 500, REPORT_WAIT_S = 30 };

/* ---- keys -------------------------------------------------------------------------- */

static size_t bucket_of(account_t account)
{
	return hash64_number(account) & (FORGET_BUCKETS - 1);
}

static void forget_link(struct run *run, struct forget *forget)
{
	list_add_last(&run->forgets[bucket_of(forget->account)], &forget->in_bucket);
	list_add_last(&run->forget_ages, &forget->in_age);
	run->forget_count++;
}

static void forget_later(struct run *run, const struct queue_row *row)
{
	struct forget *forget = NEW(struct forget);

	forget->account = row->recipient.account;
	forget->since = clock_s();
	forget->key_len = mda_key(row, forget->key).len;
	forget_link(run, forget);
}

size_t forget_take(struct run *run, account_t account, struct store_op *ops,
		   struct forget **taken, size_t limit)
{
	struct list *bucket = &run->forgets[bucket_of(account)];
	size_t count = 0;

	LIST_EACH(bucket, link)
	{
		struct forget *forget = CONTAINER_OF(link, struct forget, in_bucket);

		if (forget->account != account || count == limit)
			continue;
		list_remove(bucket, link);
		list_remove(&run->forget_ages, &forget->in_age);
		run->forget_count--;
		taken[count] = forget;
		ops[count] = (struct store_op){.kind = OP_KEY_FORGET};
		ops[count++].key_forget = (struct str){forget->key, forget->key_len};
	}
	return count;
}

void forget_end(struct run *run, struct forget **taken, size_t count, bool is_done)
{
	for (size_t i = 0; i < count; i++) {
		if (is_done)
			mem_free(taken[i]);
		else
			forget_link(run, taken[i]);
	}
}

static bool forget_account(struct run *run, account_t account)
{
	struct store_op *ops = NEW_ARRAY(struct store_op, FORGETS_MAX);
	struct forget **taken = NEW_ARRAY(struct forget *, FORGETS_MAX);
	size_t count = forget_take(run, account, ops, taken, FORGETS_MAX);
	struct store_commit commit = {.account = account, .ops = ops, .count = count};
	enum store_outcome outcome = store_commit(run->mda->store, &commit, NULL, NULL);
	/* An account that is gone has taken its keys along. */
	bool is_done = outcome == STORE_OK || outcome == STORE_ABSENT;

	forget_end(run, taken, count, is_done);
	mem_free(ops);
	mem_free(taken);
	return is_done;
}

void forget_all(struct run *run)
{
	bool is_good = true;

	while (is_good && !list_is_empty(&run->forget_ages)) {
		struct forget *oldest =
			CONTAINER_OF(run->forget_ages.first, struct forget, in_age);

		is_good = forget_account(run, oldest->account);
	}
}

/* ---- rows -------------------------------------------------------------------------- */

static struct store_op settle_op(const struct finished *finished)
{
	struct store_op op = {.kind = OP_QUEUE_SETTLE};

	op.settle = (struct op_queue_settle){.row = finished->row->row,
					     .lease = finished->row->lease,
					     .outcome = finished->verdict.outcome,
					     .due_at = finished->verdict.due_at,
					     .reason = finished->verdict.reason,
					     .told = finished->verdict.tell};
	return op;
}

static enum store_outcome settle(struct run *run, account_t account,
				 const struct store_op *ops, size_t count)
{
	struct store_commit commit = {.account = account, .ops = ops, .count = count};

	return store_commit(run->mda->store, &commit, NULL, NULL);
}

static bool is_delivered(const struct verdict *verdict)
{
	bool has_failed = verdict->is_told && verdict->action == BOUNCE_FAILED;

	return verdict->outcome == QUEUE_DONE && !has_failed;
}

static void settle_end(struct run *run, struct finished *finished,
		       enum store_outcome outcome)
{
	const struct queue_row *row = finished->row;

	if (outcome == STORE_OK && is_delivered(&finished->verdict))
		forget_later(run, row);
	if (outcome != STORE_OK) /* its lease runs out, and it is tried again */
		LOG(WARN, "queue row not settled", KV_STR("queue_id", row->id),
		    KV("reason", store_outcome_text(outcome)));
	batch_unref(finished->batch);
	mem_free(finished);
}

/* All at once; but one lost lease spoils a commit, then one by one. */
static void settle_rows(struct run *run, struct finished **rows, size_t count)
{
	account_t account = rows[0]->row->account;
	struct store_op *ops = NEW_ARRAY(struct store_op, count);

	for (size_t i = 0; i < count; i++)
		ops[i] = settle_op(rows[i]);
	enum store_outcome all = settle(run, account, ops, count);

	for (size_t i = 0; i < count; i++) {
		enum store_outcome outcome = all;

		if (count > 1 &&
		    (all == STORE_CONFLICT || all == STORE_ABSENT || all == STORE_DENIED))
			outcome = settle(run, account, &ops[i], 1);
		settle_end(run, rows[i], outcome);
	}
	mem_free(ops);
}

/* ---- rows whose sender hears of them ----------------------------------------------- */

static enum report make_report(struct run *run, struct finished **rows, size_t count,
			       struct arena *arena, struct store_op *op)
{
	struct bounce_recipient *list = NEW_ARRAY(struct bounce_recipient, count);

	for (size_t i = 0; i < count; i++) {
		const struct verdict *verdict = &rows[i]->verdict;

		list[i] = (struct bounce_recipient){.row = rows[i]->row,
						    .action = verdict->action,
						    .status = verdict->status,
						    .said = verdict->reason,
						    .tried_at = clock_s(),
						    .retry_until = verdict->retry_until};
	}
	enum report made = report_make(&run->mda->reporter, list, count, arena, op);

	mem_free(list);
	return made;
}

/* Nobody can say now whom to tell: a retry is told of another time, the rest comes again
 * (a delivery that was done is known by its key). */
static void tell_later(struct verdict *verdict)
{
	verdict->tell = 0;
	if (verdict->outcome == QUEUE_RETRY)
		return;
	verdict->outcome = QUEUE_RELEASE;
	verdict->due_at = clock_s() + REPORT_WAIT_S;
}

/* The report and the settling are one commit: if a lease was lost nothing happens. */
static void settle_with(struct run *run, struct finished **rows, size_t count,
			const struct store_op *report)
{
	struct store_op *ops = NEW_ARRAY(struct store_op, count + 1);

	for (size_t i = 0; i < count; i++)
		ops[i] = settle_op(rows[i]);
	ops[count] = *report;
	enum store_outcome outcome = settle(run, rows[0]->row->account, ops, count + 1);

	for (size_t i = 0; i < count; i++)
		settle_end(run, rows[i], outcome);
	mem_free(ops);
}

/* Rows of one mail. */
static void settle_told(struct run *run, struct finished **rows, size_t count)
{
	struct store_op report;
	struct arena arena;

	arena_init(&arena, REPORT_ARENA_MAX);
	switch (make_report(run, rows, count, &arena, &report)) {
	case REPORT_MADE:
		settle_with(run, rows, count, &report);
		break;
	case REPORT_LATER:
		for (size_t i = 0; i < count; i++)
			tell_later(&rows[i]->verdict);
		settle_rows(run, rows, count);
		break;
	case REPORT_NONE:
		settle_rows(run, rows, count);
		break;
	}
	arena_fini(&arena);
}

/* Moves those that belong together to the front, keeping no order; how many they are. */
static size_t gather(struct finished **rows, size_t count,
		     bool (*belongs)(const struct finished *one, uint64_t message),
		     uint64_t message)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		struct finished *one = rows[i];

		if (!belongs(one, message))
			continue;
		rows[i] = rows[found];
		rows[found++] = one;
	}
	return found;
}

static bool is_untold(const struct finished *one, uint64_t message)
{
	(void)message;
	return !one->verdict.is_told;
}

static bool is_of_message(const struct finished *one, uint64_t message)
{
	return one->row->message == message;
}

/* Rows of one account. */
static void settle_account(struct run *run, struct finished **rows, size_t count)
{
	size_t done = gather(rows, count, is_untold, 0);

	if (done > 0)
		settle_rows(run, rows, done);
	while (done < count) {
		size_t same = gather(rows + done, count - done, is_of_message,
				     rows[done]->row->message);

		settle_told(run, rows + done, same);
		done += same;
	}
}

/* ---- the settler ------------------------------------------------------------------- */

/* Takes the finished rows of the first one's account. */
static size_t take_finished(struct run *run, struct finished **rows)
{
	account_t account = 0;
	size_t count = 0;

	LIST_EACH(&run->finished, link)
	{
		struct finished *finished = CONTAINER_OF(link, struct finished, in_list);

		if (count == 0)
			account = finished->row->account;
		if (finished->row->account != account || count == SETTLES_MAX)
			continue;
		list_remove(&run->finished, link);
		rows[count++] = finished;
	}
	return count;
}

/* Runs while there is something to settle; what finishes meanwhile goes in its next
 * commit. */
static void settler(void *arg)
{
	struct run *run = arg;
	struct finished **rows = NEW_ARRAY(struct finished *, SETTLES_MAX);
	size_t count;

	while ((count = take_finished(run, rows)) > 0)
		settle_account(run, rows, count);
	mem_free(rows);
	run->has_settler = false;
	run_unref(run);
}

/* If it cannot run, leases run out, and all is tried again. */
static void settler_start(struct run *run)
{
	if (run->has_settler)
		return;
	run->has_settler = task_start("mda settler", settler, run);
	if (run->has_settler) {
		run->users++;
		return;
	}
	for (struct list_link *link; (link = list_take_first(&run->finished));) {
		struct finished *finished = CONTAINER_OF(link, struct finished, in_list);

		batch_unref(finished->batch);
		mem_free(finished);
	}
}

void settle_waiting(struct batch *batch)
{
	if (batch->told_count == 0 || batch->told_count < batch->unfinished)
		return;
	batch->told_count = 0;
	for (struct list_link *link; (link = list_take_first(&batch->told));)
		list_add_last(&batch->run->finished, link);
	settler_start(batch->run);
}

void settle_later(struct run *run, struct batch *batch, const struct queue_row *row,
		  const struct verdict *verdict)
{
	struct finished *finished = NEW(struct finished);

	*finished = (struct finished){.batch = batch, .row = row, .verdict = *verdict};
	if (verdict->is_told) {
		list_add_last(&batch->told, &finished->in_list);
		batch->told_count++;
		settle_waiting(batch);
		return;
	}
	list_add_last(&run->finished, &finished->in_list);
	settler_start(run);
}
