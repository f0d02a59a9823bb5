/* What can be brought back, for any thread. */
#include "base/log.h"
#include "base/num.h"
#include "storage/embedded.h"
#include "storage/items.h"

static enum store_outcome fill(struct reader *reader, account_t account, uint64_t member,
			       struct arena *arena, struct undelete_row *row)
{
	struct expunged_row expunged;
	struct item_row item;
	struct key key;
	struct str value;

	if (!expunged_read(reader->cursor.value, &expunged))
		return read_damaged("expunged");
	*row = (struct undelete_row){.member = member,
				     .message = expunged.message,
				     .mailbox = expunged.mailbox,
				     .uid = expunged.uid,
				     .flags = expunged.flags,
				     .expunged_at = expunged.expunged_at,
				     .until = expunged.until};
	err_t err = kv_get(reader->txn,
			   key_message(&key, account, row->message, PART_ITEM), &value);

	if (err != OK || !item_read(value, &item))
		return read_damaged("message");
	row->received_at = item.received_at;
	row->size = item_size(&item);
	err = kv_get(reader->txn, key_message(&key, account, row->message, PART_DIGEST),
		     &value);
	if (err != OK && err != ERR_ABSENT)
		return read_err(err);
	return err == ERR_ABSENT || arena_copy(arena, value, &row->digest)
		       ? STORE_OK
		       : STORE_INVALID;
}

enum store_outcome storage_expunged(struct storage *storage, account_t account,
				    uint64_t after, size_t limit, struct arena *arena,
				    struct undelete_row **rows, size_t *count)
{
	SCOPED(reader_end) struct reader reader;
	struct account_row row;
	struct key key;
	enum store_outcome outcome = reader_begin(&reader, storage);
	size_t bytes = 0;

	*count = 0;
	if (outcome == STORE_OK)
		outcome = reader_account(&reader, account, &row);
	if (outcome != STORE_OK)
		return outcome;
	limit = (size_t)num_min(limit, EXPUNGED_PAGE_MAX);
	*rows = ARENA_ARRAY(arena, struct undelete_row, limit);
	if (!*rows || after >> NUMBER_MAX_BITS)
		return STORE_INVALID;
	err_t err = kv_seek(&reader.cursor, key_expunged(&key, account, after + 1));

	for (; err == OK && *count < limit && bytes < ROWS_PAGE_BYTES;
	     err = kv_next(&reader.cursor)) {
		if (!key_is_of(reader.cursor.key, account, TABLE_EXPUNGED))
			return STORE_OK;
		struct dec d = key_dec(reader.cursor.key);

		outcome = fill(&reader, account, dec_key48(&d), arena, &(*rows)[*count]);
		if (outcome != STORE_OK)
			return outcome;
		bytes += (*rows)[(*count)++].digest.len;
	}
	return err == ERR_ABSENT ? STORE_OK : read_err(err);
}
