/* Sets of UIDs as sorted, disjoint ranges that grow. */
#pragma once

#include "store/types.h"
#include "wire/imap/sequence_set.h"

struct ranges {
	struct imap_range *list;
	size_t count, room;
};

void ranges_fini(struct ranges *set);
/* Empties it; the memory is kept. */
void ranges_clear(struct ranges *set);
/* Adds at the end; in any order, as long as ranges_sort() follows. */
void ranges_add(struct ranges *set, uint32_t first, uint32_t last);
void ranges_sort(struct ranges *set);
bool ranges_has(const struct ranges *set, uint32_t uid);
/* How many UIDs they are. */
uint64_t ranges_total(const struct ranges *set);
/* Takes the others out; both are sorted. */
void ranges_subtract(struct ranges *set, const struct ranges *others);
/* Replaces the set by the store's. */
void ranges_copy(struct ranges *set, struct uid_set from);
/* For the store, in the arena; false at its bound. */
bool ranges_uid_set(struct arena *arena, const struct imap_range *list, size_t count,
		    struct uid_set *set);
