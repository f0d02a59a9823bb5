/* What others, such as a backup, take from a storage that is in use. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "storage/embedded.h"

/* The oldest pin's group stands for all of them, until the last has gone. */
void storage_pin(struct storage *storage)
{
	if (atomic_load(&storage->pins) == 0)
		atomic_store(&storage->pinned_sequence,
			     flusher_durable(&storage->flusher));
	atomic_fetch_add(&storage->pins, 1);
}

void storage_unpin(struct storage *storage)
{
	ASSERT(atomic_fetch_sub(&storage->pins, 1) > 0);
}

bool storage_is_pinned(struct storage *storage)
{
	return atomic_load(&storage->pins) > 0 || atomic_load(&storage->has_snapshot);
}

uint64_t storage_pinned_sequence(struct storage *storage)
{
	if (atomic_load(&storage->has_snapshot))
		return UINT64_MAX - 1;
	return storage_is_pinned(storage) ? atomic_load(&storage->pinned_sequence)
					  : UINT64_MAX;
}

static bool is_there(const struct storage *storage, const char *name)
{
	if (!storage->folder)
		return false;
	char *path = storage_path(storage->folder, name);
	bool is = access(path, F_OK) == 0;

	mem_free(path);
	return is;
}

void snapshot_look_for(struct storage *storage)
{
	atomic_store(&storage->has_snapshot, is_there(storage, STORAGE_SNAPSHOT));
}

bool snapshot_has_pack(const struct storage *storage, uint32_t pack)
{
	char name[64];

	(void)snprintf(name, sizeof name, STORAGE_SNAPSHOT "/packs/%08u.pack", pack);
	return is_there(storage, name);
}

static err_t read_state(struct storage *storage, struct state_row *state)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;
	struct str value;

	if (reader_begin(&reader, storage) != STORE_OK)
		return ERR_IO;
	TRY(kv_get(reader.txn, key_state(&key), &value));
	return state_read(value, state) ? OK : ERR_SYNTAX;
}

/* A store that has stopped may never have got into its index what it acknowledged last: a
 * copy would lack that, and nobody would know. */
err_t storage_copy_index(struct storage *storage, int fd)
{
	struct state_row state;

	TRY(read_state(storage, &state));
	(void)pthread_rwlock_rdlock(&storage->gate);
	bool is_behind = storage->is_read_only &&
			 flusher_durable(&storage->flusher) > state.sequence;
	err_t err = storage->kv && !is_behind ? kv_copy(storage->kv, fd) : ERR_IO;

	(void)pthread_rwlock_unlock(&storage->gate);
	if (is_behind)
		LOG(ERROR, "index lacks what was acknowledged, and is not copied",
		    KV("folder", storage->folder ? storage->folder : "in memory"));
	return err;
}

/* The index never shows what is not durable, so its place is one up to which all packs
 * are; those before the one it is in do not grow any more. */
err_t storage_extent(struct storage *storage, struct arena *arena,
		     struct store_extent *extent)
{
	struct state_row state;
	uint32_t number = 0;
	uint64_t size;

	TRY(read_state(storage, &state));
	*extent = (struct store_extent){.epoch = state.epoch, .sequence = state.sequence};
	extent->packs = ARENA_ARRAY(arena, struct pack_extent, state.end.pack);
	if (!extent->packs)
		return ERR_LIMIT;
	while (packs_next(storage->packs, &number, &size) && number <= state.end.pack)
		extent->packs[extent->count++] = (struct pack_extent){
			number, number == state.end.pack ? state.end.offset : size};
	return OK;
}
