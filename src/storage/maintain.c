/* Housekeeping.  Purges and the end of what was expunged are in the log, since what comes
 * after rests on them: whether an expunged message is kept is decided by what else holds
 * it, and by how much is kept already.  The rest is not: whoever rebuilds the index comes
 * to the same end by doing it again. */
#include "base/num.h"
#include "rt/clock.h"
#include "storage/apply.h"
#include "storage/changes.h"
#include "storage/embedded.h"
#include "storage/members.h"

enum {
	SLICE_US = 5000,
	STEP_ROWS = 64, /* between two looks at the clock */
	/* Of a slice, or a step more: as many as go in that time where they are now, and
	 * not too many for the index commit.  The least is 64 messages. */
	UPKEEP_ROWS_MIN = 512,
	UPKEEP_ROWS_MAX = 4096,
	ROWS_OF_MESSAGE = 8, /* about so many go with it */
	KEY_MINUTES = 60,    /* timed keys are kept so long */
	KEPT_MINUTES = 7 * 24 * 60,
	LOOK_S = 10, /* between two looks whether the snapshot is forgotten */
};

/* ---- what the log tells ------------------------------------------------------------ */

/* The next memberships of a deleted mailbox; *did stays false if there are none. */
static err_t purge_plan(struct work *work, size_t most, struct effect_purged *e,
			bool *did)
{
	static const struct uid_range all = {0, UINT32_MAX};
	struct members members;
	struct key key;
	err_t err = kv_seek(&work->cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_PURGE));

	if (err == ERR_ABSENT ||
	    (err == OK && !key_is_of(work->cursor.key, ACCOUNT_SYSTEM, TABLE_PURGE)))
		return OK;
	TRY(err);
	struct dec d = key_dec(work->cursor.key), value = dec_over(work->cursor.value);

	*e = (struct effect_purged){.at = (int64_t)dec_u64(&value)};
	e->account = dec_key32(&d);
	e->mailbox = dec_key48(&d);
	*did = true;
	TRY(work_account(work, e->account));
	members_begin(&members, work, e->mailbox, (struct uid_set){&all, 1});
	for (size_t i = 0; i < most; i++) {
		err = members_next(&members);
		e->is_end = err == ERR_ABSENT;
		if (err != OK)
			return e->is_end ? OK : err;
		e->upto = members.uid;
	}
	return OK;
}

/* The next expunged messages whose time is over. */
static err_t expiry_plan(struct work *work, size_t most, int64_t now,
			 struct effect_expired *e, bool *did)
{
	struct key key;
	err_t err = kv_seek(&work->cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_EXPIRY));

	for (size_t i = 0; i < most && err == OK; i++) {
		if (!key_is_of(work->cursor.key, ACCOUNT_SYSTEM, TABLE_EXPIRY))
			return OK;
		struct dec d = key_dec(work->cursor.key);
		int64_t until = (int64_t)dec_key64(&d);

		if (until > now)
			return OK;
		*did = true;
		e->until = until;
		e->account = dec_key32(&d);
		e->member = dec_key48(&d);
		err = kv_next(&work->cursor);
	}
	return err == ERR_ABSENT ? OK : err;
}

static size_t rows_of_slice(const struct storage *storage)
{
	return num_max(storage->upkeep_rows, UPKEEP_ROWS_MIN);
}

static size_t messages_of_slice(const struct storage *storage)
{
	return rows_of_slice(storage) / ROWS_OF_MESSAGE;
}

static err_t told(struct storage *storage, const struct effect *effect, uint32_t *count)
{
	struct op_result result;

	*count = 1;
	effect_write(&storage->effects, effect);
	return effect_apply(&storage->work, effect, &result);
}

static err_t fill_purge(struct storage *storage, uint32_t *count)
{
	struct effect effect = {.kind = EFFECT_PURGED};
	bool did = false;

	TRY(purge_plan(&storage->work, messages_of_slice(storage), &effect.purged, &did));
	return did ? told(storage, &effect, count) : OK;
}

static err_t fill_expiry(struct storage *storage, uint32_t *count)
{
	struct effect effect = {.kind = EFFECT_EXPIRED};
	bool did = false;

	TRY(expiry_plan(&storage->work, messages_of_slice(storage),
			storage->maintained_at, &effect.expired, &did));
	return did ? told(storage, &effect, count) : OK;
}

/* One of these at a time: the next waits until it is durable. */
static err_t logged_step(struct storage *storage, bool *more)
{
	struct effect effect;

	*more = own_is_busy(storage);
	if (*more)
		return OK;
	TRY(purge_plan(&storage->work, 1, &effect.purged, more));
	if (*more)
		return own_commit(storage, fill_purge);
	TRY(expiry_plan(&storage->work, 1, storage->maintained_at, &effect.expired,
			more));
	return *more ? own_commit(storage, fill_expiry) : OK;
}

/* ---- what only the index is told --------------------------------------------------- */

/* Idempotency keys whose time is over. */
static err_t keys_step(struct work *work, int64_t now, bool *did)
{
	int64_t minute_now = now / 60;

	for (unsigned i = 0; i < STEP_ROWS; i++) {
		struct key key;
		err_t err = kv_seek(&work->cursor,
				    key_table(&key, ACCOUNT_SYSTEM, TABLE_TIMED_KEY));

		if (err == ERR_ABSENT)
			return OK;
		TRY(err);
		struct str found = work->cursor.key;
		struct dec d = key_dec(found);

		if (!key_is_of(found, ACCOUNT_SYSTEM, TABLE_TIMED_KEY) ||
		    (int64_t)dec_key32(&d) + KEY_MINUTES >= minute_now)
			return OK;
		*did = true;
		memcpy(key.bytes, found.ptr, found.len);
		TRY(kv_delete(work->txn, (struct str){key.bytes, found.len}));
	}
	return OK;
}

/* Kept ones that nobody forgot: whoever would have asked again is long gone. */
static err_t kept_step(struct work *work, int64_t now, bool *did)
{
	for (unsigned i = 0; i < STEP_ROWS; i++) {
		struct key key;
		err_t err = kv_seek(&work->cursor,
				    key_table(&key, ACCOUNT_SYSTEM, TABLE_KEPT_AGE));

		if (err == ERR_ABSENT)
			return OK;
		TRY(err);
		struct str age = {key.bytes, work->cursor.key.len};

		memcpy(key.bytes, work->cursor.key.ptr, age.len);
		struct dec d = key_dec(age);

		if (!key_is_of(age, ACCOUNT_SYSTEM, TABLE_KEPT_AGE) ||
		    (int64_t)dec_key32(&d) + KEPT_MINUTES >= now / 60)
			return OK;
		account_t account = dec_key32(&d);

		*did = true;
		TRY(key_forget(work, account, d.rest));
		err = kv_delete(work->txn, age);
		if (err != ERR_ABSENT)
			TRY(err);
	}
	return OK;
}

static err_t trim_step(struct work *work, int64_t now, bool *did)
{
	struct key key;
	err_t err = kv_seek(&work->cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_TRIM));

	if (err == ERR_ABSENT ||
	    (err == OK && !key_is_of(work->cursor.key, ACCOUNT_SYSTEM, TABLE_TRIM)))
		return OK;
	TRY(err);
	struct dec d = key_dec(work->cursor.key);
	uint32_t day = dec_key32(&d);

	if (day > change_day(now))
		return OK;
	*did = true;
	return changes_trim(work, dec_key32(&d), day, now, STEP_ROWS);
}

/* Where a slice ends. */
struct bounds {
	uint64_t until_us;
	size_t changes_max; /* of the index transaction */
};

/* Until the slice is over or nothing is left. */
static err_t steps(struct work *work, int64_t now, struct bounds bounds, bool *did,
		   bool *more)
{
	*did = *more = false;
	do {
		*more = false;
		TRY(keys_step(work, now, more));
		TRY(kept_step(work, now, more));
		TRY(trim_step(work, now, more));
		*did |= *more;
	} while (*more && clock_monotonic_us() < bounds.until_us &&
		 kv_changes(work->txn) < bounds.changes_max);
	return OK;
}

/* What has seen its time. */
static err_t rows_step(struct storage *storage, struct bounds bounds, bool *more)
{
	bool did, more_logged;

	TRY(logged_step(storage, &more_logged));
	TRY(steps(&storage->work, storage->maintained_at, bounds, &did, more));
	if (did)
		index_changed(storage);
	storage->work.may_share |= !*more && !more_logged;
	*more |= more_logged;
	return OK;
}

static err_t half(struct storage *storage, bool is_of_space, struct bounds bounds,
		  bool *more)
{
	return is_of_space ? space_step(storage, more) : rows_step(storage, bounds, more);
}

/* The second one if there is time left; if not, it is the first of the next slice. */
static err_t halves(struct storage *storage, bool *more)
{
	struct bounds bounds = {.until_us = clock_monotonic_us() + SLICE_US / 2,
				.changes_max = rows_of_slice(storage)};
	bool more_first, more_second = true;

	storage->space_first = !storage->space_first;
	TRY(half(storage, storage->space_first, bounds, &more_first));
	if (clock_monotonic_us() < bounds.until_us)
		TRY(half(storage, !storage->space_first, bounds, &more_second));
	*more = more_first || more_second;
	return OK;
}

static bool slice(struct storage *storage, int64_t now)
{
	bool more;

	if (storage->has_snapshot && now >= storage->looked_at + LOOK_S) {
		snapshot_look_for(storage);
		storage->looked_at = now;
	}
	if (storage->is_read_only || index_begin(storage) != OK)
		return false;
	storage->maintained_at = now;
	if (halves(storage, &more) == OK)
		return more;
	/* The log brings back what the transaction held. */
	index_rewind(storage);
	return false;
}

/* Fewer rows for the next slice after one that took too long, more if it was cut short.
 */
static void rows_fit(struct storage *storage, size_t rows, uint64_t took_us)
{
	size_t fit = rows_of_slice(storage);

	if (took_us > SLICE_US)
		fit /= 2;
	else if (rows >= fit)
		fit += fit / 8;
	storage->upkeep_rows = num_min(fit, UPKEEP_ROWS_MAX);
}

bool storage_maintain(struct storage *storage, int64_t now)
{
	uint64_t began_us = clock_monotonic_us();

	if (storage->has_changes)
		return true;
	bool more = slice(storage, now);
	size_t rows = storage->work.txn ? kv_changes(storage->work.txn) : 0;

	/* Whoever copies the index waits for an open transaction. */
	if (!storage->has_changes)
		work_drop(&storage->work);
	uint64_t took_us = clock_monotonic_us() - began_us;

	rows_fit(storage, rows, took_us);
	storage->times.slice_max = num_max(storage->times.slice_max, took_us);
	return more;
}
