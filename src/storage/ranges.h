/* UIDs gathered one by one, ascending, into ranges. */
#pragma once

#include "base/arena.h"
#include "store/types.h"

struct ranges {
	struct uid_range *list;
	size_t count, room;
	uint64_t uids; /* how many are in it */
};

void uid_ranges_fini(struct ranges *ranges);
void ranges_reset(struct ranges *ranges);
/* Above all that were added before. */
void uid_ranges_add(struct ranges *ranges, uint32_t uid);
struct uid_set ranges_set(const struct ranges *ranges); /* good until the next change */
/* False at the arena's bound. */
[[nodiscard]] bool uid_ranges_copy(const struct ranges *ranges, struct arena *arena,
				   struct uid_set *set);
/* True if the set follows the rules of store/types.h. */
bool uid_set_valid(const struct uid_set *set);
