/* Commits, each into the group that was begun. */
#include <sys/statvfs.h>

#include "base/mem.h"
#include "storage/apply.h"
#include "storage/embedded.h"
#include "store/acl.h"

/* Kept for what frees space, and for the index.  In the index every change needs room,
 * even one that frees more: pages are copied, not overwritten. */
enum { DISK_RESERVE = 64 << 20, INDEX_RESERVE_PART = 8 };

bool disk_is_full(const struct storage *storage)
{
	struct statvfs fs;

	return storage->folder && statvfs(storage->folder, &fs) == 0 &&
	       (uint64_t)fs.f_bavail * fs.f_frsize < DISK_RESERVE;
}

bool storage_is_full(const struct storage *storage)
{
	return disk_is_full(storage) ||
	       !kv_has_room(storage->kv, storage->index_bytes_max,
			    storage->index_bytes_max / INDEX_RESERVE_PART);
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
	case OP_ACL:
	case OP_QUEUE_ADD:
	case OP_UNDELETE:
		return true;
	case OP_FLAGS:
	case OP_MOVE:
	case OP_EXPUNGE:
	case OP_MAILBOX_RENAME:
	case OP_MAILBOX_DELETE:
	case OP_MAILBOX_SUBSCRIBE:
	case OP_KV_DELETE:
	case OP_QUEUE_SETTLE:
	case OP_QUEUE_CHANGE:
	case OP_RECENT:
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
	case OP_RECENT:
		return effect->recent.below == 0;
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

	if (outcome == STORE_OK && !commit->key_minute)
		(void)kept_minute(&value);
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
	plan->is_applying = true;
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

/* A damaged row is the trouble of whoever asked for it: as long as nothing was put, or
 * all of it can be taken back, the group goes on for the others. */
static void spare_others(struct plan *plan, bool can_go_back)
{
	if (plan->failed == ERR_SYNTAX && (can_go_back || !plan->is_applying))
		plan->failed = OK;
}

static enum store_outcome commit_one(struct storage *storage, struct plan *plan,
				     struct storage_commit *c)
{
	const struct store_commit *commit = c->commit;
	struct work *work = &storage->work;

	if (commit->count == 0 || commit->count > COMMIT_OPS_MAX ||
	    commit->key.len > STORE_KEY_MAX)
		return STORE_INVALID;
	plan->is_applying = false;
	enum store_outcome outcome = plan_err(plan, work_account(work, commit->account));

	if (outcome == STORE_OK)
		outcome = find_repeat(plan, c);
	spare_others(plan, false);
	if (outcome != STORE_ABSENT)
		return outcome;
	if (!work->account.is_there && commit->ops[0].kind != OP_ACCOUNT_CREATE)
		return STORE_ABSENT;
	if (storage->is_full && commit_grows(commit))
		return STORE_FULL;

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
	spare_others(plan, is_marked);
	if (plan->failed == OK && is_marked)
		plan->failed = work_rewind(work);
	else
		work->account = before;
	return outcome;
}

/* ---- a group of commits ------------------------------------------------------------ */

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

static void touch(struct storage *storage, const struct store_commit *commit)
{
	struct change_row logged;

	for (size_t i = 0; i < commit->count; i++) {
		const struct store_op *op = &commit->ops[i];

		switch (op->kind) {
		case OP_QUEUE_ADD:
		case OP_QUEUE_SETTLE:
		case OP_QUEUE_CHANGE:
			storage_touch(storage, commit->account, STORAGE_QUEUE);
			continue;
		case OP_KV_PUT:
		case OP_KV_DELETE:
			storage_touch(storage, commit->account, STORAGE_PAIRS);
			if (!pair_is_logged(op->kv.key, &logged) &&
			    !str_same(op->kv.key, STR(STORE_KV_QUOTA)))
				continue;
			break;
		case OP_RECENT:
			storage_touch(storage, commit->account, STORAGE_RECENT);
			continue;
		case OP_KEY_FORGET:
			continue;
		case OP_FLAGS:
			if (op->flags.seen_by != 0)
				storage_touch(storage, commit->account, STORAGE_PAIRS);
			break;
		case OP_ACL:
		case OP_MAILBOX_CREATE: /* what goes with a mailbox */
		case OP_MAILBOX_DELETE:
			storage_touch(storage, commit->account, STORAGE_PAIRS);
			break;
		case OP_ACCOUNT_CREATE:
		case OP_APPEND:
		case OP_COPY:
		case OP_MOVE:
		case OP_EXPUNGE:
		case OP_MAILBOX_RENAME:
		case OP_MAILBOX_SUBSCRIBE:
		case OP_UNDELETE:
			break;
		}
		storage_touch(storage, commit->account, STORAGE_MAIL);
	}
}

void commits_plan(struct storage *storage, struct plan *plan,
		  const struct storage_group *group)
{
	uint64_t done = 0;

	sort_by_account(storage, group->commits, group->count);
	for (size_t i = 0; i < group->count && plan->failed == OK; i++) {
		struct storage_commit *c = &group->commits[storage->order[i]];

		plan->arena = c->arena;
		c->outcome = commit_one(storage, plan, c);
		if (c->outcome != STORE_OK)
			continue;
		done++;
		touch(storage, c->commit);
	}
	atomic_fetch_add(&storage->commits, done);
}
