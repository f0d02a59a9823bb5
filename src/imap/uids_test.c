#include "imap/uids.h"

#include "base/test.h"

TEST(the_same_uids_again_and_again_take_no_room)
{
	SCOPED(uids_fini) struct uids set = {0};

	for (uint32_t i = 0; i < 1000000; i++)
		uids_add(&set, 1 + i * 2 % 2000, 1 + i * 2 % 2000);
	CHECK(set.room <= 16384);
	uids_sort(&set);
	CHECK(set.count == 1000 && uids_total(&set) == 1000);
	CHECK(uids_has(&set, 1) && !uids_has(&set, 2) && uids_has(&set, 1999));
}

TEST(different_uids_all_stay)
{
	SCOPED(uids_fini) struct uids set = {0};

	for (uint32_t i = 100000; i > 0; i--)
		uids_add(&set, 2 * i, 2 * i);
	uids_sort(&set);
	CHECK(set.count == 100000);
}
