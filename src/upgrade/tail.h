/* The log's groups since the snapshot, carried over to packs of the old format as far as
 * it can express them: commit by commit, and of an account only up to the first one that
 * it cannot, since those after it may build on that.  Private to upgrade/. */
#pragma once

#include "base/arena.h"
#include "db/pack.h"
#include "store/types.h"

/* An account of which something was not carried over. */
struct tail_left {
	account_t account;
	uint64_t commits;
	uint64_t first_message; /* the number of the first new message in them, and all
				   later ones are left, too; UINT64_MAX: none */
};

struct tail_options {
	struct packs *from; /* of the newer format */
	struct packs *to;   /* those of the snapshot alone */
	uint32_t newest;    /* the last of those; 0: none */
	uint64_t sequence;  /* of the last group before the tail */
	uint64_t epoch;     /* greater than all before */
	uint32_t format;    /* the old one */
	uint32_t (*since)(uint8_t kind);
	int64_t now;
};

struct tail {
	struct tail_left *left; /* by account */
	size_t left_count, left_room;
	uint64_t commits; /* that were carried over */
};

/* All is durable when OK; the last group raises the epoch. */
[[nodiscard]] err_t tail_carry(const struct tail_options *options, struct tail *tail);
void tail_fini(struct tail *tail);
/* NULL: nothing of it was left. */
const struct tail_left *tail_find(const struct tail *tail, account_t account);
