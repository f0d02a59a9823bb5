#include "net/tally.h"

#include <stdio.h>

#include "base/test.h"
#include "net/limits.h"
#include "net/proxied.h"
#include "rt/clock.h"

static struct tally_key key(unsigned number)
{
	struct tally_key key = {{0}};

	memcpy(key.octets, &number, sizeof number);
	return key;
}

TEST(what_came_and_went_is_no_news)
{
	SCOPED(tally_free) struct tally *tally = tally_new();
	struct tally_key a = key(1), b = key(2);
	struct tally_item items[4];

	tally_add(tally, &a, 1);
	tally_add(tally, &a, -1);
	tally_add(tally, &b, 1);
	tally_add(tally, &b, 1);
	CHECK(tally_news(tally, items, 4) == 1 && items[0].count == 2);
	CHECK(tally_keys(tally) == 1);
	tally_add(tally, &b, -1);
	tally_add(tally, &b, -1);
	CHECK(tally_news(tally, items, 4) == 1 && items[0].count == 0);
	CHECK(tally_keys(tally) == 0 && tally_news(tally, items, 4) == 0);
}

TEST(what_others_have_counts)
{
	SCOPED(tally_free) struct tally *tally = tally_new();
	struct tally_key a = key(1);
	struct tally_item item;

	tally_heard(tally, &a, TALLY_MUCH - 1);
	CHECK(tally_everywhere(tally, &a) == 0 && tally_keys(tally) == 0);
	tally_heard(tally, &a, TALLY_MUCH);
	CHECK(tally_everywhere(tally, &a) == TALLY_MUCH);
	tally_add(tally, &a, 1);
	CHECK(tally_news(tally, &item, 1) == 1);
	tally_heard(tally, &a, 40);
	CHECK(tally_everywhere(tally, &a) == 41 && tally_here(tally, &a) == 1);
	tally_add(tally, &a, -1);
	CHECK(tally_news(tally, &item, 1) == 1 && item.count == 0);
	CHECK(tally_everywhere(tally, &a) == 40); /* remembered while it is much */
	tally_doubt(tally, &a);
	CHECK(tally_news(tally, &item, 1) == 1 && item.count == 0);
	tally_heard(tally, &a, 0);
	CHECK(tally_keys(tally) == 0);
}

TEST(a_new_listener_hears_all)
{
	SCOPED(tally_free) struct tally *tally = tally_new();
	static struct tally_item items[300];
	struct tally_key k;

	for (unsigned i = 0; i < 300; i++) { /* the table grows */
		k = key(i);
		tally_add(tally, &k, 1);
	}
	CHECK(tally_news(tally, items, 300) == 300 && tally_news(tally, items, 300) == 0);
	tally_tell_all(tally);
	CHECK(tally_news(tally, items, 200) == 200 &&
	      tally_news(tally, items, 300) == 100);
}

static void wait_for_news(void *arg)
{
	struct tally *tally = arg;
	struct tally_key a = key(1);
	struct tally_item item;
	deadline_t begun = loop_now();

	tally_add(tally, &a, 1);
	CHECK(tally_wait(tally, NEVER) == OK && loop_now() >= begun + 20);
	CHECK(tally_news(tally, &item, 1) == 1);
	begun = loop_now();
	for (int i = 0; i < 3; i++)
		tally_add(tally, &a, 1);
	CHECK(tally_wait(tally, NEVER) == OK &&
	      loop_now() == begun); /* so many: at once */
	CHECK(tally_news(tally, &item, 1) == 1 && item.count == 4);
	CHECK(tally_wait(tally, deadline_s(1)) == ERR_TIMEOUT);
	loop_stop();
}

TEST(news_wait_a_little_unless_they_are_big)
{
	SCOPED(tally_free) struct tally *tally = tally_new();

	clock_test_start(0);
	loop_init();
	CHECK(task_start("news", wait_for_news, tally));
	loop_run();
	loop_fini();
	clock_test_stop();
}

/* ---- limits ------------------------------------------------------------------------ */

static bool enter(struct limits *limits, const char *host, struct limits_seat *seat)
{
	struct address address;

	CHECK(address_parse_host(str_c(host), &address));
	return limits_enter(limits, &address, seat);
}

TEST(connections_are_counted_for_each_stranger)
{
	SCOPED(tally_free) struct tally *tally = tally_new();
	struct networks exempt;
	struct limits_seat seats[300], none;
	char host[64];
	size_t count = 0;

	CHECK(networks_parse(STR("127.0.0.0/8"), &exempt));
	struct limits *limits = limits_new(&(struct limits_options){.total_max = 30,
								    .each_max = 2,
								    .exempt = &exempt},
					   tally);
	CHECK(enter(limits, "2001:db8::1", &seats[count++]));
	CHECK(enter(limits, "2001:db8::2", &seats[count++]));
	CHECK(!enter(limits, "2001:db8::3", &none)); /* they share a /64 */
	for (unsigned i = 1; i <= 6; i++) {
		(void)snprintf(host, sizeof host, "2001:db8:0:%u::1", i);
		CHECK(enter(limits, host, &seats[count++]));
	}
	CHECK(!enter(limits, "2001:db8:0:7::1", &none)); /* and these a /48 */
	limits_known(&seats[0], true);                   /* it has logged in */
	CHECK(enter(limits, "2001:db8::4", &seats[count++]));
	while (limits_total(limits) < 30)
		CHECK(enter(limits, "127.0.0.1", &seats[count++]));
	CHECK(!enter(limits, "192.0.2.1", &none) && !enter(limits, "127.0.0.1", &none));
	while (count > 0)
		limits_leave(&seats[--count]);
	CHECK(limits_total(limits) == 0);
	limits_free(&limits);
}

TEST(connections_at_other_doors_count)
{
	SCOPED(tally_free) struct tally *tally = tally_new();
	struct limits_seat seat, none;
	struct tally_item item;
	struct limits *limits = limits_new(
		&(struct limits_options){.total_max = 30, .each_max = 10}, tally);

	CHECK(enter(limits, "192.0.2.1", &seat));
	CHECK(tally_news(tally, &item, 1) == 1);
	tally_heard(tally, &item.key, 9);
	CHECK(!enter(limits, "192.0.2.1", &none));
	CHECK(tally_news(tally, &item, 1) == 1); /* is that still so? */
	tally_heard(tally, &item.key, 8);
	CHECK(enter(limits, "192.0.2.1", &none));
	limits_leave(&none);
	limits_leave(&seat);
	limits_free(&limits);
}
