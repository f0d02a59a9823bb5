/* What comes after delivery: settling rows, many in one commit, and forgetting keys. */
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "mda/run.h"
#include "rt/clock.h"

enum { SETTLES_MAX = 200, FORGETS_MAX = 500 };

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
					     .outcome = finished->outcome,
					     .due_at = finished->due_at,
					     .reason = finished->reason};
	return op;
}

static enum store_outcome settle(struct run *run, account_t account,
				 const struct store_op *ops, size_t count)
{
	struct store_commit commit = {.account = account, .ops = ops, .count = count};

	return store_commit(run->mda->store, &commit, NULL, NULL);
}

static void settle_end(struct run *run, struct finished *finished,
		       enum store_outcome outcome)
{
	const struct queue_row *row = finished->row;

	if (outcome == STORE_OK && finished->outcome == QUEUE_DONE)
		forget_later(run, row);
	if (outcome != STORE_OK) /* its lease runs out, and it is tried again */
		LOG(WARN, "queue row not settled", KV_STR("queue_id", row->id),
		    KV("reason", store_outcome_text(outcome)));
	batch_unref(finished->batch);
	mem_free(finished);
}

/* All at once; but one lost lease spoils a commit, then one by one. */
static void settle_rows(struct run *run, account_t account, struct finished **rows,
			size_t count)
{
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

/* Takes the finished rows of the first one's account. */
static size_t take_finished(struct run *run, struct finished **rows)
{
	account_t account = 0;
	size_t count = 0;

	LIST_EACH(&run->finished, link)
	{
		struct finished *finished = CONTAINER_OF(link, struct finished, in_run);

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
		settle_rows(run, rows[0]->row->account, rows, count);
	mem_free(rows);
	run->has_settler = false;
	run_unref(run);
}

void settle_later(struct run *run, struct batch *batch, const struct queue_row *row,
		  enum queue_outcome outcome, int64_t due_at, struct str reason)
{
	struct finished *finished = NEW(struct finished);

	*finished = (struct finished){.batch = batch,
				      .row = row,
				      .outcome = outcome,
				      .due_at = due_at,
				      .reason = reason};
	list_add_last(&run->finished, &finished->in_run);
	if (run->has_settler)
		return;
	run->has_settler = task_start("mda settler", settler, run);
	if (run->has_settler) {
		run->users++;
	} else { /* its lease runs out, and it is tried again */
		list_remove(&run->finished, &finished->in_run);
		batch_unref(batch);
		mem_free(finished);
	}
}
