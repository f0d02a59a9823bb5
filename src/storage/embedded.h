/* The embedded back end: one data directory, opened by one process.
 *
 *   lock              held (flock) while the directory is open
 *   unclean           how many starts in a row did not end in good order, or crashed
 *   index.lmdb        what is where (keys.c, rows.c); can be rebuilt from the packs
 *   search.lmdb       the search index (search/index.h): nothing is lost with it
 *   packs/N.pack      bodies, and the log of all that was done (db/packgroup.c, record.c)
 *   snapshot/         what there was before the format changed (upgrade/snapshot.h)
 *
 * A commit is planned against the open index transaction (plan.h), which gives an effect
 * for each of its operations; the effects are applied there (apply.h) and encoded into
 * the group that also holds the bodies.  The group is written, and acknowledged when it
 * is flushed (flush.h).  The index transaction stays open over many groups; it is
 * committed when all of them are durable, so that the index is never ahead of the packs.
 * At start the groups beyond the index's position are applied (replay.c).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "db/kv.h"
#include "db/pack.h"
#include "storage/flush.h"
#include "storage/plan.h"
#include "storage/space.h"
#include "storage/storage.h"
#include "storage/unclean.h"
#include "storage/work.h"

/* Where the writer's time went, in microseconds since start. */
struct group_times {
	uint64_t plan, write, drain, index;
	uint64_t index_commits;
	/* Of housekeeping: so long others were kept waiting. */
	uint64_t slice_max;
};

#define STORAGE_INDEX       "index.lmdb"
#define STORAGE_INDEX_BYTES ((uint64_t)64 << 30)

enum { TOUCHED_SLOTS = 4096 };

struct storage {
	char *folder, *index_path, *packs_path;
	uint64_t pack_bytes_max, index_bytes_max, trusted;
	enum storage_open_as open_as;
	int lock_fd;
	struct unclean unclean;
	bool is_up;            /* its end in good order counts */
	bool is_index_damaged; /* why it could not be */
	bool lacks_map;        /* or the log needs more of the index than index_room */
	uint64_t index_room;   /* LMDB's map, sparse; more than index_bytes_max */
	/* Readers hold it while they look; the writer takes it alone to reopen. */
	pthread_rwlock_t gate;
	struct kv *kv;                       /* NULL: could not be opened again */
	struct search_index *search;         /* NULL: there is none */
	enum search_attachments attachments; /* that it has */
	bool is_wary;                        /* the last start ended badly */
	struct packs *packs;

	/* The writer's own. */
	struct work work;
	struct buf effects, record, scratch;
	size_t *order;
	size_t order_room;
	bool is_read_only, is_full;
	/* Read-only since then, but only until the disk has room. */
	bool lacks_room;
	uint64_t stopped_us;
	/* The index transaction holds what is to be committed, some of it by groups. */
	bool has_changes, has_groups;
	uint64_t changed_us, index_cost_us; /* since when, and what the last one cost */
	size_t upkeep_rows; /* that a slice of housekeeping has time for; 0: not known */
	struct pack_place group_at;
	struct group_times times;

	uint64_t lease_turn; /* which urgency has the next place */

	struct flusher flusher;
	struct space space;
	int64_t maintained_at; /* the time that housekeeping goes by */
	bool space_first;      /* in its last slice */
	bool keeps_space; /* whoever repairs may still find use for what seems dead */
	/* Readers of bodies, by whether they began in an even turn or an odd one. */
	_Atomic unsigned turn;
	_Atomic uint64_t reading[2];
	_Atomic uint64_t commits, groups, bodies_read;
	_Atomic uint64_t pins, pinned_sequence;
	atomic_bool has_snapshot; /* as of the last look */
	int64_t looked_at;
	/* Index commits so far; and for what is hashed there, the number of the index
	 * commit that will show its last change. */
	_Atomic uint64_t indexed, touched[TOUCHED_SLOTS];
};

/* Held until *fd is closed.  ERR_DENIED: somebody else has it. */
[[nodiscard]] err_t storage_lock(const char *folder, int *fd, const char **why);
/* "folder/name", the caller's. */
char *storage_path(const char *folder, const char *name);
/* Opens index and packs, replays, and is ready to write.  *why as in storage_open(). */
[[nodiscard]] err_t storage_bring_up(struct storage *storage, bool is_fresh_pack,
				     const char **why);
/* After a failure that leaves the disk's state unknown: opens again what is there, or
 * goes read-only.  Waits for the flushes under way. */
void storage_recover(struct storage *storage);
/* Applies what the packs hold beyond the index, and starts the packs and the flusher. */
[[nodiscard]] err_t storage_replay(struct storage *storage, bool is_fresh_pack,
				   const char **why);
/* pin.c: while there is a snapshot, everything is pinned.  Looks whether it is still
 * there. */
void snapshot_look_for(struct storage *storage);
/* It holds that pack, which must not grow, then. */
bool snapshot_has_pack(const struct storage *storage, uint32_t pack);
/* Nobody else can have the queue's leases yet: what was leased is due at once. */
[[nodiscard]] err_t storage_release_leases(struct storage *storage);

/* Makes the index anew if no group of the log is missing; ERR_SYNTAX otherwise.  Nobody
 * may have the directory open. */
[[nodiscard]] err_t storage_rebuild_whole(const struct storage_options *options,
					  struct arena *arena, struct str *why);

/* group.c: the index transaction is open afterwards. */
[[nodiscard]] err_t index_begin(struct storage *storage);
/* It holds something that is to be committed. */
void index_changed(struct storage *storage);
/* It was dropped, and all that the log holds is in the index. */
void index_reopened(struct storage *storage);
/* Takes back what it holds beyond what the log does. */
void index_rewind(struct storage *storage);
void storage_touch(struct storage *storage, account_t account, enum storage_part part);
/* A group in the packs: begun, filled by the caller, written.  What fails is taken back
 * by index_rewind(). */
[[nodiscard]] err_t group_begin(struct storage *storage);
[[nodiscard]] err_t group_write(struct storage *storage);
/* The record of a commit whose effects were applied and stand in storage->effects. */
[[nodiscard]] err_t group_record(struct storage *storage, const struct commit_head *head);

/* commit.c and queue.c: into the group that was begun.  plan->failed tells if the whole
 * group ends. */
void commits_plan(struct storage *storage, struct plan *plan,
		  const struct storage_group *group);
void lease_plan(struct storage *storage, struct plan *plan, struct storage_lease *lease);
/* True if disk or index have so little room that only what frees some may be done. */
bool storage_is_full(const struct storage *storage);
bool disk_is_full(const struct storage *storage);

/* search.c: without an index the store goes on. */
void storage_search_open(struct storage *storage);
/* Looks at its file, which is not open; ABSENT: there is none. */
[[nodiscard]] err_t storage_search_look(const char *folder);
void storage_search_remove(const char *folder);

/* A read transaction on the index, under the gate. */
struct reader {
	struct storage *storage;
	struct kv_txn *txn;
	struct kv_cursor cursor;
	struct kv_cursor parts; /* of messages; opened by who needs it */
	bool has_parts;
};
/* UNAVAILABLE if it cannot be had; reader_end() is then not needed, but harmless. */
enum store_outcome reader_begin(struct reader *reader, struct storage *storage);
/* Lets go of the index, but not of the packs: before a disk is read. */
void reader_rest(struct reader *reader);
void reader_end(struct reader *reader); /* for SCOPED */
/* As an outcome: ABSENT, or UNAVAILABLE (it was logged). */
enum store_outcome read_err(err_t err);
/* A row that says nonsense: logged. */
enum store_outcome read_damaged(const char *row);
enum store_outcome reader_account(struct reader *reader, account_t account,
				  struct account_row *row);
