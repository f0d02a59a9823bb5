#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "db/disk.h"
#include "db/kvpages.h"
#include "rt/clock.h"
#include "search/index.h"
#include "storage/embedded.h"

static const uint64_t default_pack_bytes = (uint64_t)1 << 30;
enum {
	RECORD_BYTES_MAX = 256 << 20,
	SCRATCH_BYTES_MAX = 16 << 20,
	ROOM_DOUBLINGS = 8,
};

char *storage_path(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = mem_zeroed(size, 1);

	(void)snprintf(path, size, "%s/%s", folder, name); /* it fits */
	return path;
}

err_t storage_lock(const char *folder, int *fd, const char **why)
{
	char *path = storage_path(folder, "lock");

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	mem_free(path);
	if (*fd < 0) {
		*why = "the lock file cannot be opened";
		return ERR_IO;
	}
	if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		(void)close(*fd);
		*fd = -1;
		*why = "another process has the data directory open";
		return ERR_DENIED;
	}
	return OK;
}

static const char *name_of(const struct storage *storage)
{
	return storage->folder ? storage->folder : "in memory";
}

/* ---- the index --------------------------------------------------------------------- */

enum { UNCLEAN_MAX = 8 };

/* Garbage in its pages would stop the process each time that it is met. */
static err_t index_look(struct storage *storage, const char **why)
{
	struct kv_pages pages = {0};
	err_t err = kv_check_pages(storage->index_path, KV_PAGES_ALL, &pages);

	LOG(INFO, "index looked through", KV_INT("count", pages.pages));
	if (err == OK || err == ERR_ABSENT)
		return OK;
	storage->is_index_damaged = err == ERR_SYNTAX;
	*why = err == ERR_SYNTAX ? "pages of the index are damaged"
				 : "the index cannot be read";
	LOG(ERROR, "index damaged", KV("why", pages.why ? pages.why : *why));
	return err;
}

/* Counts this start as one that did not end well, until it has, and looks at the index if
 * one crashed, or many in a row were ended from outside, as one that hangs would be.  A
 * look at a large index takes seconds: a kill or a power cut now and then costs none. */
static err_t start_count(struct storage *storage, const char **why)
{
	char *path = storage_path(storage->folder, "unclean");

	unclean_open(&storage->unclean, path);
	mem_free(path);
	struct unclean_starts starts = unclean_count(&storage->unclean);

	if (!starts.has_crashed && starts.count < UNCLEAN_MAX)
		return OK;
	storage->is_wary = true;
	TRY(index_look(storage, why));
	unclean_begin_again(&storage->unclean);
	return OK;
}

static err_t index_open(struct storage *storage, const char **why)
{
	/* The log brings it up to date, so that half of the index's flushes are saved. */
	struct kv_options options = {.path = storage->index_path,
				     .bytes_max = storage->index_room,
				     .sync = KV_SYNC_LATE};
	err_t err = kv_open(&options, &storage->kv);

	storage->is_index_damaged = err == ERR_SYNTAX;
	if (err == ERR_SYNTAX)
		*why = "the index is damaged";
	else if (err != OK)
		*why = "the index cannot be opened";
	return err;
}

/* What the log holds beyond the index may need more of it than whoever did it first: the
 * log does not tell what housekeeping freed meanwhile.  There is no harm in a larger map:
 * what is taken is judged by index_bytes_max. */
static err_t replay_in_room(struct storage *storage, bool is_fresh_pack, const char **why)
{
	uint64_t room_max = storage->index_bytes_max << ROOM_DOUBLINGS;

	for (;;) {
		storage->lacks_map = false;
		err_t err = storage_replay(storage, is_fresh_pack, why);

		if (!storage->lacks_map || storage->index_room >= room_max ||
		    disk_is_full(storage))
			return err;
		kv_close(&storage->kv);
		storage->index_room *= 2;
		LOG(WARN, "index gets more room", KV_INT("bytes", storage->index_room));
		TRY(index_open(storage, why));
	}
}

err_t storage_bring_up(struct storage *storage, bool is_fresh_pack, const char **why)
{
	struct packs_options options = {.folder = storage->packs_path,
					.pack_bytes_max = storage->pack_bytes_max};

	if (!storage->kv)
		TRY(index_open(storage, why));
	if (!storage->packs)
		TRY(packs_open(&options, &storage->packs, why));
	packs_trust(storage->packs, storage->trusted);
	storage->is_read_only = storage->open_as == STORAGE_READ_ONLY;
	return replay_in_room(storage, is_fresh_pack, why);
}

static void paths_set(struct storage *storage, const struct storage_options *options)
{
	storage->folder = storage_path(options->folder, "");
	storage->index_path =
		storage_path(options->folder,
			     options->index_name ? options->index_name : STORAGE_INDEX);
	storage->packs_path = storage_path(options->folder, "packs");
}

/* *is_index_damaged tells whether that is why. */
static err_t open_once(const struct storage_options *options, struct arena *arena,
		       struct storage **opened, struct str *why, bool *is_index_damaged)
{
	struct storage *storage = NEW(struct storage);
	const char *sentence = "";
	bool is_ours = !options->is_as_it_is && !options->index_name &&
		       options->open_as == STORAGE_LIVE && options->folder;

	if (options->folder)
		paths_set(storage, options);
	storage->pack_bytes_max =
		options->pack_bytes_max ? options->pack_bytes_max : default_pack_bytes;
	storage->index_bytes_max =
		options->index_bytes_max ? options->index_bytes_max : STORAGE_INDEX_BYTES;
	storage->index_room = 2 * storage->index_bytes_max;
	storage->open_as = options->open_as;
	storage->attachments = options->attachments;
	storage->lock_fd = storage->unclean.fd = -1;
	flusher_init(&storage->flusher);
	space_init(&storage->space, storage);
	storage->keeps_space = options->is_as_it_is;
	if (options->copy_bytes_a_second)
		storage->space.bytes_a_second = options->copy_bytes_a_second;
	storage->effects = storage->record = BUF(RECORD_BYTES_MAX);
	storage->scratch = BUF(SCRATCH_BYTES_MAX);
	(void)pthread_rwlock_init(&storage->gate, NULL); /* cannot fail with defaults */
	storage->trusted = options->trusted;
	snapshot_look_for(storage);
	err_t err = storage->folder
			    ? storage_lock(storage->folder, &storage->lock_fd, &sentence)
			    : OK;

	if (err == OK && is_ours)
		err = start_count(storage, &sentence);
	if (err == OK)
		err = storage_bring_up(storage, options->open_as == STORAGE_RESTORED,
				       &sentence);
	storage->open_as = STORAGE_LIVE; /* should it have to reopen */
	/* The names of index and packs, before anything is promised. */
	if (err == OK && !storage->is_read_only && storage->folder &&
	    (err = disk_flush_folder(storage->folder)) != OK)
		sentence = "the data directory cannot be flushed";
	if (err == OK && !storage->is_read_only && !options->is_as_it_is) {
		err = storage_release_leases(storage);
		storage->is_index_damaged = err == ERR_SYNTAX;
		sentence = err == ERR_SYNTAX ? "the index is damaged"
					     : "the index cannot be written";
	}
	storage->is_up = err == OK && is_ours;
	if (err == OK && options->open_as == STORAGE_RESTORED)
		storage_search_remove(options->folder); /* of another history */
	if (storage->is_up && options->has_search)
		storage_search_open(storage);
	*why = STR("");
	*is_index_damaged = storage->is_index_damaged;
	if (err != OK) {
		*why = arena_printf(arena, "%s: %s (%s)",
				    options->folder ? options->folder : "in memory",
				    sentence, err_text(err));
		storage_close(&storage);
	}
	*opened = storage;
	return err;
}

err_t storage_open(const struct storage_options *options, struct arena *arena,
		   struct storage **opened, struct str *why)
{
	bool is_index_damaged;
	err_t err = open_once(options, arena, opened, why, &is_index_damaged);

	if (err == OK || !is_index_damaged || options->is_as_it_is ||
	    options->index_name || options->open_as != STORAGE_LIVE)
		return err;
	struct str reason;

	LOG(ERROR, "index damaged, made anew from the packs", KV_STR("why", *why));
	if (storage_rebuild_whole(options, arena, &reason) != OK) {
		*why = arena_printf(arena, "%.*s, and it cannot be made anew: %.*s",
				    STR_FMT(*why), STR_FMT(reason));
		return err;
	}
	return open_once(options, arena, opened, why, &is_index_damaged);
}

void storage_close(struct storage **closed)
{
	struct storage *storage = *closed;

	if (!storage)
		return;
	space_fini(&storage->space);
	if (storage->work.txn)
		storage_index_commit(storage);
	unclean_close(&storage->unclean, storage->is_up && !storage->is_read_only);
	flusher_fini(&storage->flusher);
	work_fini(&storage->work);
	search_index_close(&storage->search);
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
	LOG(WARN, "store reopens", KV("folder", name_of(storage)));
	space_forget(storage);
	work_drop(&storage->work);
	kv_close(&storage->kv);
	err_t err = packs_mend(storage->packs);

	if (err == OK)
		err = index_open(storage, &why);
	if (err == OK)
		err = replay_in_room(storage, true, &why);
	storage->is_read_only = err != OK;
	storage->lacks_room = err == ERR_LIMIT;
	storage->stopped_us = clock_monotonic_us();
	if (err != OK) {
		LOG(ERROR, "store is read-only", KV("folder", name_of(storage)),
		    KV("why", why));
		if (!storage->kv && index_open(storage, &why) != OK)
			LOG(ERROR, "store cannot be read", KV("why", why));
	}
	index_reopened(storage);
	(void)pthread_rwlock_unlock(&storage->gate);
}
