/* Groups on their way to the disk: written by the writer, flushed by threads of our own,
 * up to PACK_LANES flushes at once.  A group is done when a flush that began after it was
 * written has returned, and all flushes begun before that one have, too.  Soft groups
 * begin none.
 */
#pragma once

#include <pthread.h>

#include "db/pack.h"
#include "storage/storage.h"

/* One flush under way. */
struct flight {
	uint64_t target; /* the last group written when it began */
	bool has_landed;
};

struct flusher;
struct lane {
	struct flusher *flusher;
	unsigned number;
	pthread_t thread;
};

struct flusher {
	struct packs *packs;
	struct lane lanes[PACK_LANES];
	bool is_running; /* the threads are there */
	pthread_mutex_t mutex;
	pthread_cond_t filled, landed;
	/* Guarded by the mutex: */
	bool has_failed, is_stopped;
	/* Sequence numbers, none greater than the one before. */
	uint64_t written, wanted, started, durable; /* wanted: somebody waits for it */
	struct flight flights[PACK_LANES];          /* the oldest first */
	size_t flight_count;
	struct storage_group *first, **last;  /* not done yet, in order */
	uint64_t flushes, flush_us, usual_us; /* usual: of the last few */
};

void flusher_init(struct flusher *flusher);
/* Ends the threads; all groups must be done. */
void flusher_fini(struct flusher *flusher);
/* Everything up to sequence is durable, and failures are forgotten: after a replay, with
 * no flush under way.  Starts the threads when first called. */
void flusher_start(struct flusher *flusher, struct packs *packs, uint64_t sequence);
/* The group is done when all up to sequence is durable, which may be at once, and at once
 * if it is soft.  Its outcomes become UNKNOWN if that fails. */
void flusher_add(struct flusher *flusher, struct storage_group *group, uint64_t sequence);
/* Waits until no flush is under way nor needed.  False: one has failed. */
bool flusher_drain(struct flusher *flusher);
bool flusher_has_failed(struct flusher *flusher);
uint64_t flusher_durable(struct flusher *flusher);
/* What it did since start. */
void flusher_count(struct flusher *flusher, uint64_t *flushes, uint64_t *flush_us);
