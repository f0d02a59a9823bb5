#include "imap/found.h"

void found_fini(struct found *found)
{
	uids_fini(&found->uids);
	order_fini(&found->order);
	scores_fini(&found->scores);
}

size_t found_count(const struct found *found)
{
	return found->is_sorted ? found->order.count : uids_total(&found->uids);
}

static void each_unsorted(const struct uids *uids, size_t begin, size_t end,
			  bool (*take)(void *arg, uint32_t uid), void *arg)
{
	size_t before = 0;

	for (size_t i = 0; i < uids->count && before < end; i++) {
		struct imap_range range = uids->list[i];
		size_t len = (size_t)range.last - range.first + 1;

		for (size_t at = begin > before ? begin - before : 0;
		     at < len && before + at < end; at++) {
			if (!take(arg, range.first + (uint32_t)at))
				return;
		}
		before += len;
	}
}

void found_each(const struct found *found, size_t begin, size_t end,
		bool (*take)(void *arg, uint32_t uid), void *arg)
{
	if (!found->is_sorted) {
		each_unsorted(&found->uids, begin, end, take, arg);
		return;
	}
	for (size_t i = begin; i < end && i < found->order.count; i++) {
		if (!take(arg, found->order.list[i].uid))
			return;
	}
}

static bool take_one(void *arg, uint32_t uid)
{
	uint32_t *one = arg;

	*one = uid;
	return false;
}

uint32_t found_at(const struct found *found, size_t place)
{
	uint32_t uid = 0;

	found_each(found, place, place + 1, take_one, &uid);
	return uid;
}
