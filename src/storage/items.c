#include "storage/items.h"

#include "base/num.h"
#include "storage/threads.h"

uint64_t item_size(const struct item_row *row)
{
	return row->trace.len + row->raw_size;
}

static err_t reference_add(struct work *work, const struct blob *blob, account_t account,
			   uint64_t message)
{
	struct key key;

	return kv_put(
		work->txn,
		key_reference(&key, blob->at.pack, blob->at.offset, account, message),
		STR(""));
}

/* The first to share a body gives the message that had it alone a reference as well. */
static err_t share(struct work *work, account_t account, uint64_t message)
{
	struct item_row from;
	err_t err = work_item(work, account, message, &from);

	if (err == ERR_ABSENT) /* lost by damage; the body is still where it was */
		return OK;
	TRY(err);
	if (from.is_shared)
		return OK;
	from.is_shared = true;
	TRY(work_item_put(work, account, message, &from));
	return reference_add(work, &from.blob, account, message);
}

static err_t digest_copy(struct work *work, uint64_t message, account_t from_account,
			 uint64_t from_message)
{
	struct key key;
	struct str digest;
	err_t err = kv_get(work->txn,
			   key_message(&key, from_account, from_message, PART_DIGEST),
			   &digest);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	buf_reset(&work->row);
	buf_add(&work->row, digest);
	return kv_put(work->txn,
		      key_message(&key, work->account.id, message, PART_DIGEST),
		      buf_str(&work->row));
}

err_t item_add(struct work *work, uint64_t message, const struct item_row *row,
	       struct str digest, account_t from_account, uint64_t from_message)
{
	struct key key;
	account_t account = work->account.id;
	struct item_row added = *row;

	added.is_shared = from_message != 0;
	if (added.is_shared) {
		TRY(share(work, from_account, from_message));
		TRY(reference_add(work, &row->blob, account, message));
	} else {
		work->state.body_bytes += row->blob.at.length;
	}
	TRY(work_item_put(work, account, message, &added));
	work_number_used(work, message);
	if (digest.len > 0)
		return kv_put(work->txn, key_message(&key, account, message, PART_DIGEST),
			      digest);
	if (added.is_shared)
		return digest_copy(work, message, from_account, from_message);
	return OK;
}

err_t item_ref(struct work *work, uint64_t message)
{
	struct item_row row;

	TRY(work_item(work, work->account.id, message, &row));
	row.members++;
	return work_item_put(work, work->account.id, message, &row);
}

/* Lists the body as dead, unless others share it.  Maintenance may punch it out when the
 * group that listed it is durable. */
static err_t body_drop(struct work *work, account_t account, uint64_t message,
		       const struct item_row *row)
{
	struct key key;

	if (row->is_shared) {
		err_t err = kv_delete(work->txn, key_reference(&key, row->blob.at.pack,
							       row->blob.at.offset,
							       account, message));

		if (err != OK && err != ERR_ABSENT)
			return err;
		struct str others = key_reference(&key, row->blob.at.pack,
						  row->blob.at.offset, 0, UINT64_MAX);

		err = kv_seek(&work->cursor, others);
		if (err == OK && str_starts(work->cursor.key, others))
			return OK;
		if (err != OK && err != ERR_ABSENT)
			return err;
	}
	work->state.body_bytes -= num_min(work->state.body_bytes, row->blob.at.length);
	buf_reset(&work->row);
	enc_var(&work->row, row->blob.at.length);
	enc_var(&work->row, work->state.sequence + 1);
	return kv_put(work->txn, key_dead(&key, row->blob.at.pack, row->blob.at.offset),
		      buf_str(&work->row));
}

err_t item_unref(struct work *work, account_t account, uint64_t message, bool *gone)
{
	struct item_row row;
	struct key key;
	err_t err = work_item(work, account, message, &row);

	*gone = false;
	if (err == ERR_ABSENT) /* lost by damage */
		return OK;
	TRY(err);
	if (row.members > 1) {
		row.members--;
		return work_item_put(work, account, message, &row);
	}
	*gone = true;
	row.trace = STR(""); /* it stands where we write now */
	if (row.is_threaded)
		TRY(thread_leave(work, account, message));
	TRY(kv_delete(work->txn, key_message(&key, account, message, PART_ITEM)));
	err = kv_delete(work->txn, key_message(&key, account, message, PART_DIGEST));
	if (err != OK && err != ERR_ABSENT)
		return err;
	return body_drop(work, account, message, &row);
}
