#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "db/disk.h"
#include "rt/clock.h"
#include "storage/embedded.h"

static const uint64_t default_pack_bytes = (uint64_t)1 << 30;
static const uint64_t default_index_bytes = (uint64_t)64 << 30;
enum { RECORD_BYTES_MAX = 256 << 20, SCRATCH_BYTES_MAX = 16 << 20 };

static char *path_in(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = mem_zeroed(size, 1);

	(void)snprintf(path, size, "%s/%s", folder, name); /* it fits */
	return path;
}

/* Held until the process ends or closes the storage. */
static err_t lock_folder(struct storage *storage, const char **why)
{
	char *path = path_in(storage->folder, "lock");

	storage->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	mem_free(path);
	if (storage->lock_fd < 0) {
		*why = "the lock file cannot be opened";
		return ERR_IO;
	}
	if (flock(storage->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		*why = "another process has the data directory open";
		return ERR_DENIED;
	}
	return OK;
}

static err_t index_open(struct storage *storage, const char **why)
{
	/* The log brings it up to date, so that half of the index's flushes are saved. */
	struct kv_options options = {.path = storage->index_path,
				     .bytes_max = storage->index_bytes_max,
				     .sync = KV_SYNC_LATE};
	err_t err = kv_open(&options, &storage->kv);

	if (err == ERR_SYNTAX)
		*why = "the index is damaged; remove it to have it rebuilt from the "
		       "packs";
	else if (err != OK)
		*why = "the index cannot be opened";
	return err;
}

err_t storage_bring_up(struct storage *storage, bool is_fresh_pack, const char **why)
{
	struct packs_options options = {.folder = storage->packs_path,
					.pack_bytes_max = storage->pack_bytes_max};

	if (!storage->kv)
		TRY(index_open(storage, why));
	if (!storage->packs)
		TRY(packs_open(&options, &storage->packs, why));
	storage->is_read_only = storage->open_as == STORAGE_READ_ONLY;
	return storage->is_read_only ? OK : storage_replay(storage, is_fresh_pack, why);
}

err_t storage_open(const struct storage_options *options, struct arena *arena,
		   struct storage **opened, struct str *why)
{
	struct storage *storage = NEW(struct storage);
	const char *sentence = "";

	storage->folder = path_in(options->folder, "");
	storage->index_path = path_in(options->folder, "index.lmdb");
	storage->packs_path = path_in(options->folder, "packs");
	storage->pack_bytes_max =
		options->pack_bytes_max ? options->pack_bytes_max : default_pack_bytes;
	storage->index_bytes_max =
		options->index_bytes_max ? options->index_bytes_max : default_index_bytes;
	storage->open_as = options->open_as;
	storage->lock_fd = -1;
	flusher_init(&storage->flusher);
	storage->effects = storage->record = BUF(RECORD_BYTES_MAX);
	storage->scratch = BUF(SCRATCH_BYTES_MAX);
	(void)pthread_rwlock_init(&storage->gate, NULL); /* cannot fail with defaults */
	err_t err = lock_folder(storage, &sentence);

	if (err == OK)
		err = storage_bring_up(storage, options->open_as == STORAGE_RESTORED,
				       &sentence);
	storage->open_as = STORAGE_LIVE; /* should it have to reopen */
	/* The names of index and packs, before anything is promised. */
	if (err == OK && !storage->is_read_only &&
	    (err = disk_flush_folder(storage->folder)) != OK)
		sentence = "the data directory cannot be flushed";
	if (err == OK && !storage->is_read_only &&
	    storage_release_leases(storage) != OK) {
		sentence = "the index cannot be written";
		err = ERR_IO;
	}
	*why = STR("");
	if (err != OK) {
		*why = arena_printf(arena, "%s: %s (%s)", options->folder, sentence,
				    err_text(err));
		storage_close(&storage);
	}
	*opened = storage;
	return err;
}

void storage_close(struct storage **closed)
{
	struct storage *storage = *closed;

	if (!storage)
		return;
	if (storage->work.txn)
		storage_index_commit(storage);
	flusher_fini(&storage->flusher);
	work_fini(&storage->work);
	kv_close(&storage->kv);
	packs_close(&storage->packs);
	if (storage->lock_fd >= 0)
		(void)close(storage->lock_fd); /* gives the lock back */
	buf_fini(&storage->effects);
	buf_fini(&storage->record);
	buf_fini(&storage->scratch);
	mem_free(storage->order);
	mem_free(storage->folder);
	mem_free(storage->index_path);
	mem_free(storage->packs_path);
	(void)pthread_rwlock_destroy(&storage->gate);
	mem_free(storage);
	*closed = NULL;
}

void storage_recover(struct storage *storage)
{
	const char *why = "it failed again";

	(void)flusher_drain(&storage->flusher); /* it is settled below */
	(void)pthread_rwlock_wrlock(&storage->gate);
	LOG(WARN, "store reopens", KV("folder", storage->folder));
	work_drop(&storage->work);
	kv_close(&storage->kv);
	err_t err = packs_mend(storage->packs);

	if (err == OK)
		err = index_open(storage, &why);
	if (err == OK)
		err = storage_replay(storage, true, &why);
	storage->is_read_only = err != OK;
	storage->lacks_room = err == ERR_LIMIT;
	storage->stopped_us = clock_monotonic_us();
	if (err != OK) {
		LOG(ERROR, "store is read-only", KV("folder", storage->folder),
		    KV("why", why));
		if (!storage->kv && index_open(storage, &why) != OK)
			LOG(ERROR, "store cannot be read", KV("why", why));
	}
	index_reopened(storage);
	(void)pthread_rwlock_unlock(&storage->gate);
}
