/* Bodies, for any thread. */
#include "base/log.h"
#include "storage/embedded.h"

static enum store_outcome damaged(void)
{
	LOG(ERROR, "index row damaged", KV("row", "message"));
	return STORE_UNAVAILABLE;
}

static enum store_outcome frame_read(struct storage *storage, account_t account,
				     uint64_t message, uint64_t offset, size_t room,
				     struct buf *frame, uint64_t *frame_size,
				     uint64_t *raw_size)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;
	struct str value;
	struct item_row item;
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome != STORE_OK)
		return outcome;
	if (message >> NUMBER_MAX_BITS)
		return STORE_ABSENT;
	err_t err = kv_get(reader.txn, key_message(&key, account, message, PART_ITEM),
			   &value);

	if (err != OK)
		return read_err(err);
	if (!item_read(value, &item))
		return damaged();
	if (item.members == 0) /* expunged */
		return STORE_ABSENT;
	/* Not to be held while the disk is read. */
	kv_cursor_close(&reader.cursor);
	kv_drop(&reader.txn);
	*frame_size = item.blob.at.length;
	if (offset == 0)
		atomic_fetch_add(&storage->bodies_read, 1);
	err = packs_read(storage->packs, item.blob.at, offset, room, frame, raw_size);
	if (err != ERR_SYNTAX && err != ERR_ABSENT)
		return read_err(err);
	LOG(ERROR, "message damaged on disk", KV_INT("account", account),
	    KV_INT("message", message), KV_INT("pack", item.blob.at.pack),
	    KV_INT("offset", item.blob.at.offset));
	return STORE_DAMAGED;
}

enum store_outcome storage_frame(struct storage *storage, account_t account,
				 uint64_t message, uint64_t offset, size_t room,
				 struct buf *frame, uint64_t *frame_size,
				 uint64_t *raw_size)
{
	unsigned turn = space_reader_begin(storage);
	enum store_outcome outcome = frame_read(storage, account, message, offset, room,
						frame, frame_size, raw_size);

	space_reader_end(storage, turn);
	return outcome;
}
