#include "storage/bodies.h"

#include "base/num.h"

enum {
	/* Frames below are not looked for: a row of the index, on a page of its own,
	 * costs more than they do. */
	EQUAL_BYTES_MIN = 4096,
	HOLDERS_MAX = 16, /* looked at, for one that is not expunged */
};

/* ---- packs ------------------------------------------------------------------------- */

static uint64_t changed_by(uint64_t value, int64_t by)
{
	return by < 0 ? value - num_min(value, (uint64_t)-by) : value + (uint64_t)by;
}

/* What becomes of octets of frames in a pack and in all. */
static err_t count(struct work *work, uint32_t pack, int64_t live, int64_t dead,
		   int64_t punched)
{
	struct state_row *state = &work->state;
	struct pack_row *row;

	TRY(work_pack(work, pack, &row));
	row->live = changed_by(row->live, live);
	row->kept = num_min(row->kept, row->live);
	row->dead = changed_by(row->dead, dead);
	row->punched = changed_by(row->punched, punched);
	state->body_bytes = changed_by(state->body_bytes, live);
	state->dead_bytes = changed_by(state->dead_bytes, dead);
	state->punched_bytes = changed_by(state->punched_bytes, punched);
	return OK;
}

static err_t list_dead(struct work *work, struct pack_body at)
{
	struct key key;
	struct dead_row row = {.length = at.length, .sequence = work->state.sequence + 1};

	buf_reset(&work->row);
	dead_write(&work->row, &row);
	return kv_put(work->txn, key_dead(&key, at.pack, at.offset), buf_str(&work->row));
}

/* ---- equal ones -------------------------------------------------------------------- */

static err_t equal_put(struct work *work, const struct blob *blob, account_t account,
		       uint64_t message)
{
	struct key key;

	if (blob->at.length < EQUAL_BYTES_MIN)
		return OK;
	buf_reset(&work->row);
	enc_u32(&work->row, account);
	enc_var(&work->row, message);
	return kv_put(work->txn, key_equal(&key, blob->hash), buf_str(&work->row));
}

/* message 0: none. */
static err_t equal_get(struct work *work, const struct blob *blob, account_t *account,
		       uint64_t *message)
{
	struct key key;
	struct str value;

	*message = 0;
	if (blob->at.length < EQUAL_BYTES_MIN)
		return OK;
	err_t err = kv_get(work->txn, key_equal(&key, blob->hash), &value);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	struct dec d = dec_over(value);

	*account = dec_u32(&d);
	*message = dec_var(&d);
	return dec_done(&d) ? OK : ERR_SYNTAX;
}

/* If it is this message that is known for its body: `other` is from now on, or nobody. */
static err_t equal_pass_on(struct work *work, const struct blob *blob, account_t account,
			   uint64_t message, account_t other_account, uint64_t other)
{
	account_t known_account;
	uint64_t known;
	struct key key;

	TRY(equal_get(work, blob, &known_account, &known));
	if (known == 0 || known != message || known_account != account)
		return OK;
	if (other != 0)
		return equal_put(work, blob, other_account, other);
	return kv_delete(work->txn, key_equal(&key, blob->hash));
}

/* ---- references -------------------------------------------------------------------- */

static err_t reference_add(struct work *work, struct pack_body at, account_t account,
			   uint64_t message)
{
	struct key key;

	return kv_put(work->txn,
		      key_reference(&key, at.pack, at.offset, account, message), STR(""));
}

static err_t reference_delete(struct work *work, struct pack_body at, account_t account,
			      uint64_t message)
{
	struct key key;
	err_t err = kv_delete(work->txn,
			      key_reference(&key, at.pack, at.offset, account, message));

	return err == ERR_ABSENT ? OK : err;
}

/* The first message of those that share the body, or the next where the work's cursor is;
 * ERR_ABSENT if there is none. */
static err_t reference_find(struct work *work, struct pack_body at, bool is_next,
			    account_t *account, uint64_t *message)
{
	struct key key;
	struct str others = key_reference(&key, at.pack, at.offset, 0, UINT64_MAX);

	TRY(is_next ? kv_next(&work->cursor) : kv_seek(&work->cursor, others));
	if (!str_starts(work->cursor.key, others))
		return ERR_ABSENT;
	struct dec d = dec_over(str_skip(work->cursor.key, others.len));

	*account = dec_key32(&d);
	*message = dec_key48(&d);
	return dec_done(&d) ? OK : ERR_SYNTAX;
}

/* One of those that share the body that somebody can read. */
static err_t find_needed(struct work *work, struct pack_body at, account_t *account,
			 uint64_t *message)
{
	struct item_row item;

	for (unsigned i = 0; i < HOLDERS_MAX; i++) {
		TRY(reference_find(work, at, i > 0, account, message));
		TRY(work_item(work, *account, *message, &item));
		if (item.members > 0)
			return OK;
	}
	return ERR_ABSENT;
}

err_t body_find_equal(struct work *work, const struct effect_body *body,
		      account_t *account, uint64_t *message)
{
	struct item_row item;
	struct key key;
	struct str value;
	err_t err = equal_get(work, &body->blob, account, message);

	if (!work->may_share)
		*message = 0;
	if (err != OK || *message == 0)
		return err;
	err = work_item(work, *account, *message, &item);
	if (err == OK && (item.raw_size != body->raw_size ||
			  item.blob.at.length != body->blob.at.length ||
			  memcmp(item.blob.hash, body->blob.hash, BLOB_HASH_BYTES) != 0))
		err = ERR_ABSENT;
	/* An expunged one may have been let go and punched out already where the index
	 * comes anew from the log, which does not tell. */
	if (err == OK && item.members == 0)
		err = item.is_shared ? find_needed(work, item.blob.at, account, message)
				     : ERR_ABSENT;
	if (err == OK &&
	    kv_get(work->txn, key_dead(&key, item.blob.at.pack, item.blob.at.offset),
		   &value) == OK)
		err = ERR_ABSENT;
	if (err == ERR_ABSENT)
		*message = 0;
	return err == ERR_ABSENT ? OK : err;
}

/* ---- life and death ---------------------------------------------------------------- */

err_t body_add(struct work *work, account_t account, uint64_t message,
	       const struct blob *blob)
{
	TRY(count(work, blob->at.pack, (int64_t)blob->at.length, 0, 0));
	return equal_put(work, blob, account, message);
}

err_t body_share(struct work *work, account_t account, uint64_t message,
		 const struct blob *blob, account_t from_account, uint64_t from_message)
{
	struct item_row from;
	err_t err = work_item(work, from_account, from_message, &from);

	if (err != OK && err != ERR_ABSENT) /* lost by damage; the body is where it was */
		return err;
	if (err == OK && !from.is_shared) {
		struct pack_body at = from.blob.at;

		from.is_shared = true;
		TRY(work_item_put(work, from_account, from_message, &from));
		TRY(reference_add(work, at, from_account, from_message));
	}
	work->state.shared_bytes += blob->at.length;
	return reference_add(work, blob->at, account, message);
}

err_t body_drop(struct work *work, account_t account, uint64_t message,
		const struct item_row *row)
{
	const struct blob *blob = &row->blob;
	int64_t length = (int64_t)blob->at.length;
	account_t other_account;
	uint64_t other;

	if (row->is_shared) {
		TRY(reference_delete(work, blob->at, account, message));
		err_t err = reference_find(work, blob->at, false, &other_account, &other);

		if (err == OK) {
			work->state.shared_bytes =
				changed_by(work->state.shared_bytes, -length);
			return equal_pass_on(work, blob, account, message, other_account,
					     other);
		}
		if (err != ERR_ABSENT)
			return err;
	}
	TRY(equal_pass_on(work, blob, account, message, 0, 0));
	TRY(count(work, blob->at.pack, -length, length, 0));
	return list_dead(work, blob->at);
}

err_t body_punched(struct work *work, uint32_t pack, uint64_t offset, uint64_t length)
{
	struct key key;

	err_t err = kv_delete(work->txn, key_dead(&key, pack, offset));

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	return count(work, pack, 0, -(int64_t)length, (int64_t)length);
}

/* ---- moved ones -------------------------------------------------------------------- */

/* *did stays false if the message is gone, or has another body. */
static err_t move_one(struct work *work, const struct effect_body_moved *e,
		      account_t account, uint64_t message, bool *did)
{
	struct item_row item;
	err_t err = work_item(work, account, message, &item);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (item.blob.at.pack != e->from.pack || item.blob.at.offset != e->from.offset)
		return OK;
	bool is_shared = item.is_shared;

	item.blob.at = e->to;
	*did = true;
	TRY(work_item_put(work, account, message, &item));
	return is_shared ? reference_add(work, e->to, account, message) : OK;
}

err_t body_is_needed(struct work *work, struct pack_body at, account_t account,
		     uint64_t message, bool *is_needed)
{
	account_t other_account;
	uint64_t other;
	struct item_row item;
	err_t err = reference_find(work, at, false, &other_account, &other);

	*is_needed = err == OK;
	if (err != ERR_ABSENT)
		return err;
	err = work_item(work, account, message, &item);
	*is_needed = err == OK && item.blob.at.pack == at.pack &&
		     item.blob.at.offset == at.offset;
	return err == ERR_ABSENT ? OK : err;
}

err_t apply_body_moved(struct work *work, const struct effect_body_moved *e)
{
	int64_t length = (int64_t)e->from.length;
	bool did = false;
	account_t account;
	uint64_t message;
	err_t err;

	while ((err = reference_find(work, e->from, false, &account, &message)) == OK) {
		TRY(reference_delete(work, e->from, account, message));
		TRY(move_one(work, e, account, message, &did));
	}
	if (err != ERR_ABSENT)
		return err;
	if (e->message != 0)
		TRY(move_one(work, e, e->account, e->message, &did));
	if (!did) { /* lost by damage: nobody needs the copy */
		TRY(count(work, e->to.pack, 0, length, 0));
		return list_dead(work, e->to);
	}
	TRY(count(work, e->to.pack, length, 0, 0));
	TRY(count(work, e->from.pack, -length, length, 0));
	return list_dead(work, e->from);
}
