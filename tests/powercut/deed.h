/* The mixed load: one table of what users, queues and doors do, drawn at random from what
 * a store holds at the moment. */
#pragma once

#include "powercut/note.h"
#include "storage/storage.h"

enum { LEASED_MAX = 64 };

struct leased {
	account_t account;
	uint64_t row, lease;
};

struct deeds {
	struct storage
		*storage; /* that the deeds are made for; its index is up to date */
	uint64_t count;   /* of keys made so far; never the same again */
	struct leased leased[LEASED_MAX];
	size_t leased_count;
};

/* One commit, in the arena, with its operations.  True if its key must be remembered. */
bool deed_make(struct deeds *deeds, struct arena *arena, struct store_commit *commit);
/* One that is as long as any other such, in the log, too: where a lost group stood, the
 * next one fits. */
void deed_make_equal(struct deeds *deeds, struct arena *arena,
		     struct store_commit *commit);
/* The rows of a lease that was taken may be settled from now on. */
void deeds_leased(struct deeds *deeds, const struct storage_lease *lease);
/* What was leased is free again. */
void deeds_forget_leases(struct deeds *deeds);
