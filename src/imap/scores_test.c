#include "imap/scores.h"

#include "base/test.h"

TEST(scores_are_found_by_uid)
{
	SCOPED(scores_fini) struct scores scores = {0};

	CHECK(scores_of(&scores, 1) == 0);
	for (uint32_t uid = 2; uid <= 2000; uid += 2)
		scores_set(&scores, uid, uid % 100 + 1);
	CHECK(scores.count == 1000);
	for (uint32_t uid = 1; uid <= 2001; uid++)
		CHECK(scores_of(&scores, uid) ==
		      (uid % 2 || uid > 2000 ? 0 : uid % 100 + 1));
	scores_set(&scores, 7, 70);
	scores_set(&scores, 8, 80); /* in place of what was there */
	scores_set(&scores, 1, 10);
	CHECK(scores.count == 1002);
	CHECK(scores_of(&scores, 1) == 10 && scores_of(&scores, 6) == 7 &&
	      scores_of(&scores, 7) == 70 && scores_of(&scores, 8) == 80 &&
	      scores_of(&scores, 9) == 0 && scores_of(&scores, 10) == 11);
}

TEST(scores_of_earlier_messages_go_before)
{
	SCOPED(scores_fini) struct scores later = {0}, earlier = {0};

	scores_set(&later, 9, 90);
	scores_set(&earlier, 3, 30);
	scores_set(&earlier, 5, 50);
	scores_put_before(&later, &earlier);
	CHECK(later.count == 3 && earlier.count == 2);
	CHECK(scores_of(&later, 3) == 30 && scores_of(&later, 5) == 50 &&
	      scores_of(&later, 9) == 90);
}
