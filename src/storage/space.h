/* Giving space back, a little at a time between groups: dead bodies are punched out of
 * their packs, and what is needed of sparse packs is copied to the end of the log, so
 * that all of their bodies are dead.  The records of what was done stay: the index can
 * be made of them again.
 *
 * A dead body goes only when nothing can bring it back or still reads it: the group that
 * made it so is named as durable by another durable one, the index shows it and cannot
 * fall behind that in a power cut, whoever began to read before has ended, nobody has a
 * reference, and nothing is pinned.  The last two are looked at under the writer.
 */
#pragma once

#include "storage/janitor.h"
#include "storage/storage.h"

enum space_state {
	SPACE_RESTING,
	SPACE_SETTLING, /* the index's commits are awaited */
	SPACE_READING,  /* and then readers that began before */
	SPACE_PUNCHING,
	SPACE_GATHERING, /* bodies of a sparse pack are being read */
};

struct space {
	enum space_state state;
	struct janitor janitor;
	struct pack_place from; /* the dead before it were looked at in this round */
	uint64_t settled_at;    /* index commits */
	unsigned turn;          /* of the readers that are awaited */
	uint32_t pack;          /* sparse, under way; 0: none */
	bool has_dead;          /* some wait only for groups to prove them */
	uint64_t rest_until_us; /* no copying before */
	uint64_t bytes_a_second;
	struct storage_group own;
	_Atomic bool own_is_busy;
	/* A group that names another as durable; and the greatest number so named by one
	 * that is durable. */
	uint64_t naming, named, proven;
	uint64_t copied, punched; /* octets since start */
};

void space_init(struct space *space, struct storage *storage);
void space_fini(struct space *space);
/* What the storage knew is to be found out again. */
void space_forget(struct storage *storage);
/* A commit of the system account, by the storage itself: fill() puts its effects where
 * group_record() takes them, and says how many.  ERR_LIMIT: it was taken back, and is to
 * be tried later; it was logged why. */
[[nodiscard]] err_t own_commit(struct storage *storage,
			       err_t (*fill)(struct storage *storage, uint32_t *count));
/* There is one under way; the next has to wait. */
bool own_is_busy(const struct storage *storage);
/* The group was written, and names that one as durable. */
void space_group_written(struct storage *storage, uint64_t sequence, uint64_t durable);
/* A step; *more: come again soon.  Failures are of the index. */
[[nodiscard]] err_t space_step(struct storage *storage, bool *more);

/* Whoever reads bodies, from before he looks where they are, until he has them. */
unsigned space_reader_begin(struct storage *storage);
void space_reader_end(struct storage *storage, unsigned turn);
