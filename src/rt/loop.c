/* One turn of the loop: what the kernel says, who is due, what threads have posted; then
 * the ready tasks, a few rounds so that what one starts leaves together with its own
 * output; then the deferred functions. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/clock.h"
#include "rt/loop_state.h"
#include "rt/stack.h"

enum { EVENTS_A_TURN = 256, ROUNDS_A_TURN = 4, SLEEP_MS_MAX = 60 * 1000 };
enum { IDLE_MS = 5000, GIVE_MS = 20 * 1000 };

struct loop loop;

void loop_init(void)
{
	ASSERT(!loop.is_open);
	loop = (struct loop){
		.is_open = true,
		.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
		.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.now = clock_monotonic_ms(),
		.tidy_at = clock_monotonic_ms() + IDLE_MS,
		.give_at = clock_monotonic_ms() + GIVE_MS,
		.last_serial = loop.last_serial,
	};
	ASSERT(loop.epoll_fd >= 0 && loop.wake_fd >= 0);
	/* Edge-triggered, so it wakes at each write and need never be read. */
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};

	ASSERT(epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.wake_fd, &event) == 0);
	inbox_open();
}

void loop_fini(void)
{
	ASSERT(loop.is_open && loop.task_count == 0 && !loop.running);
	(void)close(loop.epoll_fd); /* holds no data */
	(void)close(loop.wake_fd);  /* holds no data */
	mem_free(loop.slots);
	mem_free(loop.timers);
	mem_free(loop.deferred);
	stack_pool_fini();
	big_stack_fini();
	loop = (struct loop){.last_serial = loop.last_serial};
}

deadline_t loop_now(void)
{
	return loop.now;
}

deadline_t deadline_ms(uint64_t milliseconds)
{
	deadline_t deadline;

	if (__builtin_add_overflow(loop.now, milliseconds, &deadline))
		return NEVER;
	return deadline;
}

deadline_t deadline_s(uint64_t seconds)
{
	return seconds > NEVER / 1000 ? NEVER : deadline_ms(seconds * 1000);
}

void loop_defer(void (*fn)(void *), void *arg)
{
	MEM_ROOM(loop.deferred, loop.deferred_count, loop.deferred_room);
	loop.deferred[loop.deferred_count++] = (struct deferred){fn, arg};
}

/* What they defer in turn waits for the next turn. */
static void run_deferred(void)
{
	size_t count = loop.deferred_count;

	for (size_t i = 0; i < count; i++)
		loop.deferred[i].fn(loop.deferred[i].arg);
	loop.deferred_count -= count;
	if (count > 0 && loop.deferred_count > 0)
		memmove(loop.deferred, loop.deferred + count,
			loop.deferred_count * sizeof *loop.deferred);
}

/* Everyone who is ready now; who becomes ready meanwhile waits for the next round. */
static void run_round(void)
{
	struct task *task = loop.ready_first;

	loop.ready_first = loop.ready_last = NULL;
	while (task) {
		struct task *next = task->ready_next;

		task_resume(task);
		task = next;
	}
}

static bool is_idle(void)
{
	return !loop.ready_first && loop.deferred_count == 0 &&
	       !(loop.is_stopping && loop.task_count == 0);
}

static int sleep_ms(void)
{
	deadline_t next = timer_next();

	if (!is_idle() || next <= loop.now)
		return 0;
	if (loop.is_untidy && next - loop.now > IDLE_MS && !clock_is_test())
		return IDLE_MS;
	if (next == NEVER)
		return -1;
	/* A test's clock does not move by itself. */
	if (clock_is_test() && loop.awaited_threads == 0)
		return 0;
	return next - loop.now > SLEEP_MS_MAX ? SLEEP_MS_MAX : (int)(next - loop.now);
}

void loop_on_rest(struct at_rest *at_rest)
{
	list_add_last(&loop.at_rest, &at_rest->in_loop);
}

void loop_off_rest(struct at_rest *at_rest)
{
	list_remove(&loop.at_rest, &at_rest->in_loop);
}

static void give_back(void)
{
	LIST_EACH(&loop.at_rest, link)
	{
		struct at_rest *at_rest = CONTAINER_OF(link, struct at_rest, in_loop);

		at_rest->give(at_rest->arg);
	}
	mem_give_back(); /* also what other threads have freed */
	loop.give_at = loop.now + GIVE_MS;
}

/* Idle sessions keep a page of stack and no more, wherever their last call has led.  What
 * was freed goes back to the system at rest; who never rests gives it back by and by. */
static void tidy_idle(void)
{
	if (!loop.is_untidy || loop.now < loop.tidy_at)
		return;
	stack_pool_cool();
	loop.is_untidy = !task_trim_idle(loop.now - IDLE_MS);
	if (!loop.is_untidy || loop.now >= loop.give_at)
		give_back();
	loop.tidy_at = loop.now + IDLE_MS;
}

static void sleep_and_look(void)
{
	struct epoll_event events[EVENTS_A_TURN];
	int timeout_ms = sleep_ms();
	bool may_sleep = timeout_ms != 0 && inbox_sleeps(true);
	int count = epoll_wait(loop.epoll_fd, events, EVENTS_A_TURN,
			       may_sleep ? clock_real_ms(timeout_ms) : 0);

	(void)inbox_sleeps(false); /* awake again, whatever came */
	ASSERT(count >= 0 || errno == EINTR);
	if (count <= 0 && clock_is_test() && is_idle() && timer_next() != NEVER &&
	    loop.awaited_threads == 0)
		clock_test_advance_ms(timer_next() - num_min(loop.now, timer_next()));
	loop.now = clock_monotonic_ms();
	for (int i = 0; i < count; i++)
		if (events[i].data.ptr)
			poll_event(events[i].data.ptr, events[i].events);
	inbox_drain();
	timer_expire(loop.now);
	tidy_idle();
}

void loop_run(void)
{
	ASSERT(loop.is_open && !loop.running);
	do {
		sleep_and_look();
		for (int i = 0; i < ROUNDS_A_TURN && loop.ready_first; i++)
			run_round();
		run_deferred();
	} while (!loop.is_stopping || loop.task_count > 0);
}
