#include "imap/limit.h"

/* How many of the messages that the client knows are in the ranges. */
static uint64_t how_many(const struct numbers *numbers, const struct imap_range *list,
			 size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += numbers_up_to(numbers, list[i].last) -
			 numbers_up_to(numbers, list[i].first - 1);
	return total;
}

/* Drops that many of the lowest; *list keeps at least one range. */
static void drop_lowest(const struct numbers *numbers, uint64_t excess,
			struct imap_range **list, size_t *count)
{
	for (;;) {
		struct imap_range *range = *list;
		uint32_t before = numbers_up_to(numbers, range->first - 1);
		uint32_t here = numbers_up_to(numbers, range->last) - before;

		if (excess < here) {
			range->first =
				numbers_uid(numbers, before + (uint32_t)excess + 1);
			return;
		}
		excess -= here;
		(*list)++;
		(*count)--;
	}
}

enum store_outcome limit_ranges(struct session *s, struct imap_range **list,
				size_t *count)
{
	const struct numbers *numbers = &s->box.numbers;
	uint32_t max = s->service->command_messages_max;

	if (max == 0 || s->box.count <= max || *count == 0)
		return STORE_OK;
	enum store_outcome outcome = selected_number(s);

	if (outcome != STORE_OK)
		return outcome;
	uint64_t total = how_many(numbers, *list, *count);

	if (total <= max)
		return STORE_OK;
	struct imap_range *copy = ARENA_ARRAY(&s->scratch, struct imap_range, *count);

	if (!copy)
		return STORE_INVALID;
	memcpy(copy, *list, *count * sizeof *copy); /* it may be "$" */
	*list = copy;
	drop_lowest(numbers, total - max, list, count);
	s->limited_uid = (*list)->first;
	return STORE_OK;
}

uint32_t limit_of_saving(const struct session *s)
{
	uint32_t max = s->service->command_messages_max;

	return max > 0 ? max : s->service->copy_messages_max;
}

enum store_outcome limit_copy(struct session *s, const struct imap_range *list,
			      size_t count, bool *fits)
{
	uint32_t max = limit_of_saving(s);
	enum store_outcome outcome = STORE_OK;

	*fits = max == 0 || s->box.count <= max;
	if (*fits)
		return STORE_OK;
	outcome = selected_number(s);
	*fits = outcome == STORE_OK && how_many(&s->box.numbers, list, count) <= max;
	return outcome;
}
