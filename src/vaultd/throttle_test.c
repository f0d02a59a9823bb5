#include "vaultd/throttle.h"

#include "base/hash.h"
#include "base/test.h"

enum { BOUND = 10 };

TEST(ten_failures_are_too_much_for_ten_minutes)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new(512);
	uint64_t now_ms = 5000;

	for (unsigned i = 1; i <= BOUND; i++)
		CHECK(throttle_add(throttle, 7, i, BOUND, now_ms) == i);
	CHECK(throttle_count(throttle, 7, BOUND, now_ms) == BOUND);
	CHECK(throttle_count(throttle, 8, BOUND, now_ms) == 0);
	now_ms += THROTTLE_WINDOW_MS;
	CHECK(throttle_count(throttle, 7, BOUND, now_ms - 1) == BOUND);
	CHECK(throttle_count(throttle, 7, BOUND, now_ms) == 0);
	CHECK(throttle_add(throttle, 7, 1, BOUND, now_ms) == 1);
}

TEST(failures_now_and_then_never_add_up)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new(512);
	uint64_t now_ms = 1000;

	for (unsigned i = 0; i < 1000; i++, now_ms += THROTTLE_WINDOW_MS / BOUND)
		CHECK(throttle_add(throttle, 7, i, BOUND, now_ms) == 1);
	for (unsigned i = 1; i <= 6; i++)
		CHECK(throttle_add(throttle, 7, i, BOUND, now_ms) <= i);
	CHECK(throttle_count(throttle, 7, BOUND, now_ms + THROTTLE_WINDOW_MS / 2) == 1);
}

TEST(the_same_wrong_password_again_counts_once)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new(512);

	for (int i = 0; i < 100; i++)
		CHECK(throttle_add(throttle, 7, 9, BOUND, 1000) == 1);
}

TEST(a_flood_of_keys_stays_in_the_table)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new(512);

	for (unsigned i = 0; i < 20000; i++)
		(void)throttle_add(throttle, hash64_number(i), i, BOUND, i);
	CHECK(throttle_last_ms(throttle, hash64_number(19999)) == 19999);
	CHECK(throttle_last_ms(throttle, 0) == 0);
	CHECK(throttle_add(throttle, 0, 1, BOUND, 20000) == 1); /* 0 is a key as any */
	CHECK(throttle_last_ms(throttle, 0) == 20000);
}
