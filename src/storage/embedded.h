/* The embedded back end: one data directory, opened by one process.
 *
 *   lock              held (flock) while the directory is open
 *   index.lmdb        what is where (keys.c, rows.c); can be rebuilt from the packs
 *   packs/N.pack      bodies, and the log of all that was done (db/packgroup.c, record.c)
 *
 * A commit is planned against the index (plan.h), which gives an effect for each of its
 * operations; the effects are applied in the open index transaction (apply.h) and encoded
 * into the group that also holds the bodies.  The group is written and flushed, then the
 * index commits.  At start the groups beyond the index's position are applied (replay.c).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "db/kv.h"
#include "db/pack.h"
#include "storage/storage.h"
#include "storage/work.h"

/* Where the time of the groups went, in microseconds since start. */
struct group_times {
	uint64_t began_us; /* of the group under way */
	uint64_t plan, write, flush, index;
};

struct storage {
	char *folder, *index_path, *packs_path;
	uint64_t pack_bytes_max, index_bytes_max;
	int lock_fd;
	/* Readers hold it while they look; the writer takes it alone to reopen. */
	pthread_rwlock_t gate;
	struct kv *kv; /* NULL: could not be opened again */
	struct packs *packs;

	/* The writer's own. */
	struct work work;
	struct buf effects, record, scratch;
	size_t *order;
	size_t order_room;
	bool is_read_only, is_recovering, is_full;
	struct pack_place group_at;
	struct group_times times;

	_Atomic uint64_t commits, groups, bodies_read;
};

/* Opens index and packs, replays, and is ready to write.  *why as in storage_open(). */
[[nodiscard]] err_t storage_bring_up(struct storage *storage, bool is_fresh_pack,
				     const char **why);
/* After a failure that leaves the disk's state unknown: opens again what is there, or
 * goes read-only. */
void storage_recover(struct storage *storage);
/* Applies what the packs hold beyond the index, and starts the packs. */
[[nodiscard]] err_t storage_replay(struct storage *storage, bool is_fresh_pack,
				   const char **why);

/* One group, outside commit_group(): begin, any number of records, then finish or drop.
 */
[[nodiscard]] err_t group_begin(struct storage *storage);
/* The record of a commit whose effects were applied and stand in storage->effects. */
[[nodiscard]] err_t group_record(struct storage *storage, const struct commit_head *head);
void group_drop(struct storage *storage);
/* OK: durable.  UNAVAILABLE: nothing happened.  UNKNOWN: recovered, or read-only. */
enum store_outcome group_finish(struct storage *storage);
/* True if the disk has so little room that only what frees some may be done. */
bool storage_is_full(const struct storage *storage);

/* A read transaction on the index, under the gate. */
struct reader {
	struct storage *storage;
	struct kv_txn *txn;
	struct kv_cursor cursor;
};
/* UNAVAILABLE if it cannot be had; reader_end() is then not needed, but harmless. */
enum store_outcome reader_begin(struct reader *reader, struct storage *storage);
void reader_end(struct reader *reader); /* for SCOPED */
/* As an outcome: ABSENT, or UNAVAILABLE (it was logged). */
enum store_outcome read_err(err_t err);
enum store_outcome reader_account(struct reader *reader, account_t account,
				  struct account_row *row);
