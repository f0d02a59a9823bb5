/* Leasing queue rows. */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "storage/apply.h"
#include "storage/embedded.h"
#include "storage/queue_read.h"

enum { LEASES_MAX = 1000 };

/* ---- what is due ------------------------------------------------------------------- */

/* A leased row comes again when its lease has ended. */
struct found {
	struct due due;
	bool is_expired;
};

struct stream {
	struct found *list;
	size_t count, taken;
};

/* The place of a row in the index of what is due; false at the end of the class. */
static bool wait_read(struct str key, enum queue_kind kind, enum wait_class class,
		      int64_t *due_at, struct due *due)
{
	if (!key_is_of(key, ACCOUNT_SYSTEM, TABLE_WAIT))
		return false;
	struct dec d = key_dec(key);

	if (dec_u8(&d) != kind || dec_u8(&d) != class)
		return false;
	*due_at = (int64_t)dec_key64(&d);
	due->account = dec_key32(&d);
	due->row = dec_key48(&d);
	return dec_done(&d);
}

static err_t stream_fill(struct work *work, enum queue_kind kind, enum wait_class class,
			 int64_t now, size_t limit, struct stream *stream)
{
	struct key key;
	err_t err = kv_seek(&work->cursor, key_wait(&key, kind, class, 0, 0, 0));

	for (; err == OK && stream->count < limit; err = kv_next(&work->cursor)) {
		struct found *found = &stream->list[stream->count];
		int64_t due_at;

		if (!wait_read(work->cursor.key, kind, class, &due_at, &found->due) ||
		    due_at > now)
			return OK;
		found->is_expired = class == WAIT_LEASED;
		stream->count++;
	}
	return err == ERR_ABSENT ? OK : err;
}

/* Who is asked first, place by place; then the others, as urgent as they are.  So nobody
 * starves: of eight places normal mail has two beside urgent, and bulk mail one beside
 * both. */
static struct found stream_take(struct stream streams[WAIT_CLASSES], uint64_t turn)
{
	static const enum wait_class first[] = {WAIT_URGENT, WAIT_URGENT, WAIT_NORMAL,
						WAIT_URGENT, WAIT_LEASED, WAIT_URGENT,
						WAIT_NORMAL, WAIT_BULK};
	static const enum wait_class then[] = {WAIT_URGENT, WAIT_LEASED, WAIT_NORMAL,
					       WAIT_BULK};
	struct stream *stream = &streams[first[turn % COUNT_OF(first)]];

	for (size_t i = 0; stream->taken == stream->count; i++)
		stream = &streams[then[i]];
	return stream->list[stream->taken++];
}

static err_t find_due(struct storage *storage, const struct storage_lease *lease,
		      size_t limit, struct found *list, size_t *count)
{
	struct stream streams[WAIT_CLASSES] = {0};
	struct found *room = NEW_ARRAY(struct found, WAIT_CLASSES * (limit + 1));
	size_t all = 0;
	err_t err = OK;

	for (unsigned i = 0; i < WAIT_CLASSES && err == OK; i++) {
		streams[i].list = room + i * (limit + 1);
		err = stream_fill(&storage->work, lease->kind, (enum wait_class)i,
				  lease->now, limit, &streams[i]);
		all += streams[i].count;
	}
	*count = err == OK ? num_min(all, limit) : 0;
	for (size_t i = 0; i < *count; i++)
		list[i] = stream_take(streams, storage->lease_turn++);
	mem_free(room);
	return err;
}

static err_t next_due_get(struct work *work, enum queue_kind kind, int64_t *next_due)
{
	*next_due = 0;
	for (unsigned i = 0; i < WAIT_CLASSES; i++) {
		struct key key;
		struct due due;
		int64_t due_at;
		err_t err = kv_seek(&work->cursor,
				    key_wait(&key, kind, (enum wait_class)i, 0, 0, 0));

		if (err == ERR_ABSENT)
			continue;
		TRY(err);
		if (wait_read(work->cursor.key, kind, (enum wait_class)i, &due_at,
			      &due) &&
		    (*next_due == 0 || due_at < *next_due))
			*next_due = due_at;
	}
	return OK;
}

/* ---- leasing ----------------------------------------------------------------------- */

/* A row that somebody held while it was leased is not leased again. */
static err_t is_held_meanwhile(struct work *work, const struct found *found, int64_t now,
			       bool *is_held, int64_t *due_at)
{
	struct key key;
	struct str value;
	struct waiting_row row;

	*is_held = false;
	if (!found->is_expired)
		return OK;
	TRY(kv_get(work->txn,
		   key_numbered(&key, found->due.account, TABLE_QUEUE, found->due.row),
		   &value));
	if (!waiting_read(value, &row))
		return ERR_SYNTAX;
	*is_held = row.held_until > now;
	*due_at = row.due_at;
	return OK;
}

static err_t lease_row(struct storage *storage, struct found *found,
		       const struct storage_lease *lease)
{
	struct work *work = &storage->work;
	struct effect effect = {.kind = EFFECT_LEASE};
	struct op_result result;
	int64_t due_at;
	bool is_held;

	TRY(is_held_meanwhile(work, found, lease->now, &is_held, &due_at));
	if (is_held) {
		effect.kind = OP_QUEUE_SETTLE;
		effect.settle = (struct effect_settle){.row = found->due.row,
						       .outcome = QUEUE_RELEASE,
						       .due_at = due_at};
		found->due.row = 0; /* not for the caller */
	} else {
		effect.lease = (struct effect_lease){.row = found->due.row,
						     .lease = work_number(work),
						     .until = lease->leased_until};
	}
	effect_write(&storage->effects, &effect);
	return effect_apply(work, &effect, &result);
}

/* All rows of the list that are of the first one's account: one record. */
static err_t lease_account(struct storage *storage, struct found *list, size_t count,
			   const struct storage_lease *lease)
{
	struct work *work = &storage->work;
	struct commit_head head = {.account = list[0].due.account, .now = work->now};

	TRY(work_account(work, head.account));
	buf_reset(&storage->effects);
	for (size_t i = 0; i < count; i++) {
		if (list[i].due.account != head.account)
			continue;
		TRY(lease_row(storage, &list[i], lease));
		head.count++;
	}
	return group_record(storage, &head);
}

static bool is_first_of_account(const struct found *list, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (list[i].due.account == list[at].due.account)
			return false;
	return true;
}

static err_t lease_all(struct storage *storage, struct found *list, size_t count,
		       const struct storage_lease *lease)
{
	for (size_t i = 0; i < count; i++)
		if (is_first_of_account(list, i))
			TRY(lease_account(storage, list + i, count - i, lease));
	return OK;
}

static enum store_outcome rows_get(struct storage *storage, const struct found *list,
				   size_t found, struct storage_lease *lease)
{
	lease->rows = ARENA_ARRAY(lease->arena, struct queue_row, found);
	if (!lease->rows)
		return STORE_INVALID;
	for (size_t i = 0; i < found; i++) {
		if (list[i].due.row == 0)
			continue;
		enum store_outcome outcome =
			queue_row_get(storage->work.txn, &list[i].due, false,
				      lease->arena, &lease->rows[lease->count]);

		if (outcome == STORE_OK)
			lease->count++;
		/* A damaged one stays leased, and costs only itself. */
		else if (outcome != STORE_UNAVAILABLE && outcome != STORE_ABSENT)
			return outcome;
	}
	return STORE_OK;
}

void lease_plan(struct storage *storage, struct plan *plan, struct storage_lease *lease)
{
	struct work *work = &storage->work;
	size_t found = 0, limit = (size_t)num_min(lease->limit, LEASES_MAX);

	lease->count = 0;
	lease->next_due = 0;
	lease->outcome = STORE_INVALID;
	if (lease->leased_until <= lease->now)
		return;
	struct found *list = NEW_ARRAY(struct found, limit + 1);
	err_t err = find_due(storage, lease, limit, list, &found);

	if (err == OK)
		err = lease_all(storage, list, found, lease);
	if (err == OK)
		lease->outcome = rows_get(storage, list, found, lease);
	if (err == OK)
		err = next_due_get(work, lease->kind, &lease->next_due);
	if (found > 0)
		storage_touch(storage, ACCOUNT_SYSTEM, STORAGE_QUEUE);
	mem_free(list);
	plan->failed = err;
}

/* ---- what a process that is gone had leased -----------------------------------------
 */

static err_t first_leased(struct work *work, struct due *due)
{
	for (unsigned kind = QUEUE_LOCAL; kind <= QUEUE_REMOTE; kind++) {
		struct key key;
		int64_t until;
		err_t err = kv_seek(&work->cursor, key_wait(&key, (enum queue_kind)kind,
							    WAIT_LEASED, 0, 0, 0));

		if (err == ERR_ABSENT)
			continue;
		TRY(err);
		if (wait_read(work->cursor.key, (enum queue_kind)kind, WAIT_LEASED,
			      &until, due))
			return OK;
	}
	return ERR_ABSENT;
}

/* Not in the log: whoever rebuilds the index comes here again. */
err_t storage_release_leases(struct storage *storage)
{
	struct work *work = &storage->work;
	struct due due;
	err_t err = index_begin(storage);
	uint64_t count = 0;

	while (err == OK && (err = first_leased(work, &due)) == OK) {
		struct effect_settle settle = {
			.row = due.row, .outcome = QUEUE_RELEASE, .due_at = work->now};

		err = work_account(work, due.account);
		if (err == OK)
			err = apply_settle(work, &settle);
		count++;
	}
	if (err != ERR_ABSENT)
		return err;
	if (count > 0) {
		LOG(INFO, "leases released", KV_INT("count", count));
		index_changed(storage);
	}
	storage_index_commit(storage);
	return OK;
}
