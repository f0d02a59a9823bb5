/* What flags messages have after an operation, gathered message by message into runs of
 * the same. */
#pragma once

#include "base/arena.h"
#include "store/types.h"

struct flag_runs {
	bool is_wanted; /* no more if they became too many */
	struct arena *arena;
	struct flags_run *list; /* on the heap while it grows */
	size_t count, room;
	struct str words; /* of the last, as a row has them */
	size_t bytes;     /* of all words */
};

void flag_runs_fini(struct flag_runs *runs);
/* Above all that were added before; nothing if they are not wanted. */
void flag_runs_add(struct flag_runs *runs, uint32_t uid, uint8_t flags, struct str words);
/* Into the result, which has none if they were not wanted. */
void flag_runs_give(const struct flag_runs *runs, struct op_result *result);
