/* Sets of UIDs as sorted, disjoint ranges that grow. */
#pragma once

#include "store/types.h"
#include "wire/imap/sequence_set.h"

struct uids {
	struct imap_range *list;
	size_t count, room;
};

void uids_fini(struct uids *set);
/* Empties it; the memory is kept. */
void uids_clear(struct uids *set);
/* Adds at the end; in any order, as long as uids_sort() follows. */
void uids_add(struct uids *set, uint32_t first, uint32_t last);
void uids_sort(struct uids *set);
bool uids_has(const struct uids *set, uint32_t uid);
/* How many UIDs they are. */
uint64_t uids_total(const struct uids *set);
/* Takes the others out; both are sorted. */
void uids_subtract(struct uids *set, const struct uids *others);
/* Leaves only those that the others have too. */
void uids_intersect(struct uids *set, const struct uids *others);
/* Replaces the set by the store's. */
void uids_copy(struct uids *set, struct uid_set from);
/* For the store, in the arena; false at its bound. */
bool uids_for_store(struct arena *arena, const struct imap_range *list, size_t count,
		    struct uid_set *set);
