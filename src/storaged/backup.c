/* What a backup needs of the store: that nothing vanishes from the packs while it copies
 * them, a copy of the index, and how far the packs hold what was acknowledged. */
#include "base/log.h"
#include "rt/offload.h"
#include "storaged/state.h"

struct copying {
	struct storage *storage;
	int index_fd;
	struct arena *arena;
	struct store_extent extent;
	err_t err;
};

static void copy_index(void *arg)
{
	struct copying *copying = arg;

	copying->err = storage_copy_index(copying->storage, copying->index_fd);
}

static void find_extent(void *arg)
{
	struct copying *copying = arg;

	copying->err = storage_extent(copying->storage, copying->arena, &copying->extent);
}

/* First the writer ends what it was at, space being freed too, and all that was
 * acknowledged comes into the index; then what comes while that is copied. */
static err_t copy(struct guest *guest, struct copying *copying)
{
	writer_catch_up(guest->storaged->writer);
	offload(copy_index, copying);
	TRY(copying->err);
	writer_catch_up(guest->storaged->writer);
	offload(find_extent, copying);
	return copying->err;
}

void backup_begin(struct guest *guest, int index_fd, struct arena *arena, uint64_t id)
{
	struct copying copying = {
		.storage = guest->storaged->options.storage, index_fd, arena};
	struct buf reply = BUF(REPLY_BYTES_MAX);

	if (guest->has_pin || index_fd < 0) {
		reply_only(guest, id, STORE_INVALID);
		return;
	}
	guest->has_pin = true;
	storage_pin(copying.storage);
	err_t err = copy(guest, &copying);

	if (err == OK) {
		enc_u8(&reply, STORE_OK);
		store_enc_extent(&reply, &copying.extent);
		reply_send(guest, id, &reply);
	} else {
		LOG(ERROR, "no copy of the index", KV("error", err_text(err)));
		(void)backup_end(guest); /* it was begun above */
		reply_only(guest, id, STORE_UNAVAILABLE);
	}
	buf_fini(&reply);
}

enum store_outcome backup_end(struct guest *guest)
{
	if (!guest->has_pin)
		return STORE_ABSENT;
	guest->has_pin = false;
	storage_unpin(guest->storaged->options.storage);
	return STORE_OK;
}
