#include "imap/ranked.h"

#include <string.h>

#include "base/mem.h"

enum { PAUSE_EVERY = 20000 };

struct sorting {
	ranked_cmp *cmp;
	const void *arg;
	void (*pause)(void);
	size_t until_pause;
};

static bool is_after(const struct sorting *s, const struct ranked *a,
		     const struct ranked *b)
{
	if (a->front != b->front)
		return a->front > b->front;
	int order = s->cmp ? s->cmp(s->arg, a, b) : 0;

	return order != 0 ? order > 0 : a->uid > b->uid;
}

/* Two sorted runs that stand side by side become one in to. */
static void merge(struct sorting *s, const struct ranked *a, size_t a_count,
		  const struct ranked *b, size_t b_count, struct ranked *to)
{
	while (a_count > 0 && b_count > 0) {
		bool takes_b = is_after(s, a, b);

		*to++ = takes_b ? *b : *a;
		b += takes_b;
		b_count -= takes_b;
		a += !takes_b;
		a_count -= !takes_b;
		if (--s->until_pause > 0)
			continue;
		s->until_pause = PAUSE_EVERY;
		if (s->pause)
			s->pause();
	}
	if (a_count > 0)
		memcpy(to, a, a_count * sizeof *to);
	if (b_count > 0)
		memcpy(to + a_count, b, b_count * sizeof *to);
}

void ranked_sort(struct ranked *list, size_t count, ranked_cmp *cmp, const void *arg,
		 void (*pause)(void))
{
	struct sorting s = {cmp, arg, pause, PAUSE_EVERY};

	if (count < 2)
		return;
	struct ranked *room = NEW_ARRAY(struct ranked, count);
	struct ranked *from = list, *to = room;

	for (size_t run = 1; run < count; run *= 2) {
		for (size_t at = 0; at < count; at += 2 * run) {
			size_t a = count - at < run ? count - at : run;
			size_t rest = count - at - a;

			merge(&s, from + at, a, from + at + a, rest < run ? rest : run,
			      to + at);
		}
		struct ranked *merged = to;

		to = from;
		from = merged;
	}
	if (from != list)
		memcpy(list, from, count * sizeof *list);
	mem_free(room);
}

size_t ranked_before(const struct ranked *list, size_t count, const struct ranked *one,
		     ranked_cmp *cmp, const void *arg)
{
	const struct sorting s = {.cmp = cmp, .arg = arg};
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_after(&s, one, &list[middle]))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
