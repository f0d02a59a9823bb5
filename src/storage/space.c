#include "storage/space.h"

#include "base/log.h"
#include "base/num.h"
#include "rt/clock.h"
#include "storage/apply.h"
#include "storage/bodies.h"
#include "storage/embedded.h"

enum {
	LOOK_MAX = 2000, /* dead rows of one step */
	COPY_BYTES_A_SECOND = 8 << 20,
	FAILED_REST_US = 60 * 1000 * 1000,
	INDEX_COMMITS = 2, /* after so many it cannot fall behind (KV_SYNC_LATE) */
};

/* ---- readers ----------------------------------------------------------------------- */

unsigned space_reader_begin(struct storage *storage)
{
	for (;;) {
		unsigned turn = atomic_load(&storage->turn) & 1;

		atomic_fetch_add(&storage->reading[turn], 1);
		if ((atomic_load(&storage->turn) & 1) == turn)
			return turn;
		atomic_fetch_sub(&storage->reading[turn], 1);
	}
}

void space_reader_end(struct storage *storage, unsigned turn)
{
	atomic_fetch_sub(&storage->reading[turn], 1);
}

/* ---- what is durable for good ------------------------------------------------------ */

void space_group_written(struct storage *storage, uint64_t sequence, uint64_t durable)
{
	struct space *space = &storage->space;

	if (space->naming == 0) {
		space->naming = sequence;
		space->named = durable;
	}
}

static void prove(struct storage *storage)
{
	struct space *space = &storage->space;

	if (space->naming == 0 || flusher_durable(&storage->flusher) < space->naming)
		return;
	space->proven = num_max(space->proven, space->named);
	space->naming = 0;
}

static void own_done(struct storage_group *group)
{
	struct space *space = CONTAINER_OF(group, struct space, own);

	atomic_store(&space->own_is_busy, false);
}

bool own_is_busy(const struct storage *storage)
{
	return atomic_load(&storage->space.own_is_busy);
}

err_t own_commit(struct storage *storage,
		 err_t (*fill)(struct storage *storage, uint32_t *count))
{
	struct space *space = &storage->space;
	struct commit_head head = {.account = ACCOUNT_SYSTEM};

	if (group_begin(storage) != OK)
		return ERR_LIMIT; /* it was logged; the disk may be full */
	buf_reset(&storage->effects);
	head.now = storage->work.now;
	err_t err = work_account(&storage->work, ACCOUNT_SYSTEM);

	if (err == OK)
		err = fill(storage, &head.count);
	if (err == OK)
		err = group_record(storage, &head);
	if (err != OK)
		packs_drop(storage->packs);
	else
		err = group_write(storage);
	if (err != OK) {
		index_rewind(storage);
		return ERR_LIMIT;
	}
	atomic_store(&space->own_is_busy, true);
	flusher_add(&storage->flusher, &space->own, storage->work.state.sequence);
	return OK;
}

static err_t fill_nothing(struct storage *storage, uint32_t *count)
{
	(void)storage;
	*count = 0;
	return OK;
}

/* ---- punching ---------------------------------------------------------------------- */

/* The dead from space->from on that are proven to be so. */
static err_t find_dead(struct storage *storage, bool *is_end)
{
	struct space *space = &storage->space;
	struct janitor *janitor = &space->janitor;
	struct kv_cursor *cursor = &storage->work.cursor;
	struct key key;
	err_t err = kv_seek(cursor, key_dead(&key, space->from.pack, space->from.offset));

	*is_end = true;
	janitor->count = 0;
	for (unsigned i = 0; err == OK; i++, err = kv_next(cursor)) {
		struct dead_row row;

		if (!key_is_of(cursor->key, ACCOUNT_SYSTEM, TABLE_DEAD))
			return OK;
		struct dec d = key_dec(cursor->key);

		space->from = (struct pack_place){.pack = dec_key32(&d)};
		space->from.offset = dec_key64(&d);
		*is_end = i < LOOK_MAX && janitor->count < JANITOR_BODIES_MAX;
		if (!*is_end)
			return OK;
		if (!dead_read(cursor->value, &row))
			return ERR_SYNTAX;
		if (row.sequence > space->proven) {
			space->has_dead = true;
			continue;
		}
		janitor->bodies[janitor->count++] = (struct janitor_body){
			.at = {space->from.pack, space->from.offset, row.length},
			.sequence = row.sequence};
	}
	return err == ERR_ABSENT ? OK : err;
}

/* Under the writer: it is still listed as it was, and nobody has a reference. */
static err_t may_go(struct work *work, const struct janitor_body *body, bool *may)
{
	struct key key;
	struct str value;
	struct dead_row row;
	struct pack_body at = body->at;
	err_t err = kv_get(work->txn, key_dead(&key, at.pack, at.offset), &value);

	*may = false;
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (!dead_read(value, &row))
		return ERR_SYNTAX;
	struct str others = key_reference(&key, at.pack, at.offset, 0, UINT64_MAX);

	err = kv_seek(&work->cursor, others);
	if (err != OK && err != ERR_ABSENT)
		return err;
	bool is_shared = err == OK && str_starts(work->cursor.key, others);

	if (is_shared)
		LOG(ERROR, "dead body has references", KV_INT("pack", at.pack),
		    KV_INT("offset", at.offset));
	*may = !is_shared && row.length == at.length && row.sequence == body->sequence;
	return OK;
}

static err_t punch_begin(struct storage *storage)
{
	struct janitor *janitor = &storage->space.janitor;
	size_t kept = 0;

	for (size_t i = 0; i < janitor->count; i++) {
		bool may;

		TRY(may_go(&storage->work, &janitor->bodies[i], &may));
		if (may)
			janitor->bodies[kept++] = janitor->bodies[i];
	}
	janitor->count = kept;
	storage->space.state = SPACE_RESTING;
	if (kept == 0 || storage_is_pinned(storage))
		return OK;
	storage->space.state = SPACE_PUNCHING;
	janitor_give(janitor, JANITOR_PUNCH);
	return OK;
}

static err_t punch_end(struct storage *storage)
{
	struct space *space = &storage->space;
	struct janitor *janitor = &space->janitor;

	space->state = SPACE_RESTING;
	if (janitor->cannot_punch)
		LOG(WARN, "file system cannot punch holes",
		    KV("folder", storage->packs_path));
	for (size_t i = 0; i < janitor->count; i++) {
		struct pack_body at = janitor->bodies[i].at;

		if (!janitor->bodies[i].is_done)
			continue;
		TRY(body_punched(&storage->work, at.pack, at.offset, at.length));
		space->punched += at.length;
	}
	index_changed(storage);
	return OK;
}

/* ---- copying ----------------------------------------------------------------------- */

/* Less than half of it is needed, and some of that has not been tried in vain. */
static bool is_sparse(const struct pack_row *row)
{
	return row->live > row->kept && row->live < row->dead + row->punched;
}

static err_t find_sparse(struct storage *storage, uint32_t *pack)
{
	struct kv_cursor *cursor = &storage->work.cursor;
	struct key key;

	*pack = 0;
	TRY(work_flush(&storage->work));
	err_t err = kv_seek(cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_PACK));

	for (; err == OK; err = kv_next(cursor)) {
		struct pack_row row;

		if (!key_is_of(cursor->key, ACCOUNT_SYSTEM, TABLE_PACK))
			return OK;
		struct dec d = key_dec(cursor->key);
		uint32_t number = dec_key32(&d);

		/* The one that is written to comes last. */
		if (number >= storage->work.state.end.pack)
			return OK;
		if (!pack_row_read(cursor->value, &row))
			return ERR_SYNTAX;
		if (is_sparse(&row)) {
			*pack = number;
			return OK;
		}
	}
	return err == ERR_ABSENT ? OK : err;
}

/* The bodies that were read and are still needed: into the group, and their messages are
 * told. */
static err_t fill_moved(struct storage *storage, uint32_t *count)
{
	struct janitor *janitor = &storage->space.janitor;
	struct op_result result;

	*count = 0;
	for (size_t i = 0; i < janitor->count; i++) {
		const struct janitor_body *body = &janitor->bodies[i];
		struct effect effect = {.kind = EFFECT_BODY_MOVED,
					.body_moved = {.from = body->at,
						       .account = body->account,
						       .message = body->message}};
		struct str frame = {janitor->frames.ptr + body->frame_at,
				    body->at.length};
		bool is_needed;

		TRY(body_is_needed(&storage->work, body->at, body->account, body->message,
				   &is_needed));
		if (!is_needed)
			continue;
		TRY(packs_add_body(storage->packs, body->account, body->message,
				   body->raw_size, frame, &effect.body_moved.to));
		effect_write(&storage->effects, &effect);
		TRY(effect_apply(&storage->work, &effect, &result));
		storage->space.copied += frame.len;
		++*count;
	}
	return OK;
}

static void rest_for(struct space *space, uint64_t microseconds)
{
	space->rest_until_us = clock_monotonic_us() + microseconds;
}

static err_t gather_end(struct storage *storage)
{
	struct space *space = &storage->space;
	struct janitor *janitor = &space->janitor;
	struct pack_row *row;

	space->state = SPACE_RESTING;
	if (space->bytes_a_second != UINT64_MAX)
		rest_for(space, janitor->frames.len * 1000000 / space->bytes_a_second);
	if (janitor->has_failed ||
	    (janitor->count > 0 && own_commit(storage, fill_moved) != OK)) {
		space->pack = 0;
		rest_for(space, FAILED_REST_US);
		return OK;
	}
	if (!janitor->is_walked)
		return OK;
	LOG(INFO, "pack copied", KV_INT("pack", space->pack));
	TRY(work_pack(&storage->work, space->pack, &row));
	row->kept = row->live;
	index_changed(storage);
	space->pack = 0;
	return OK;
}

static err_t gather_begin(struct storage *storage, bool *did)
{
	struct space *space = &storage->space;
	struct janitor *janitor = &space->janitor;

	*did = false;
	if (clock_monotonic_us() < space->rest_until_us)
		return OK;
	if (space->pack == 0) {
		TRY(find_sparse(storage, &space->pack));
		janitor->walk = (struct pack_walk){.pack = space->pack};
	}
	if (space->pack == 0)
		return OK;
	*did = true;
	space->state = SPACE_GATHERING;
	janitor_give(janitor, JANITOR_READ);
	return OK;
}

/* ---- step by step ------------------------------------------------------------------ */

static err_t begin(struct storage *storage, bool *more)
{
	struct space *space = &storage->space;
	bool is_end;

	*more = true;
	TRY(find_dead(storage, &is_end));
	if (space->janitor.count > 0) {
		space->state = SPACE_SETTLING;
		space->settled_at = atomic_load(&storage->indexed) + INDEX_COMMITS;
		if (is_end)
			space->from = (struct pack_place){0};
		return OK;
	}
	if (!is_end)
		return OK;
	bool has_dead = space->has_dead;

	space->from = (struct pack_place){0};
	space->has_dead = false;
	/* Nothing else may come that proves them. */
	if (has_dead && space->naming == 0)
		return own_commit(storage, fill_nothing);
	TRY(gather_begin(storage, more));
	*more |= has_dead;
	return OK;
}

err_t space_step(struct storage *storage, bool *more)
{
	struct space *space = &storage->space;

	*more = false;
	if (storage->keeps_space)
		return OK;
	*more = true;
	prove(storage);
	switch (space->state) {
	case SPACE_RESTING:
		if (!storage_is_pinned(storage) && !space->janitor.cannot_punch &&
		    !own_is_busy(storage))
			return begin(storage, more);
		*more = own_is_busy(storage);
		return OK;
	case SPACE_SETTLING:
		if (atomic_load(&storage->indexed) < space->settled_at) {
			index_changed(storage);
			return OK;
		}
		space->turn = atomic_fetch_add(&storage->turn, 1) & 1;
		space->state = SPACE_READING;
		return OK;
	case SPACE_READING:
		return atomic_load(&storage->reading[space->turn]) > 0
			       ? OK
			       : punch_begin(storage);
	case SPACE_PUNCHING:
		return janitor_is_busy(&space->janitor) ? OK : punch_end(storage);
	case SPACE_GATHERING:
		return janitor_is_busy(&space->janitor) || own_is_busy(storage)
			       ? OK
			       : gather_end(storage);
	}
	return OK;
}

/* ---- life -------------------------------------------------------------------------- */

void space_forget(struct storage *storage)
{
	struct space *space = &storage->space;

	space->naming = 0;
	/* What the janitor was given is taken back first. */
	if (space->state == SPACE_SETTLING || space->state == SPACE_READING)
		space->state = SPACE_RESTING;
	space->from = (struct pack_place){0};
}

void space_init(struct space *space, struct storage *storage)
{
	space->own = (struct storage_group){.done = own_done};
	space->bytes_a_second = COPY_BYTES_A_SECOND;
	janitor_init(&space->janitor, storage);
}

void space_fini(struct space *space)
{
	janitor_fini(&space->janitor);
}
