#include "storage/items.h"

#include "storage/bodies.h"
#include "storage/threads.h"

uint64_t item_size(const struct item_row *row)
{
	return row->trace.len + row->raw_size;
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
	TRY(added.is_shared ? body_share(work, account, message, &row->blob, from_account,
					 from_message)
			    : body_add(work, account, message, &row->blob));
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
