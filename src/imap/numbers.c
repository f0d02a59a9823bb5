#include "imap/numbers.h"

#include "base/mem.h"
#include "base/num.h"

void numbers_fini(struct numbers *numbers)
{
	mem_free(numbers->runs);
	*numbers = (struct numbers){0};
}

void numbers_clear(struct numbers *numbers)
{
	numbers->count = 0;
}

static uint32_t run_end(const struct number_run *run)
{
	return run->before + (run->last - run->first) + 1;
}

uint32_t numbers_total(const struct numbers *numbers)
{
	return numbers->count > 0 ? run_end(&numbers->runs[numbers->count - 1]) : 0;
}

uint32_t numbers_last_uid(const struct numbers *numbers)
{
	return numbers->count > 0 ? numbers->runs[numbers->count - 1].last : 0;
}

void numbers_add(struct numbers *numbers, uint32_t first, uint32_t last)
{
	uint32_t end = numbers_last_uid(numbers);

	ASSERT(first > end && last >= first);
	if (end > 0 && first == end + 1) {
		numbers->runs[numbers->count - 1].last = last;
		return;
	}
	uint32_t before = numbers_total(numbers);

	MEM_ROOM(numbers->runs, numbers->count, numbers->room);
	numbers->runs[numbers->count++] = (struct number_run){first, last, before};
}

uint32_t numbers_up_to(const struct numbers *numbers, uint32_t uid)
{
	size_t low = 0, high = numbers->count;

	while (low < high) { /* the first run that begins above uid */
		size_t middle = low + (high - low) / 2;

		if (numbers->runs[middle].first <= uid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	const struct number_run *run = &numbers->runs[low - 1];

	return uid >= run->last ? run_end(run) : run->before + (uid - run->first) + 1;
}

uint32_t numbers_of_uid(const struct numbers *numbers, uint32_t uid)
{
	uint32_t number = numbers_up_to(numbers, uid);

	return number > 0 && numbers_uid(numbers, number) == uid ? number : 0;
}

uint32_t numbers_uid(const struct numbers *numbers, uint32_t number)
{
	size_t low = 0, high = numbers->count;

	ASSERT(number > 0 && number <= numbers_total(numbers));
	while (low < high) { /* the first run that ends at number or above */
		size_t middle = low + (high - low) / 2;

		if (run_end(&numbers->runs[middle]) < number)
			low = middle + 1;
		else
			high = middle;
	}
	const struct number_run *run = &numbers->runs[low];

	return run->first + (number - run->before - 1);
}

/* The runs as plain ranges, to be changed and counted again. */
static struct uids plain(const struct numbers *numbers)
{
	struct uids all = {0};

	for (size_t i = 0; i < numbers->count; i++)
		uids_add(&all, numbers->runs[i].first, numbers->runs[i].last);
	return all;
}

static void recount(struct numbers *numbers, struct uids *all)
{
	numbers_clear(numbers);
	for (size_t i = 0; i < all->count; i++)
		numbers_add(numbers, all->list[i].first, all->list[i].last);
	uids_fini(all);
}

void numbers_remove(struct numbers *numbers, const struct uids *gone)
{
	struct uids all = plain(numbers);

	uids_subtract(&all, gone);
	recount(numbers, &all);
}

void numbers_insert(struct numbers *numbers, const struct uids *back)
{
	struct uids all = plain(numbers);

	for (size_t i = 0; i < back->count; i++)
		uids_add(&all, back->list[i].first, back->list[i].last);
	uids_sort(&all);
	recount(numbers, &all);
}

uint64_t numbers_among(const struct numbers *numbers, const struct imap_range *list,
		       size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += numbers_up_to(numbers, list[i].last) -
			 numbers_up_to(numbers, list[i].first - 1);
	return total;
}

void numbers_part(const struct numbers *numbers, const struct imap_range *list,
		  size_t count, uint64_t begin, uint64_t end, struct uids *part)
{
	uint64_t before = 0;

	for (size_t i = 0; i < count && before < end; i++) {
		uint32_t below = numbers_up_to(numbers, list[i].first - 1);
		uint64_t len = numbers_up_to(numbers, list[i].last) - below;
		uint64_t from = begin > before ? begin - before : 0;
		uint64_t to = num_min(len, end - before);

		/* Between two that are there all others are, or are not there at all. */
		if (from < to)
			uids_add(part, numbers_uid(numbers, below + (uint32_t)from + 1),
				 numbers_uid(numbers, below + (uint32_t)to));
		before += len;
	}
}
