#include "imap/uids.h"

#include "base/mem.h"

enum { TIDY_FROM = 4096 };

/* Before it grows, what was added twice is dropped: the same messages may change again
 * and again. */
static void make_room(struct uids *set)
{
	if (set->count < set->room)
		return;
	if (set->room >= TIDY_FROM)
		uids_sort(set);
	if (set->room > 0 && set->count <= set->room / 2)
		return;
	set->room = set->room ? set->room * 2 : 16;
	set->list = mem_grown(set->list, set->room, sizeof *set->list);
}

void uids_fini(struct uids *set)
{
	mem_free(set->list);
	*set = (struct uids){0};
}

void uids_clear(struct uids *set)
{
	set->count = 0;
}

void uids_add(struct uids *set, uint32_t first, uint32_t last)
{
	struct imap_range *end = set->count > 0 ? &set->list[set->count - 1] : NULL;

	if (end && end->last != UINT32_MAX && first == end->last + 1) {
		end->last = last;
		return;
	}
	make_room(set);
	set->list[set->count++] = (struct imap_range){first, last};
}

void uids_sort(struct uids *set)
{
	set->count = imap_ranges_normalise(set->list, set->count);
}

bool uids_has(const struct uids *set, uint32_t uid)
{
	struct imap_sequence_set all = {.ranges = set->list, .count = set->count};

	return imap_sequence_set_has(&all, uid);
}

uint64_t uids_total(const struct uids *set)
{
	uint64_t total = 0;

	for (size_t i = 0; i < set->count; i++)
		total += (uint64_t)set->list[i].last - set->list[i].first + 1;
	return total;
}

/* What is left of one range when the others from *at on are taken out. */
static void rest_of(struct uids *kept, struct imap_range range, const struct uids *others,
		    size_t *at)
{
	while (*at < others->count && others->list[*at].last < range.first)
		(*at)++;
	for (size_t i = *at; i < others->count; i++) {
		struct imap_range other = others->list[i];

		if (other.first > range.last)
			break;
		if (other.first > range.first)
			uids_add(kept, range.first, other.first - 1);
		if (other.last >= range.last)
			return;
		range.first = other.last + 1;
	}
	uids_add(kept, range.first, range.last);
}

void uids_subtract(struct uids *set, const struct uids *others)
{
	struct uids kept = {0};
	size_t at = 0;

	for (size_t i = 0; i < set->count; i++)
		rest_of(&kept, set->list[i], others, &at);
	uids_fini(set);
	*set = kept;
}

void uids_intersect(struct uids *set, const struct uids *others)
{
	SCOPED(uids_fini) struct uids without = {0};

	for (size_t i = 0; i < set->count; i++)
		uids_add(&without, set->list[i].first, set->list[i].last);
	uids_subtract(&without, others);
	uids_subtract(set, &without);
}

void uids_copy(struct uids *set, struct uid_set from)
{
	uids_clear(set);
	for (size_t i = 0; i < from.count; i++)
		uids_add(set, from.ranges[i].first, from.ranges[i].last);
}

bool uids_for_store(struct arena *arena, const struct imap_range *list, size_t count,
		    struct uid_set *set)
{
	struct uid_range *copy = ARENA_ARRAY(arena, struct uid_range, count);

	*set = (struct uid_set){0};
	if (!copy)
		return false;
	for (size_t i = 0; i < count; i++)
		copy[i] = (struct uid_range){list[i].first, list[i].last};
	*set = (struct uid_set){copy, count};
	return true;
}
