#include "mta/destination.h"

#include "base/mem.h"
#include "base/test.h"
#include "mta/settle.h"
#include "rt/clock.h"

static const struct mta_options options = {
	.connections_max = 4, .rate_per_minute = 60, .schedule.retry_first_s = 300};

static struct run *run;

static struct destination *to(const char *rcpt, uint8_t body_kind)
{
	struct queue_row row = {.sender = STR("ann@example.org"),
				.body_kind = body_kind,
				.recipient = {.address = str_c(rcpt)}};

	return destination_of(run, &row);
}

static void in_run(void (*test)(void))
{
	loop_init();
	run = NEW(struct run);
	run->options = &options;
	test();
	destination_free_all(run);
	mem_free(run);
	loop_fini();
}

static void same(void)
{
	CHECK(to("a@example.org", 0) == to("b@EXAMPLE.org", 0));
	CHECK(to("a@example.org", 0) != to("a@example.net", 0));
	CHECK(to("a@example.org", 0) != to("a@example.org", QUEUE_REQUIRETLS));
	CHECK(to("a@b\xc3\xbc"
		 "cher.example",
		 0) == to("a@xn--bcher-kva.example", 0));
	CHECK_STR(to("a@[192.0.2.1]", 0)->name, STR("192.0.2.1"));
}

TEST(recipients_of_a_domain_go_together)
{
	in_run(same);
}

static void window(void)
{
	struct destination *one = to("a@example.org", 0);

	CHECK(one->window == 2);
	for (int i = 0; i < 5; i++) /* twice its width, and thrice */
		destination_gain(one);
	CHECK(one->window == 4);
	for (int i = 0; i < 50; i++)
		destination_gain(one);
	CHECK(one->window == 4);
	destination_shrink(one);
	CHECK(one->window == 2);
	destination_shrink(one);
	destination_shrink(one);
	CHECK(one->window == 1);
}

TEST(the_window_grows_with_success_and_shrinks_with_trouble)
{
	in_run(window);
}

static void death(void)
{
	struct destination *one = to("a@example.org", 0);
	const struct verdict verdict = {.kind = VERDICT_RETRY, .text = STR("gone")};
	deadline_t before = 0;

	for (int i = 0; i < 12; i++) {
		destination_fail(one, &verdict, STR("mx.example.org"));
		CHECK(destination_is_dead(one) && one->dead_until >= before);
		before = one->dead_until;
	}
	CHECK(before <= loop_now() + 3600 * 1000);
	destination_gain(one);
	CHECK(!destination_is_dead(one) && one->failures == 0);
}

TEST(who_cannot_be_reached_is_left_alone_ever_longer)
{
	in_run(death);
}

static void fullness(void)
{
	struct destination *one = to("a@example.org", 0);

	CHECK(!destination_is_full(one));
	one->entry_count = DESTINATION_ROWS - 1;
	CHECK(!destination_is_full(one));
	one->entry_count++;
	CHECK(destination_is_full(one));
	one->speed = 1000;
	CHECK(!destination_is_full(one));
	one->speed = 0;
	run->row_count = ROWS_MAX - 1;
	one->entry_count = 1;
	CHECK(destination_is_full(one));
	one->entry_count = 0;
	CHECK(!destination_is_full(one));
}

/* Ten thousand rows for which there is no room. */
static int64_t last_return(struct destination *destination)
{
	int64_t in_s = 0, before = 0;

	destination->return_at = 0;
	for (int i = 0; i < 10000; i++, before = in_s) {
		in_s = destination_return_in_s(destination);
		CHECK(in_s >= 1 && in_s <= 300);
		CHECK(in_s >= before || before > 150);
	}
	return in_s;
}

static void returns(void)
{
	struct destination *one = to("a@example.org", 0);

	CHECK(last_return(one) <= 4); /* its speed is not known: soon */
	one->speed = 1000;
	int64_t fast_s = last_return(one);

	CHECK(fast_s >= 8 && fast_s <= 10);
	one->speed = 1;
	CHECK(last_return(one) >= 150);
}

TEST(rows_without_room_return_as_fast_as_they_can_go_out)
{
	in_run(returns);
}

TEST(one_destination_does_not_fill_the_memory)
{
	in_run(fullness);
}

/* Each takes what it may. */
static void shares(void)
{
	enum { SLOW_ONES = 300, BATCH_ROWS_MIN = 50 };

	for (int i = 0; i < SLOW_ONES; i++) {
		SCOPED(buf_fini) struct buf name = BUF(100);

		buf_printf(&name, "a@d%d.example%c", i, '\0');
		struct destination *slow = to(name.ptr, 0);

		while (!destination_is_full(slow)) {
			slow->entry_count++;
			run->row_count++;
		}
	}
	CHECK(run->row_count + BATCH_ROWS_MIN <= ROWS_MAX);
	LIST_EACH(&run->ages, link)
	CONTAINER_OF(link, struct destination, in_ages)->entry_count = 0;
}

TEST(many_slow_destinations_leave_room_for_others)
{
	in_run(shares);
}
