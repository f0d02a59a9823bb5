#include "imap/scores.h"

#include <string.h>

#include "base/mem.h"

void scores_fini(struct scores *scores)
{
	mem_free(scores->list);
	*scores = (struct scores){0};
}

/* How many are below. */
static size_t place_of(const struct scores *scores, uint32_t uid)
{
	size_t low = 0, high = scores->count;

	if (high > 0 && scores->list[high - 1].uid < uid)
		return high;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (scores->list[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void scores_set(struct scores *scores, uint32_t uid, unsigned score)
{
	size_t at = place_of(scores, uid);

	if (at == scores->count || scores->list[at].uid != uid) {
		MEM_ROOM(scores->list, scores->count, scores->room);
		memmove(&scores->list[at + 1], &scores->list[at],
			(scores->count - at) * sizeof *scores->list);
		scores->count++;
	}
	scores->list[at] = (struct scored){uid, (uint8_t)score};
}

unsigned scores_of(const struct scores *scores, uint32_t uid)
{
	size_t at = place_of(scores, uid);

	return at < scores->count && scores->list[at].uid == uid ? scores->list[at].score
								 : 0;
}

void scores_put_before(struct scores *scores, const struct scores *front)
{
	struct scores both = {0};

	for (size_t i = 0; i < front->count; i++)
		scores_set(&both, front->list[i].uid, front->list[i].score);
	for (size_t i = 0; i < scores->count; i++)
		scores_set(&both, scores->list[i].uid, scores->list[i].score);
	scores_fini(scores);
	*scores = both;
}
