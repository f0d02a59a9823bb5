/* Housekeeping.  Nothing here is in the log: whoever rebuilds the index comes to the same
 * end by doing it again. */
#include "base/num.h"
#include "rt/clock.h"
#include "storage/apply.h"
#include "storage/changes.h"
#include "storage/embedded.h"
#include "storage/expunged.h"

enum {
	SLICE_US = 5000,
	STEP_ROWS = 64,   /* between two looks at the clock */
	KEY_MINUTES = 60, /* timed keys are kept so long */
	KEPT_MINUTES = 7 * 24 * 60,
	LOOK_S = 10, /* between two looks whether the snapshot is forgotten */
};

/* Memberships of deleted mailboxes, a few at a time. */
static err_t purge_step(struct work *work, bool *did)
{
	struct key key;
	err_t err = kv_seek(&work->cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_PURGE));

	if (err == ERR_ABSENT ||
	    (err == OK && !key_is_of(work->cursor.key, ACCOUNT_SYSTEM, TABLE_PURGE)))
		return OK;
	TRY(err);
	struct dec d = key_dec(work->cursor.key);
	account_t account = dec_key32(&d);
	uint64_t mailbox = dec_key48(&d);
	struct dec value = dec_over(work->cursor.value);
	int64_t at = (int64_t)dec_u64(&value);

	*did = true;
	TRY(work_account(work, account));
	for (unsigned i = 0; i < STEP_ROWS; i++) {
		struct member_row row;
		uint32_t uid;
		uint64_t size;

		err = work_member_from(work, mailbox, 0, &uid, &row);
		if (err == ERR_ABSENT)
			return kv_delete(work->txn, key_purge(&key, account, mailbox));
		TRY(err);
		TRY(member_remove(work, mailbox, uid, &row, at, &size));
	}
	return OK;
}

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

/* Expunged messages whose time is over. */
static err_t expiry_step(struct work *work, int64_t now, bool *did)
{
	for (unsigned i = 0; i < STEP_ROWS; i++) {
		struct key key;
		err_t err = kv_seek(&work->cursor,
				    key_table(&key, ACCOUNT_SYSTEM, TABLE_EXPIRY));

		if (err == ERR_ABSENT ||
		    (err == OK &&
		     !key_is_of(work->cursor.key, ACCOUNT_SYSTEM, TABLE_EXPIRY)))
			return OK;
		TRY(err);
		struct dec d = key_dec(work->cursor.key);
		int64_t until = (int64_t)dec_key64(&d);
		account_t account = dec_key32(&d);

		if (until > now)
			return OK;
		*did = true;
		TRY(expunged_drop(work, account, dec_key48(&d), until));
	}
	return OK;
}

static err_t trim_step(struct work *work, bool *did)
{
	struct key key;
	bool more;
	err_t err = kv_seek(&work->cursor, key_table(&key, ACCOUNT_SYSTEM, TABLE_TRIM));

	if (err == ERR_ABSENT ||
	    (err == OK && !key_is_of(work->cursor.key, ACCOUNT_SYSTEM, TABLE_TRIM)))
		return OK;
	TRY(err);
	struct dec d = key_dec(work->cursor.key);

	*did = true;
	return changes_trim(work, dec_key32(&d), STEP_ROWS, &more);
}

/* Until the slice is over or nothing is left. */
static err_t steps(struct work *work, int64_t now, bool *did, bool *more)
{
	uint64_t until = clock_monotonic_us() + SLICE_US;

	*did = *more = false;
	do {
		*more = false;
		TRY(purge_step(work, more));
		TRY(keys_step(work, now, more));
		TRY(kept_step(work, now, more));
		TRY(expiry_step(work, now, more));
		TRY(trim_step(work, more));
		*did |= *more;
	} while (*more && clock_monotonic_us() < until);
	return OK;
}

static bool slice(struct storage *storage, int64_t now)
{
	bool did = false, more = false;

	if (storage->has_snapshot && now >= storage->looked_at + LOOK_S) {
		snapshot_look_for(storage);
		storage->looked_at = now;
	}
	if (storage->is_read_only || index_begin(storage) != OK)
		return false;
	if (steps(&storage->work, now, &did, &more) != OK) {
		/* The log brings back what the transaction held. */
		index_rewind(storage);
		return false;
	}
	if (did)
		index_changed(storage);
	storage->work.may_share |= !more;
	bool more_space;

	if (space_step(storage, &more_space) != OK) {
		index_rewind(storage);
		return false;
	}
	return more || more_space;
}

bool storage_maintain(struct storage *storage, int64_t now)
{
	uint64_t began_us = clock_monotonic_us();
	bool more = slice(storage, now);

	/* Whoever copies the index waits for an open transaction. */
	if (!storage->has_changes)
		work_drop(&storage->work);
	uint64_t took_us = clock_monotonic_us() - began_us;

	storage->times.slice_max = num_max(storage->times.slice_max, took_us);
	return more;
}
