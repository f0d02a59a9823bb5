/* Applying what the packs hold beyond the index. */
#include "base/log.h"
#include "storage/apply.h"
#include "storage/embedded.h"

enum {
	/* What a commit frees, a later one takes again. */
	GROUPS_A_COMMIT = 500,
	CHANGES_A_COMMIT = 4096,
	/* Far beyond what can have been given out and then lost. */
	EPOCH_JUMP = 1 << 20,
};

struct replaying {
	struct storage *storage;
	struct work *work;
	unsigned since_commit;
};

static err_t replay_record(struct work *work, struct str record)
{
	struct dec d = dec_over(record);
	struct commit_head head;

	if (!commit_head_read(&d, &head))
		return ERR_SYNTAX;
	arena_reset(&work->arena);
	TRY(work_account(work, head.account));
	work->now = head.now;
	work->change = head.change;
	struct op_result *results =
		ARENA_ARRAY(&work->arena, struct op_result, head.count);

	if (!results)
		return ERR_SYNTAX;
	for (uint32_t i = 0; i < head.count; i++) {
		struct effect effect;

		if (!effect_read(&d, &work->arena, &effect))
			return ERR_SYNTAX;
		TRY(effect_apply(work, &effect, &results[i]));
	}
	if (!dec_done(&d))
		return ERR_SYNTAX;
	return key_keep(work, &head, results, head.count);
}

static err_t begin_again(struct replaying *r)
{
	bool is_there;

	TRY(work_flush(r->work));
	TRY(work_put_state(r->work));
	TRY(work_commit(r->work));
	r->since_commit = 0;
	return work_begin(r->work, r->storage->kv, &is_there);
}

static err_t replay_group(void *arg, const struct pack_group *group)
{
	struct replaying *r = arg;
	struct str rest = group->payload, record;

	while (pack_next_operation(&rest, &record)) {
		err_t err = replay_record(r->work, record);

		if (err == ERR_SYNTAX)
			LOG(ERROR, "log record unreadable",
			    KV_INT("pack", group->at.pack),
			    KV_INT("offset", group->at.offset));
		TRY(err);
	}
	r->work->state.sequence = group->sequence;
	r->work->state.at = group->at;
	r->work->state.end = group->end;
	bool is_small = ++r->since_commit < GROUPS_A_COMMIT &&
			kv_changes(r->work->txn) < CHANGES_A_COMMIT;

	return is_small ? OK : begin_again(r);
}

/* An index that is new, or was lost: everything comes from the packs. */
static void start_empty(struct storage *storage, struct work *work)
{
	uint64_t epoch = packs_epoch(storage->packs);

	work->state =
		(struct state_row){.format = STORAGE_FORMAT,
				   .epoch = epoch ? epoch : 1,
				   .sequence = packs_first_sequence(storage->packs) - 1};
	work->account = (struct account_slot){
		.id = ACCOUNT_SYSTEM,
		.is_loaded = true,
		.is_there = true,
		.is_dirty = true,
		.row = {.next = 1, .uid_validity = 1},
	};
}

static err_t check_position(struct storage *storage, struct state_row *state,
			    const char **why)
{
	if (state->format != STORAGE_FORMAT) {
		*why = "the data directory is of another format than this program knows";
		return ERR_SYNTAX;
	}
	if (state->end.pack == 0)
		state->end = packs_first(storage->packs);
	if (state->at.pack != 0 &&
	    !packs_has_group(storage->packs, state->at, state->sequence)) {
		*why = "the index is ahead of the packs: they are damaged, or older "
		       "than it; restore both together, or remove the index to have it "
		       "rebuilt from what the packs hold";
		return ERR_SYNTAX;
	}
	return OK;
}

/* What was acknowledged may be lost: clients must not trust any number they know. */
static err_t raise_epoch(struct storage *storage)
{
	struct work *work = &storage->work;
	struct op_result result;

	struct pack_place at, end;
	uint64_t sequence;

	TRY(index_begin(storage));
	TRY(packs_begin(storage->packs, &at));
	struct effect effect = {.kind = EFFECT_EPOCH,
				.epoch = {work->state.epoch + 1, EPOCH_JUMP}};
	struct commit_head head = {
		.account = ACCOUNT_SYSTEM, .now = work->now, .count = 1};

	LOG(WARN, "epoch raised", KV_INT("epoch", effect.epoch.epoch));
	buf_reset(&storage->effects);
	effect_write(&storage->effects, &effect);
	err_t err = work_account(work, ACCOUNT_SYSTEM);

	if (err == OK)
		err = effect_apply(work, &effect, &result);
	if (err == OK)
		err = group_record(storage, &head);
	if (err == OK)
		err = work_flush(work);
	if (err != OK) {
		packs_drop(storage->packs);
		return err;
	}
	TRY(packs_write(storage->packs, work->state.sequence, &end, &sequence));
	TRY(packs_flush(storage->packs, 0));
	work->state.at = at;
	work->state.end = end;
	work->state.sequence = sequence;
	TRY(work_put_state(work));
	return work_commit(work);
}

/* Where there was nothing to replay nothing is written: a full disk can still be read. */
static err_t scan_all(struct storage *storage, bool had_index, struct pack_scan *scan,
		      const char **why)
{
	struct work *work = &storage->work;
	struct replaying r = {.storage = storage, .work = work};
	err_t err = packs_scan(storage->packs, work->state.end, work->state.sequence,
			       replay_group, &r, scan);

	if (err == OK && had_index && scan->groups == 0) {
		work_drop(work);
		return OK;
	}
	if (err == OK)
		err = work_flush(work);
	if (err == OK)
		err = work_put_state(work);
	if (err != OK) {
		*why = err == ERR_SYNTAX
			       ? "the index is damaged, or the log in the packs "
				 "cannot be understood"
		       : err == ERR_LIMIT ? "the index has no room for what the log holds"
					  : "the disk failed while the log was read";
		storage->is_index_damaged = err == ERR_SYNTAX;
		storage->lacks_map = err == ERR_LIMIT;
		return err;
	}
	err = work_commit(work);
	if (err != OK)
		*why = "the index cannot be written";
	return err;
}

err_t storage_replay(struct storage *storage, bool is_fresh_pack, const char **why)
{
	struct work *work = &storage->work;
	struct pack_scan scan;
	bool had_index, is_view = storage->open_as == STORAGE_READ_ONLY;

	work->may_share = false;
	*why = "the newest pack cannot be flushed";
	if (!is_view)
		TRY(packs_settle(storage->packs));
	*why = "the index cannot be read";
	err_t err = work_begin(work, storage->kv, &had_index);

	storage->is_index_damaged = err == ERR_SYNTAX;
	TRY(err);
	if (!had_index)
		start_empty(storage, work);
	err = check_position(storage, &work->state, why);

	if (err == OK && !is_view)
		err = scan_all(storage, had_index, &scan, why);
	if (err != OK || is_view) {
		work_drop(work);
		return err;
	}
	/* An index that a power cut takes away whole would look like a lost one. */
	if (!had_index) {
		*why = "the index cannot be flushed";
		TRY(kv_sync(storage->kv));
	}
	if (scan.groups > 0)
		LOG(INFO, "log replayed", KV_INT("groups", scan.groups));
	*why = "the packs cannot be written";
	is_fresh_pack = is_fresh_pack || snapshot_has_pack(storage, scan.end.pack);
	TRY(packs_start(storage->packs, &scan, work->state.epoch, is_fresh_pack));
	if (scan.damaged > 0 || (!had_index && scan.is_torn) ||
	    storage->open_as == STORAGE_RESTORED) {
		err = raise_epoch(storage);
		work_drop(work);
	}
	if (err == OK)
		flusher_start(&storage->flusher, storage->packs, work->state.sequence);
	return err;
}
