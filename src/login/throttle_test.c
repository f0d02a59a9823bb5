#include "login/throttle.h"

#include <stdio.h>

#include "base/test.h"

static void fail_often(struct throttle *throttle, struct str peer, unsigned times,
		       uint64_t now_ms)
{
	static uint64_t guess;

	for (unsigned i = 0; i < times; i++)
		(void)throttle_failed(throttle, peer, ++guess, now_ms);
}

TEST(answers_to_failures_come_later_and_later)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new();
	struct str peer = STR("192.0.2.1");

	CHECK(throttle_failed(throttle, peer, 1, 1000) == 500);
	CHECK(throttle_failed(throttle, peer, 2, 1000) == 1000);
	CHECK(throttle_failed(throttle, peer, 3, 1000) == 2000);
	CHECK(throttle_failed(throttle, peer, 4, 1000) == 2000);
}

TEST(ten_failures_ban_for_ten_minutes)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new();
	struct str peer = STR("192.0.2.1");
	uint64_t now_ms = 5000;

	fail_often(throttle, peer, THROTTLE_FAILURES_MAX - 1, now_ms);
	CHECK(!throttle_is_banned(throttle, peer, now_ms));
	fail_often(throttle, peer, 1, now_ms);
	CHECK(throttle_is_banned(throttle, peer, now_ms));
	CHECK(!throttle_is_banned(throttle, STR("192.0.2.2"), now_ms));
	CHECK(throttle_is_banned(throttle, peer, now_ms + THROTTLE_WINDOW_MS - 1));
	CHECK(!throttle_is_banned(throttle, peer, now_ms + THROTTLE_WINDOW_MS));
	CHECK(throttle_failed(throttle, peer, 1, now_ms + THROTTLE_WINDOW_MS) == 500);
}

TEST(the_same_wrong_password_again_does_not_ban)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new();
	struct str peer = STR("192.0.2.1");

	for (int i = 0; i < 100; i++)
		CHECK(throttle_failed(throttle, peer, 7, 1000) == 500);
	CHECK(!throttle_is_banned(throttle, peer, 1000));
}

TEST(an_ipv6_customer_is_one_peer)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new();

	fail_often(throttle, STR("2001:db8:1:2::1"), THROTTLE_FAILURES_MAX, 1);
	CHECK(throttle_is_banned(throttle, STR("2001:db8:1:2:ffff::9"), 1));
	CHECK(!throttle_is_banned(throttle, STR("2001:db8:1:3::1"), 1));
	fail_often(throttle, STR("::ffff:192.0.2.9"), THROTTLE_FAILURES_MAX, 1);
	CHECK(throttle_is_banned(throttle, STR("192.0.2.9"), 1));
	CHECK(!throttle_is_banned(throttle, STR("::ffff:192.0.2.10"), 1));
}

TEST(a_flood_of_peers_stays_in_the_table)
{
	SCOPED(throttle_free) struct throttle *throttle = throttle_new();
	struct str last = STR("198.51.100.1");
	char peer[32];

	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(peer, sizeof peer, "10.%u.%u.1", i / 256, i % 256);
		(void)throttle_failed(throttle, str_c(peer), i, i);
	}
	fail_often(throttle, last, THROTTLE_FAILURES_MAX, 20000);
	CHECK(throttle_is_banned(throttle, last, 20000));
}
