#include "storage/ranges.h"

#include "base/mem.h"

void uid_ranges_fini(struct ranges *ranges)
{
	mem_free(ranges->list);
	*ranges = (struct ranges){0};
}

void ranges_reset(struct ranges *ranges)
{
	ranges->count = 0;
	ranges->uids = 0;
}

void uid_ranges_add(struct ranges *ranges, uint32_t uid)
{
	struct uid_range *last =
		ranges->count > 0 ? &ranges->list[ranges->count - 1] : NULL;

	ranges->uids++;
	ASSERT(!last || uid > last->last);
	if (last && uid == last->last + 1) {
		last->last = uid;
		return;
	}
	MEM_ROOM(ranges->list, ranges->count, ranges->room);
	ranges->list[ranges->count++] = (struct uid_range){uid, uid};
}

struct uid_set ranges_set(const struct ranges *ranges)
{
	return (struct uid_set){ranges->list, ranges->count};
}

bool uid_ranges_copy(const struct ranges *ranges, struct arena *arena,
		     struct uid_set *set)
{
	struct uid_range *list = ARENA_ARRAY(arena, struct uid_range, ranges->count);

	*set = (struct uid_set){0};
	if (!list)
		return false;
	if (ranges->count > 0)
		memcpy(list, ranges->list, ranges->count * sizeof *list);
	*set = (struct uid_set){list, ranges->count};
	return true;
}

bool uid_set_valid(const struct uid_set *set)
{
	uint32_t last = 0;

	if (set->count > UID_RANGES_MAX)
		return false;
	for (size_t i = 0; i < set->count; i++) {
		struct uid_range range = set->ranges[i];

		if (range.first == 0 || range.first > range.last ||
		    (i > 0 && range.first <= last))
			return false;
		last = range.last;
	}
	return true;
}
