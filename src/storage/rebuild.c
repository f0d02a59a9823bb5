/* The index anew from the packs.  It is made beside the old one, and takes its place when
 * it is complete and in order.  What was never in the log comes back by itself: leases
 * end with the process, housekeeping (purges, old keys, the trimming of change logs) is
 * done again; mails that were set aside are found again by the next check. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/disk.h"
#include "db/kvpages.h"
#include "rt/clock.h"
#include "storage/embedded.h"
#include "storage/repair.h"

#define FRESH_NAME   "index.lmdb.new"
#define DAMAGED_NAME "index.lmdb.damaged"

static err_t remove_file(const char *folder, const char *name)
{
	char *path = storage_path(folder, name);
	bool is_gone = unlink(path) == 0 || errno == ENOENT;

	mem_free(path);
	return is_gone ? OK : ERR_IO;
}

static err_t fresh_remove(const char *folder)
{
	TRY(remove_file(folder, FRESH_NAME "-lock"));
	return remove_file(folder, FRESH_NAME);
}

/* ---- what is known before ---------------------------------------------------------- */

struct known {
	uint64_t sequence; /* of the last group that the old index held; 0: unknown */
	uint64_t epoch;
};

static struct known state_of(struct kv *kv)
{
	struct kv_txn *txn = NULL;
	struct key key;
	struct str value;
	struct state_row state = {0};
	bool is_there = kv_begin(kv, KV_READ, &txn) == OK &&
			kv_get(txn, key_state(&key), &value) == OK &&
			state_read(value, &state);

	kv_drop(&txn);
	return is_there ? (struct known){state.sequence, state.epoch} : (struct known){0};
}

/* The groups that the old index held were durable, and their numbers were given out. */
static struct known known_before(const struct check_options *options)
{
	char *path = storage_path(options->folder, STORAGE_INDEX);
	struct kv_pages pages = {0};
	struct kv_options how = {.path = path,
				 .bytes_max = options->index_bytes_max
						      ? options->index_bytes_max
						      : STORAGE_INDEX_BYTES,
				 .sync = KV_SYNC_LATE};
	struct known known = {0};
	struct kv *kv = NULL;

	if (kv_check_pages(path, KV_PAGES_ALL, &pages) == OK && kv_open(&how, &kv) == OK)
		known = state_of(kv);
	kv_close(&kv);
	mem_free(path);
	return known;
}

/* Can nothing be missing?  Reads all packs. */
static err_t is_log_whole(const struct check_options *options, struct known known,
			  struct check_report *report, bool *is_whole, const char **why)
{
	char *path = storage_path(options->folder, "packs");
	struct packs_options how = {.folder = path, .pack_bytes_max = UINT64_MAX};
	struct packs *packs;
	struct pack_map map = {0};
	err_t err = packs_open(&how, &packs, why);

	*is_whole = false;
	if (err == OK) {
		packs_trust(packs, known.sequence);
		*why = "the disk failed while the log was read";
		err = pack_map_make(packs, options, report, UINT64_MAX, &map);
	}
	if (err == OK)
		*is_whole = map.is_whole && map.sequence >= known.sequence;
	report->is_whole_log = *is_whole;
	pack_map_fini(&map);
	packs_close(&packs);
	mem_free(path);
	return err;
}

err_t check_log(const struct check_options *options, struct check_report *report)
{
	const char *why;
	bool is_whole;
	err_t err = is_log_whole(options, known_before(options), report, &is_whole, &why);

	return err == ERR_SYNTAX ? OK : err;
}

/* ---- the new one ------------------------------------------------------------------- */

/* The old one stays beside it, for whoever wants to look. */
static err_t put_in_place(const char *folder)
{
	char *index = storage_path(folder, STORAGE_INDEX);
	char *fresh = storage_path(folder, FRESH_NAME);
	char *old = storage_path(folder, DAMAGED_NAME);
	err_t err = remove_file(folder, STORAGE_INDEX "-lock");

	if (err == OK && rename(index, old) != 0 && errno != ENOENT)
		err = ERR_IO;
	if (err == OK && rename(fresh, index) != 0)
		err = ERR_IO;
	if (err == OK)
		err = disk_flush_folder(folder);
	mem_free(index);
	mem_free(fresh);
	mem_free(old);
	return err == OK ? fresh_remove(folder) : err;
}

static err_t finish(struct storage *storage, const struct check_options *options,
		    struct check_report *report, const char **why)
{
	bool is_in_order;

	*why = "the new index cannot be written";
	while (storage_maintain(storage, clock_s()))
		storage_index_commit(storage);
	storage_index_commit(storage);
	if (storage->is_read_only)
		return ERR_IO;
	TRY(check_patch(storage, options, report, &is_in_order));
	*why = "the new index is not in order, so the old one stays";
	if (!is_in_order)
		return ERR_SYNTAX;
	*why = "the new index cannot be flushed";
	TRY(kv_sync(storage->kv));
	return put_in_place(options->folder);
}

err_t rebuild(const struct check_options *options, bool must_be_whole,
	      struct arena *arena, struct check_report *report, struct str *why)
{
	struct known known = known_before(options);
	const char *sentence = "an earlier attempt cannot be removed";
	bool is_whole = false;
	struct storage *storage = NULL;

	*why = STR("");
	err_t err = fresh_remove(options->folder);

	if (err == OK)
		err = is_log_whole(options, known, report, &is_whole, &sentence);
	if (err == OK && must_be_whole && !is_whole) {
		sentence = "groups of the log are missing";
		err = ERR_SYNTAX;
	}
	struct storage_options how = {.folder = options->folder,
				      .pack_bytes_max = options->pack_bytes_max,
				      .index_bytes_max = options->index_bytes_max,
				      .index_name = FRESH_NAME,
				      .trusted = known.sequence,
				      .is_as_it_is = true,
				      .open_as =
					      is_whole ? STORAGE_LIVE : STORAGE_RESTORED};

	if (err == OK)
		err = storage_open(&how, arena, &storage, why);
	if (err == OK)
		err = finish(storage, options, report, &sentence);
	storage_close(&storage);
	if (err == OK) {
		report->is_rebuilt = true;
		report->is_epoch_raised = !is_whole;
	} else if (why->len == 0) {
		*why = str_c(sentence);
	}
	return err;
}

err_t storage_rebuild(const struct check_options *options, struct arena *arena,
		      struct check_report *report, struct str *why)
{
	const char *sentence;
	int lock;

	*report = (struct check_report){0};
	*why = STR("");
	err_t err = storage_lock(options->folder, &lock, &sentence);

	if (err != OK) {
		*why = str_c(sentence);
		return err;
	}
	(void)close(lock); /* storage_open() takes it again */
	return rebuild(options, false, arena, report, why);
}

err_t storage_rebuild_whole(const struct storage_options *options, struct arena *arena,
			    struct str *why)
{
	struct check_report report = {0};
	struct check_options how = {.folder = options->folder,
				    .pack_bytes_max = options->pack_bytes_max,
				    .index_bytes_max = options->index_bytes_max};

	return rebuild(&how, true, arena, &report, why);
}
