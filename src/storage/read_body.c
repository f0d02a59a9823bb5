/* Bodies, for any thread. */
#include "base/log.h"
#include "storage/embedded.h"

/* Where it stands. */
static enum store_outcome find_blob(struct reader *reader, account_t account,
				    uint64_t message, struct pack_body *at)
{
	struct key key;
	struct item_row item;

	if (message >> NUMBER_MAX_BITS)
		return STORE_ABSENT;
	struct str wanted = key_message(&key, account, message, PART_ITEM);
	err_t err = kv_seek(&reader->cursor, wanted); /* it is near the last, mostly */

	if (err == ERR_ABSENT ||
	    ((err == OK || err == ERR_SYNTAX) && !str_same(reader->cursor.key, wanted)))
		return STORE_ABSENT;
	if (err != OK)
		return read_err(err);
	if (!item_read(reader->cursor.value, &item))
		return read_damaged("message");
	*at = item.blob.at;
	return item.members == 0 ? STORE_ABSENT : STORE_OK; /* expunged */
}

static enum store_outcome read_blob(struct storage *storage, account_t account,
				    uint64_t message, struct pack_body at,
				    uint64_t offset, size_t room, struct buf *frame,
				    uint64_t *raw_size)
{
	if (offset == 0)
		atomic_fetch_add(&storage->bodies_read, 1);
	err_t err = packs_read(storage->packs, at, offset, room, frame, raw_size);

	if (err != ERR_SYNTAX && err != ERR_ABSENT)
		return read_err(err);
	LOG(ERROR, "message damaged on disk", KV_INT("account", account),
	    KV_INT("message", message), KV_INT("pack", at.pack),
	    KV_INT("offset", at.offset));
	return STORE_DAMAGED;
}

static enum store_outcome frame_read(struct storage *storage, account_t account,
				     uint64_t message, uint64_t offset, size_t room,
				     struct buf *frame, uint64_t *frame_size,
				     uint64_t *raw_size)
{
	SCOPED(reader_end) struct reader reader;
	struct pack_body at;
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome == STORE_OK)
		outcome = find_blob(&reader, account, message, &at);
	if (outcome != STORE_OK)
		return outcome;
	reader_rest(&reader);
	*frame_size = at.length;
	return read_blob(storage, account, message, at, offset, room, frame, raw_size);
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

static void read_several(struct storage *storage, account_t account,
			 struct storage_frame *frames, size_t count, size_t room,
			 struct buf *octets)
{
	SCOPED(reader_end) struct reader reader;
	struct pack_body at[STORAGE_FRAMES_MAX];
	enum store_outcome outcome = reader_begin(&reader, storage);

	for (size_t i = 0; i < count; i++)
		frames[i].outcome =
			outcome == STORE_OK
				? find_blob(&reader, account, frames[i].message, &at[i])
				: outcome;
	reader_rest(&reader);
	for (size_t i = 0; i < count; i++) {
		struct storage_frame *frame = &frames[i];

		if (frame->outcome != STORE_OK)
			continue;
		frame->from = octets->len;
		frame->outcome =
			at[i].length > room - octets->len
				? STORE_INVALID
				: read_blob(storage, account, frame->message, at[i], 0,
					    at[i].length, octets, &frame->raw_size);
		frame->len = octets->len - frame->from;
	}
}

void storage_frames(struct storage *storage, account_t account,
		    struct storage_frame *frames, size_t count, size_t room,
		    struct buf *octets)
{
	unsigned turn = space_reader_begin(storage);

	ASSERT(count <= STORAGE_FRAMES_MAX);
	read_several(storage, account, frames, count, room, octets);
	space_reader_end(storage, turn);
}
