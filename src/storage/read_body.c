/* Bodies, for any thread. */
#include "base/log.h"
#include "storage/embedded.h"

_Static_assert(STORAGE_FRAMES_EXTRA >= STORAGE_FRAMES_MAX * PACK_RUN_EXTRA,
	       "gaps have room");

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

static enum store_outcome read_outcome(account_t account, uint64_t message,
				       struct pack_body at, err_t err)
{
	if (err != ERR_SYNTAX && err != ERR_ABSENT)
		return read_err(err);
	LOG(ERROR, "message damaged on disk", KV_INT("account", account),
	    KV_INT("message", message), KV_INT("pack", at.pack),
	    KV_INT("offset", at.offset));
	return STORE_DAMAGED;
}

static enum store_outcome read_blob(struct storage *storage, account_t account,
				    uint64_t message, struct pack_body at,
				    uint64_t offset, size_t room, struct buf *frame,
				    uint64_t *raw_size)
{
	if (offset == 0)
		atomic_fetch_add(&storage->bodies_read, 1);
	err_t err = packs_read(storage->packs, at, offset, room, frame, raw_size);

	return read_outcome(account, message, at, err);
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

/* Those that have room. */
static size_t find_several(struct storage *storage, account_t account,
			   struct storage_frame *frames, size_t count, size_t room,
			   struct pack_body *at, struct storage_frame **found)
{
	SCOPED(reader_end) struct reader reader;
	enum store_outcome outcome = reader_begin(&reader, storage);
	size_t found_count = 0;

	for (size_t i = 0; i < count; i++) {
		struct storage_frame *frame = &frames[i];
		struct pack_body *place = &at[found_count];

		frame->outcome = outcome;
		if (outcome == STORE_OK)
			frame->outcome =
				find_blob(&reader, account, frame->message, place);
		if (frame->outcome == STORE_OK && place->length > room)
			frame->outcome = STORE_INVALID;
		if (frame->outcome != STORE_OK)
			continue;
		frame->len = (size_t)place->length;
		room -= frame->len;
		found[found_count++] = frame;
	}
	return found_count;
}

/* Gives how many it has read. */
static size_t read_run(struct storage *storage, account_t account,
		       struct storage_frame **frames, const struct pack_body *at,
		       size_t count, struct buf *octets)
{
	struct pack_frame run[STORAGE_FRAMES_MAX];
	size_t done = packs_read_run(storage->packs, at, count, octets, run);

	for (size_t i = 0; i < done; i++) {
		frames[i]->from = run[i].from;
		frames[i]->raw_size = run[i].raw_size;
		frames[i]->outcome =
			read_outcome(account, frames[i]->message, at[i], run[i].err);
	}
	atomic_fetch_add(&storage->bodies_read, done);
	if (done > 0)
		return done;
	frames[0]->from = octets->len;
	frames[0]->outcome = read_blob(storage, account, frames[0]->message, at[0], 0,
				       frames[0]->len, octets, &frames[0]->raw_size);
	return 1;
}

void storage_frames(struct storage *storage, account_t account,
		    struct storage_frame *frames, size_t count, size_t room,
		    struct buf *octets)
{
	struct pack_body at[STORAGE_FRAMES_MAX];
	struct storage_frame *found[STORAGE_FRAMES_MAX];
	unsigned turn = space_reader_begin(storage);

	ASSERT(count <= STORAGE_FRAMES_MAX);
	size_t left = find_several(storage, account, frames, count, room, at, found);

	for (size_t i = 0; i < left;)
		i += read_run(storage, account, &found[i], &at[i], left - i, octets);
	space_reader_end(storage, turn);
}
