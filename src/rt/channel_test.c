#include "rt/channel.h"

#include "base/test.h"
#include "rt/clock.h"
#include "rt/offload.h"

static struct channel *channel;
static uintptr_t received;

static void receiver(void *arg)
{
	void *item;

	(void)arg;
	while (channel_recv(channel, &item, NEVER) == OK) {
		CHECK((uintptr_t)item == received + 1); /* in order */
		received = (uintptr_t)item;
	}
	CHECK(channel_recv(channel, &item, NEVER) == ERR_CLOSED);
	loop_stop();
}

static void sender(void *arg)
{
	void *item;

	(void)arg;
	CHECK(channel_recv(channel, &item, deadline_ms(5)) == ERR_TIMEOUT);
	for (uintptr_t i = 1; i <= 3; i++)
		CHECK(channel_send(channel, (void *)i, NEVER) == OK);
	CHECK(channel_send(channel, NULL, deadline_ms(5)) == ERR_TIMEOUT);
	CHECK(channel_count(channel) == 3);
	CHECK(task_start("receiver", receiver, NULL));
	for (uintptr_t i = 4; i <= 100; i++)
		CHECK(channel_send(channel, (void *)i, NEVER) == OK);
	channel_close(channel);
	CHECK(channel_send(channel, NULL, NEVER) == ERR_CLOSED);
}

TEST(a_channel_keeps_order_and_bound)
{
	received = 0;
	channel = channel_new(3);
	clock_test_start(0);
	loop_init();
	CHECK(task_start("sender", sender, NULL));
	loop_run();
	loop_fini();
	clock_test_stop();
	CHECK(received == 100);
	channel_free(&channel);
	channel_free(&channel);
}

static int sum; /* of all jobs, by any thread */
static int under_way;

static void add(void *arg)
{
	__atomic_add_fetch(&sum, *(int *)arg, __ATOMIC_RELAXED);
}

static void offloader(void *arg)
{
	int number = (int)(uintptr_t)arg;

	for (int i = 0; i < 50; i++)
		offload(add, &number);
	if (--under_way == 0)
		loop_stop();
}

static void many_offload(void *arg)
{
	(void)arg;
	for (uintptr_t i = 1; i <= 20; i++, under_way++)
		CHECK(task_start("offloader", offloader, (void *)i));
}

TEST(offloaded_work_is_done_by_threads)
{
	int one = 1;

	sum = 0;
	offload_init(3);
	loop_init();
	CHECK(task_start("first", many_offload, NULL));
	loop_run();
	offload_fini();
	loop_fini();
	CHECK(sum == 50 * 210);
	offload(add, &one); /* outside tasks it runs here */
	CHECK(sum == 50 * 210 + 1);
}

TEST(a_test_moves_the_clock)
{
	clock_test_start(1000 * 1000000LL);
	uint64_t before = clock_monotonic_ms();

	CHECK(clock_s() == 1000);
	clock_test_advance_ms(2500);
	CHECK(clock_s() == 1002 && clock_ms() == 1002500 && clock_us() == 1002500000);
	CHECK(clock_monotonic_ms() == before + 2500);
	clock_test_stop();
	CHECK(clock_s() > 1000000);
}
