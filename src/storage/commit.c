/* Groups of commits. */
#include <sys/statvfs.h>

#include "base/log.h"
#include "base/mem.h"
#include "rt/clock.h"
#include "storage/apply.h"
#include "storage/embedded.h"
#include "storage/plan.h"

enum { DISK_RESERVE = 64 << 20 }; /* kept for what frees space, and for the index */

bool storage_is_full(const struct storage *storage)
{
	struct statvfs fs;

	return statvfs(storage->folder, &fs) == 0 &&
	       (uint64_t)fs.f_bavail * fs.f_frsize < DISK_RESERVE;
}

/* ---- the group --------------------------------------------------------------------- */

err_t group_begin(struct storage *storage)
{
	bool is_there;

	if (storage->is_read_only || !storage->kv)
		return ERR_IO;
	TRY(packs_begin(storage->packs, &storage->group_at));
	err_t err = work_begin(&storage->work, storage->kv, &is_there);

	if (err != OK) {
		packs_drop(storage->packs);
		return err;
	}
	ASSERT(is_there);
	storage->work.now = clock_s();
	storage->times.began_us = clock_monotonic_us();
	return OK;
}

err_t group_record(struct storage *storage, const struct commit_head *head)
{
	buf_reset(&storage->record);
	commit_head_write(&storage->record, head);
	buf_add(&storage->record, buf_str(&storage->effects));
	if (!buf_ok(&storage->record) || !buf_ok(&storage->effects))
		return ERR_LIMIT;
	return packs_add_operation(storage->packs, buf_str(&storage->record));
}

void group_drop(struct storage *storage)
{
	packs_drop(storage->packs);
	work_drop(&storage->work);
}

/* The group is written; from here on it may be on disk whatever fails. */
static err_t group_seal(struct storage *storage, struct pack_place end, uint64_t sequence)
{
	struct work *work = &storage->work;

	work->state.at = storage->group_at;
	work->state.end = end;
	work->state.sequence = sequence;
	TRY(work_put_state(work));
	uint64_t began_us = clock_monotonic_us();

	TRY(packs_flush(storage->packs));
	uint64_t flushed_us = clock_monotonic_us();
	err_t err = work_commit(work);

	storage->times.flush += flushed_us - began_us;
	storage->times.index += clock_monotonic_us() - flushed_us;
	return err;
}

enum store_outcome group_finish(struct storage *storage)
{
	struct pack_place end;
	uint64_t sequence;
	struct group_times *times = &storage->times;
	err_t err = work_flush(&storage->work);
	uint64_t planned_us = clock_monotonic_us();

	if (err == OK) {
		err = packs_write(storage->packs, &end, &sequence);
		times->plan += planned_us - times->began_us;
		times->write += clock_monotonic_us() - planned_us;
	} else {
		packs_drop(storage->packs);
	}
	if (err != OK) {
		work_drop(&storage->work);
		if (packs_is_broken(storage->packs))
			storage_recover(storage);
		return STORE_UNAVAILABLE;
	}
	err = group_seal(storage, end, sequence);
	if (err == OK) {
		atomic_fetch_add(&storage->groups, 1);
		return STORE_OK;
	}
	work_drop(&storage->work);
	storage_recover(storage);
	return STORE_UNKNOWN;
}

/* ---- one commit -------------------------------------------------------------------- */

static bool grows(const struct store_op *op)
{
	switch (op->kind) {
	case OP_ACCOUNT_CREATE:
	case OP_APPEND:
	case OP_COPY:
	case OP_MAILBOX_CREATE:
	case OP_KV_PUT:
	case OP_QUEUE_ADD:
		return true;
	case OP_FLAGS:
	case OP_MOVE:
	case OP_EXPUNGE:
	case OP_MAILBOX_RENAME:
	case OP_MAILBOX_DELETE:
	case OP_MAILBOX_SUBSCRIBE:
	case OP_KV_DELETE:
	case OP_QUEUE_SETTLE:
	case OP_KEY_FORGET:
		return false;
	}
	return true;
}

static bool commit_grows(const struct store_commit *commit)
{
	for (size_t i = 0; i < commit->count; i++)
		if (grows(&commit->ops[i]))
			return true;
	return false;
}

/* Does the effect change nothing?  Then it need not be remembered either. */
static bool is_empty(const struct effect *effect)
{
	switch (effect->kind) {
	case OP_FLAGS:
		return effect->flags.uids.count == 0;
	case OP_COPY:
	case OP_MOVE:
		return effect->copy.uids.count == 0;
	case OP_EXPUNGE:
		return effect->expunge.uids.count == 0;
	}
	return false;
}

/* OK: the key was used before, and this is the result; ABSENT: it was not. */
static enum store_outcome find_repeat(struct plan *plan, struct storage_commit *c)
{
	const struct store_commit *commit = c->commit;
	struct key key;
	struct str value;

	if (commit->key.len == 0)
		return STORE_ABSENT;
	struct str name = commit->key_minute
				  ? key_timed(&key, commit->key_minute, commit->account,
					      commit->key)
				  : key_kept(&key, commit->account, commit->key);
	enum store_outcome outcome =
		plan_err(plan, kv_get(plan->work->txn, name, &value));

	if (outcome == STORE_OK && !result_read(value, c->arena, &c->result))
		return plan_err(plan, ERR_SYNTAX);
	return outcome;
}

static enum store_outcome one_op(struct storage *storage, struct plan *plan,
				 const struct store_op *op, struct op_result *result,
				 bool *is_all_empty)
{
	struct effect effect;

	buf_reset(&storage->scratch);
	ranges_reset(&storage->work.changed);
	enum store_outcome outcome = plan_op(plan, op, &effect, result);

	if (outcome != STORE_OK)
		return outcome;
	if (!is_empty(&effect))
		*is_all_empty = false;
	effect_write(&storage->effects, &effect);
	return plan_err(plan, effect_apply(&storage->work, &effect, result));
}

static enum store_outcome all_ops(struct storage *storage, struct plan *plan,
				  struct storage_commit *c)
{
	const struct store_commit *commit = c->commit;
	struct op_result *results =
		ARENA_ARRAY(c->arena, struct op_result, commit->count);
	bool is_all_empty = true;

	if (!results)
		return STORE_INVALID;
	buf_reset(&storage->effects);
	for (size_t i = 0; i < commit->count; i++) {
		enum store_outcome outcome = one_op(storage, plan, &commit->ops[i],
						    &results[i], &is_all_empty);

		if (outcome != STORE_OK) {
			c->result.failed_op = i;
			return outcome;
		}
	}
	c->result = (struct store_result){.change = storage->work.account.row.change,
					  .ops = results,
					  .count = commit->count};
	if (is_all_empty)
		return STORE_OK;
	struct commit_head head = {.account = commit->account,
				   .now = storage->work.now,
				   .change = storage->work.change,
				   .key = commit->key,
				   .key_minute = commit->key_minute,
				   .count = (uint32_t)commit->count};
	err_t err = group_record(storage, &head);

	if (err == OK)
		err = key_keep(&storage->work, &head, results, commit->count);
	return plan_err(plan, err);
}

static enum store_outcome commit_one(struct storage *storage, struct plan *plan,
				     struct storage_commit *c)
{
	const struct store_commit *commit = c->commit;
	struct work *work = &storage->work;

	if (commit->count == 0 || commit->count > COMMIT_OPS_MAX ||
	    commit->key.len > STORE_KEY_MAX)
		return STORE_INVALID;
	enum store_outcome outcome = plan_err(plan, work_account(work, commit->account));

	if (outcome != STORE_OK)
		return outcome;
	outcome = find_repeat(plan, c);
	if (outcome != STORE_ABSENT)
		return outcome;
	if (!work->account.is_there && commit->ops[0].kind != OP_ACCOUNT_CREATE)
		return STORE_ABSENT;
	if (storage->is_full && commit_grows(commit))
		return STORE_UNAVAILABLE;

	/* One operation is checked whole before it puts anything; more than one need a
	 * way back. */
	struct pack_group_size size = packs_size(storage->packs);
	struct account_slot before = work->account;
	bool is_marked = commit->count > 1;

	if (is_marked && (outcome = plan_err(plan, work_mark(work))) != STORE_OK)
		return outcome;
	outcome = all_ops(storage, plan, c);
	if (outcome == STORE_OK) {
		work_unmark(work);
		return STORE_OK;
	}
	packs_cut_back(storage->packs, size);
	if (plan->failed == OK && is_marked)
		plan->failed = work_rewind(work);
	else
		work->account = before;
	return outcome;
}

/* ---- a group of commits ------------------------------------------------------------ */

static void all_end(struct storage_commit *commits, size_t count,
		    enum store_outcome outcome)
{
	for (size_t i = 0; i < count; i++)
		commits[i].outcome = outcome;
}

/* By account, so that its rows are written once; those of one account as they came. */
static void sort_by_account(struct storage *storage, const struct storage_commit *commits,
			    size_t count)
{
	while (storage->order_room < count)
		MEM_ROOM(storage->order, storage->order_room, storage->order_room);
	for (size_t i = 0; i < count; i++) {
		size_t at = i;
		account_t account = commits[i].commit->account;

		while (at > 0 &&
		       commits[storage->order[at - 1]].commit->account > account) {
			storage->order[at] = storage->order[at - 1];
			at--;
		}
		storage->order[at] = i;
	}
}

void storage_commit_group(struct storage *storage, struct storage_commit *commits,
			  size_t count)
{
	struct plan plan = {.work = &storage->work,
			    .packs = storage->packs,
			    .scratch = &storage->scratch};
	uint64_t done = 0;

	for (size_t i = 0; i < count; i++)
		commits[i].result = (struct store_result){0};
	if (count == 0 || group_begin(storage) != OK) {
		all_end(commits, count, STORE_UNAVAILABLE);
		return;
	}
	storage->is_full = storage_is_full(storage);
	sort_by_account(storage, commits, count);
	for (size_t i = 0; i < count && plan.failed == OK; i++) {
		struct storage_commit *c = &commits[storage->order[i]];

		plan.arena = c->arena;
		c->outcome = commit_one(storage, &plan, c);
		done += c->outcome == STORE_OK;
	}
	if (plan.failed != OK) {
		group_drop(storage);
		all_end(commits, count, STORE_UNAVAILABLE);
		return;
	}
	if (packs_size(storage->packs).records == 0) {
		group_drop(storage);
		return;
	}
	enum store_outcome outcome = group_finish(storage);

	if (outcome != STORE_OK)
		all_end(commits, count, outcome);
	else
		atomic_fetch_add(&storage->commits, done);
}
