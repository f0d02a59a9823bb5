#include "rt/task.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/test.h"
#include "rt/clock.h"
#include "rt/completion.h"

static struct buf story;

static void tell(const char *word)
{
	buf_add_c(&story, word);
}

/* Runs first in a loop with a test's clock, until every task has ended. */
static void run_loop(void (*first)(void *), void *arg)
{
	story = BUF(4096);
	clock_test_start(0);
	loop_init();
	CHECK(task_start("first", first, arg));
	loop_run();
	loop_fini();
	clock_test_stop();
}

static void check_story(struct str want)
{
	CHECK_STR(buf_str(&story), want);
	buf_fini(&story);
}

static void count_to_three(void *arg)
{
	const char *name = arg;

	for (int i = 0; i < 3; i++) {
		tell(name);
		task_yield();
	}
}

static void start_two(void *arg)
{
	static char a[] = "a", b[] = "b";

	(void)arg;
	CHECK(task_start("a", count_to_three, a));
	CHECK(task_start("b", count_to_three, b));
	CHECK(task_count() == 3);
	loop_stop();
}

TEST(ready_tasks_take_turns)
{
	run_loop(start_two, NULL);
	check_story(STR("ababab"));
}

static void sleeper(void *arg)
{
	const char *digits = arg;

	CHECK(task_sleep_ms((uint64_t)(digits[0] - '0') * 1000) == OK);
	tell(digits);
}

static void sleep_sort(void *arg)
{
	static char digits[][2] = {"5", "3", "9", "1", "7", "2"};

	(void)arg;
	for (size_t i = 0; i < COUNT_OF(digits); i++)
		CHECK(task_start("sleeper", sleeper, digits[i]));
	uint64_t before = loop_now();

	CHECK(task_sleep_ms(10 * 1000) == OK);
	CHECK(loop_now() == before + 10 * 1000);
	loop_stop();
}

TEST(timers_fire_in_their_order)
{
	run_loop(sleep_sort, NULL);
	check_story(STR("123579"));
}

static struct waiters gate;

static void wait_at_gate(void *arg)
{
	static const char *const words[] = {
		[OK] = "woken ", [ERR_TIMEOUT] = "late ", [ERR_CANCELED] = "canceled "};

	tell(words[wait_on(&gate, deadline_ms((uintptr_t)arg))]);
}

static void open_gate(void *arg)
{
	(void)arg;
	for (uintptr_t i = 1; i <= 4; i++)
		CHECK(task_start("waiter", wait_at_gate, (void *)(i * 100)));
	struct task *doomed = task_start("waiter", wait_at_gate, (void *)900);
	uint64_t id = task_id(doomed);

	task_yield();
	CHECK(task_sleep_ms(150) == OK); /* the first is late */
	wake_one(&gate);
	task_cancel(id);
	task_cancel(id + (1 << 16)); /* nobody */
	task_yield();
	wake_all(&gate);
	task_yield();
	task_cancel(id); /* no more */
	CHECK(!gate.first && !gate.last);
	loop_stop();
	CHECK(task_is_canceled());
	CHECK(wait_on(&gate, NEVER) == ERR_CANCELED);
	CHECK(task_sleep_ms(5) == ERR_CANCELED);
}

TEST(waiters_are_woken_late_or_canceled)
{
	run_loop(open_gate, NULL);
	check_story(STR("late woken canceled woken woken "));
}

static struct waiters other_gate;

static void wait_at_both(void *arg)
{
	(void)arg;
	CHECK(wait_on_either(&gate, &other_gate, NEVER) == OK);
	tell("through ");
	CHECK(!gate.first && !other_gate.first);
	CHECK(wait_on_either(NULL, &other_gate, deadline_ms(5)) == ERR_TIMEOUT);
	CHECK(wait_on(&gate, loop_now()) == ERR_TIMEOUT);
}

static void wake_either(void *arg)
{
	(void)arg;
	CHECK(task_start("both", wait_at_both, NULL));
	task_yield();
	CHECK(gate.first && other_gate.first);
	wake_one(&other_gate);
	wake_one(&gate); /* nobody is left to be woken twice */
	CHECK(task_sleep_ms(10) == OK);
	loop_stop();
}

TEST(a_task_may_wait_for_either_of_two)
{
	run_loop(wake_either, NULL);
	check_story(STR("through "));
}

static void deferred(void *arg)
{
	tell(arg);
}

static void defers(void *arg)
{
	static char end[] = "end";

	(void)arg;
	loop_defer(deferred, end);
	tell("begin ");
	CHECK(task_sleep_ms(1) == OK);
	tell(" later");
	loop_stop();
}

TEST(deferred_functions_run_at_the_end_of_the_turn)
{
	run_loop(defers, NULL);
	check_story(STR("begin end later"));
}

static int pipe_fds[2];

static void pipe_reader(void *arg)
{
	struct poll poll;
	char bytes[16];

	(void)arg;
	CHECK(poll_open(&poll, pipe_fds[0]) == OK);
	CHECK(poll_readable(&poll, deadline_ms(20)) == ERR_TIMEOUT);
	CHECK(poll_readable(&poll, deadline_ms(200)) == OK);
	CHECK(read(pipe_fds[0], bytes, sizeof bytes) == 5);
	poll.is_readable = false;
	CHECK(poll_readable(&poll, NEVER) == OK && poll.is_hung_up);
	CHECK(read(pipe_fds[0], bytes, sizeof bytes) == 0);
	poll_close(&poll);
	CHECK(poll_readable(&poll, NEVER) == ERR_CLOSED);
	loop_stop();
}

static void pipe_writer(void *arg)
{
	(void)arg;
	CHECK(task_start("reader", pipe_reader, NULL));
	CHECK(task_sleep_ms(100) == OK);
	CHECK(write(pipe_fds[1], "hello", 5) == 5);
	CHECK(task_sleep_ms(100) == OK);
	CHECK(close(pipe_fds[1]) == 0);
}

static void tell_left(void *arg)
{
	(void)arg;
	tell("left ");
}

static void turn_once(void *arg)
{
	(void)arg;
	loop_defer(tell_left, NULL);
	task_yield();
	tell("yielded ");
	task_turn();
	tell("turned");
	loop_stop();
}

TEST(what_is_deferred_leaves_while_the_loop_turns)
{
	run_loop(turn_once, NULL);
	check_story(STR("yielded left turned"));
}

TEST(a_reader_sleeps_until_there_is_something)
{
	CHECK(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) == 0);
	run_loop(pipe_writer, NULL);
	CHECK(close(pipe_fds[0]) == 0);
	check_story(STR(""));
}

static void *post_all(void *arg)
{
	struct completion *completions = arg;

	for (int i = 0; i < 1000; i++)
		completion_post(&completions[i]);
	return NULL;
}

static void await_posts(void *arg)
{
	static struct completion completions[1000];
	pthread_t thread;

	(void)arg;
	for (int i = 0; i < 1000; i++)
		completion_init(&completions[i]);
	CHECK(pthread_create(&thread, NULL, post_all, completions) == 0);
	loop_stop(); /* such waits are not canceled */
	for (int i = 0; i < 1000; i++)
		completion_wait(&completions[i]);
	CHECK(pthread_join(thread, NULL) == 0);
}

TEST(what_threads_post_arrives)
{
	run_loop(await_posts, NULL);
	check_story(STR(""));
}

static size_t ended;

static void sleeps_until_stopped(void *arg)
{
	(void)arg;
	CHECK(task_sleep_ms(1000 * 1000) == ERR_CANCELED);
	ended++;
}

static void start_too_many(void *arg)
{
	size_t started = 0;

	(void)arg;
	while (started < 3000 && task_start("many", sleeps_until_stopped, NULL))
		started++;
	CHECK(started == 3000);
	CHECK(task_sleep_ms(1) == OK);
	loop_stop();
}

TEST(stopping_ends_every_task)
{
	ended = 0;
	run_loop(start_too_many, NULL);
	CHECK(ended == 3000);
	check_story(STR(""));
}

static int dig(int depth)
{
	volatile char page[4000];

	page[0] = (char)depth;
	return depth > 0 ? dig(depth - 1) + page[0] : 0;
}

static void deep(void *arg)
{
	*(int *)arg = dig(500); /* 2 MB, far more than a task has */
}

static void ticks(void *arg)
{
	(void)arg;
	while (task_sleep_ms(1000) == OK)
		;
}

static void goes_deep(void *arg)
{
	int sum = 0;

	(void)arg;
	CHECK(task_start("ticks", ticks, NULL));
	task_describe(STR("digging"));
	CHECK_STR(str_c(task_description(task_self())), STR("digging"));
	CHECK_STR(str_c(task_name(task_self())), STR("first"));
	on_big_stack(deep, &sum);
	CHECK(sum != 0);
	CHECK(dig(4) == 10);
	task_trim_stack();
	CHECK(dig(4) == 10);
	CHECK(task_sleep_ms(3600 * 1000) == OK); /* meanwhile it is trimmed again */
	CHECK(dig(4) == 10);
	loop_stop();
}

TEST(foreign_code_gets_a_big_stack)
{
	run_loop(goes_deep, NULL);
	check_story(STR(""));
}
