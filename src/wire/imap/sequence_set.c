#include "wire/imap/sequence_set.h"

/* seq-number = nz-number / "*"; 0 stands for "*". */
static bool seq_number(struct imap_in *in, uint32_t *number)
{
	*number = 0;
	return cur_byte(&in->at, '*') || imap_nz_number(in, number);
}

/* seq-number / seq-range, added to the set. */
static bool seq_range(struct imap_in *in, struct imap_sequence_set *set)
{
	uint32_t a, b;

	if (!seq_number(in, &a))
		return false;
	b = a;
	if (cur_byte(&in->at, ':') && !seq_number(in, &b))
		return false;
	if (a == 0 || b == 0) {
		uint32_t from = a + b > 0 ? a + b : UINT32_MAX;

		if (set->star_from == 0 || from < set->star_from)
			set->star_from = from;
		return true;
	}
	set->ranges[set->count++] =
		(struct imap_range){a < b ? a : b, a < b ? b : a}; /* either order */
	return true;
}

static size_t commas(struct cursor at)
{
	size_t count = 0;

	for (; at.at < at.end && strchr("0123456789:*,", *at.at) && *at.at != 0; at.at++)
		count += *at.at == ',';
	return count;
}

bool imap_sequence_set(struct imap_in *in, struct imap_sequence_set *set)
{
	struct cursor from = in->at;

	*set = (struct imap_sequence_set){0};
	if (cur_byte(&in->at, '$')) {
		set->is_saved = true;
		return true;
	}
	/* One for each, and one for the mark when it is resolved. */
	set->ranges = ARENA_ARRAY(in->arena, struct imap_range, commas(from) + 2);
	if (!set->ranges)
		return imap_fail(in, "too much in one command");
	do {
		if (seq_range(in, set))
			continue;
		in->at = from;
		return imap_fail_here(in, "a wrong set of messages");
	} while (cur_byte(&in->at, ','));
	set->count = imap_ranges_normalise(set->ranges, set->count);
	return true;
}

static void sink(struct imap_range *ranges, size_t at, size_t count)
{
	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && ranges[child].first < ranges[child + 1].first)
			child++;
		if (ranges[at].first >= ranges[child].first)
			return;
		struct imap_range kept = ranges[at];

		ranges[at] = ranges[child];
		ranges[child] = kept;
	}
}

/* By heap: in place and never quadratic, whatever the order was. */
static void sort(struct imap_range *ranges, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sink(ranges, i, count);
	for (size_t i = count; i-- > 1;) {
		struct imap_range largest = ranges[0];

		ranges[0] = ranges[i];
		ranges[i] = largest;
		sink(ranges, 0, i);
	}
}

static bool is_sorted(const struct imap_range *ranges, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (ranges[i].first < ranges[i - 1].first)
			return false;
	}
	return true;
}

size_t imap_ranges_normalise(struct imap_range *ranges, size_t count)
{
	size_t kept = 0;

	if (!is_sorted(ranges, count))
		sort(ranges, count);
	for (size_t i = 0; i < count; i++) {
		struct imap_range *last = kept > 0 ? &ranges[kept - 1] : NULL;

		if (last && ranges[i].first - 1 <= last->last) {
			if (ranges[i].last > last->last)
				last->last = ranges[i].last;
			continue;
		}
		ranges[kept++] = ranges[i];
	}
	return kept;
}

void imap_sequence_set_resolve(struct imap_sequence_set *set, uint32_t max)
{
	uint32_t from = set->star_from;

	set->star_from = 0;
	if (from == 0 || max == 0)
		return;
	set->ranges[set->count++] = (struct imap_range){from < max ? from : max, max};
	set->count = imap_ranges_normalise(set->ranges, set->count);
}

bool imap_sequence_set_has(const struct imap_sequence_set *set, uint32_t number)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->count && set->ranges[low].first <= number;
}

static void range_write(struct buf *out, struct imap_range range, bool is_first)
{
	if (!is_first)
		buf_add_byte(out, ',');
	buf_add_u64(out, range.first);
	if (range.last == range.first)
		return;
	buf_add_byte(out, ':');
	buf_add_u64(out, range.last);
}

void imap_ranges_write(struct buf *out, const struct imap_range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		range_write(out, ranges[i], i == 0);
}

void imap_set_add(struct imap_set_writer *writer, uint32_t number)
{
	ASSERT(number > 0);
	if (writer->open.last != 0 && number == writer->open.last + 1) {
		writer->open.last = number;
		return;
	}
	imap_set_end(writer);
	writer->open = (struct imap_range){number, number};
}

void imap_set_end(struct imap_set_writer *writer)
{
	if (writer->open.last == 0)
		return;
	range_write(writer->out, writer->open, !writer->has_written);
	writer->has_written = true;
	writer->open = (struct imap_range){0};
}
