#include "imap/numbers.h"

#include "base/test.h"

static void fill(struct numbers *numbers)
{
	static const struct imap_range uids[] = {{1, 2}, {3, 3}, {7, 7}, {9, 10}};

	for (size_t i = 0; i < COUNT_OF(uids); i++)
		numbers_add(numbers, uids[i].first, uids[i].last);
}

TEST(numbers_count_the_uids_that_are_there)
{
	SCOPED(numbers_fini) struct numbers numbers = {0};

	CHECK(numbers_total(&numbers) == 0 && numbers_of_uid(&numbers, 1) == 0);
	fill(&numbers);
	CHECK(numbers.count == 3 && numbers_total(&numbers) == 6);
	CHECK(numbers_of_uid(&numbers, 7) == 4 && numbers_of_uid(&numbers, 8) == 0);
	CHECK(numbers_of_uid(&numbers, 10) == 6 && numbers_of_uid(&numbers, 11) == 0);
	for (uint32_t n = 1; n <= 6; n++)
		CHECK(numbers_of_uid(&numbers, numbers_uid(&numbers, n)) == n);
	CHECK(numbers_up_to(&numbers, 8) == 4 &&
	      numbers_up_to(&numbers, UINT32_MAX) == 6);
	CHECK(numbers_up_to(&numbers, 0) == 0 && numbers_last_uid(&numbers) == 10);
}

TEST(numbers_close_up_when_messages_go)
{
	SCOPED(numbers_fini) struct numbers numbers = {0};
	SCOPED(uids_fini) struct uids gone = {0};

	fill(&numbers);
	uids_add(&gone, 2, 2);
	uids_add(&gone, 4, 9);
	numbers_remove(&numbers, &gone);
	CHECK(numbers_total(&numbers) == 3);
	CHECK(numbers_uid(&numbers, 1) == 1 && numbers_uid(&numbers, 2) == 3);
	CHECK(numbers_uid(&numbers, 3) == 10);
	uids_clear(&gone);
	uids_add(&gone, 2, 2);
	numbers_insert(&numbers, &gone);
	CHECK(numbers_total(&numbers) == 4 && numbers_uid(&numbers, 2) == 2);
}

TEST(uids_subtract_to_the_number)
{
	SCOPED(uids_fini) struct uids set = {0}, others = {0};

	uids_add(&set, 1, 10);
	uids_add(&set, 20, 30);
	uids_add(&others, 5, 5);
	uids_add(&others, 10, 22);
	uids_add(&others, 30, UINT32_MAX);
	uids_subtract(&set, &others);
	CHECK(set.count == 3 && uids_total(&set) == 4 + 4 + 7);
	CHECK(uids_has(&set, 4) && !uids_has(&set, 5) && uids_has(&set, 23));
	CHECK(!uids_has(&set, 30));
	uids_fini(&others);
}

TEST(numbers_of_a_part_of_some_uids)
{
	SCOPED(numbers_fini) struct numbers numbers = {0};
	static const struct imap_range list[] = {{2, 8}, {10, 30}}; /* 2 3 7 10 */
	static const struct {
		uint64_t begin, end;
		struct str uids;
	} parts[] = {
		{0, 4, STR("2:7,10")}, {0, 2, STR("2:3")}, {1, 3, STR("3:7")},
		{2, 9, STR("7,10")},   {3, 4, STR("10")},  {4, 9, STR("")},
		{1, 1, STR("")},
	};

	fill(&numbers);
	CHECK(numbers_among(&numbers, list, 2) == 4);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		SCOPED(uids_fini) struct uids part = {0};
		SCOPED(buf_fini) struct buf out = BUF(100);

		numbers_part(&numbers, list, 2, parts[i].begin, parts[i].end, &part);
		imap_ranges_write(&out, part.list, part.count);
		CHECK_STR(buf_str(&out), parts[i].uids);
	}
}
