/* The tasks that wait until some time, in a binary heap by that time. */
#include "base/mem.h"
#include "rt/loop_state.h"

static void put(size_t at, struct timer timer)
{
	loop.timers[at] = timer;
	timer.task->timer_at = at + 1;
}

static void sift_up(size_t at, struct timer timer)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (loop.timers[parent].at <= timer.at)
			break;
		put(at, loop.timers[parent]);
		at = parent;
	}
	put(at, timer);
}

static void sift_down(size_t at, struct timer timer)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= loop.timer_count)
			break;
		if (child + 1 < loop.timer_count &&
		    loop.timers[child + 1].at < loop.timers[child].at)
			child++;
		if (timer.at <= loop.timers[child].at)
			break;
		put(at, loop.timers[child]);
		at = child;
	}
	put(at, timer);
}

void timer_add(struct task *task, deadline_t at)
{
	ASSERT(!task->timer_at);
	MEM_ROOM(loop.timers, loop.timer_count, loop.timer_room);
	sift_up(loop.timer_count++, (struct timer){at, task});
}

void timer_remove(struct task *task)
{
	if (!task->timer_at)
		return;
	size_t at = task->timer_at - 1;
	struct timer last = loop.timers[--loop.timer_count];

	task->timer_at = 0;
	if (at == loop.timer_count)
		return;
	if (at > 0 && last.at < loop.timers[(at - 1) / 2].at)
		sift_up(at, last);
	else
		sift_down(at, last);
}

void timer_expire(deadline_t now)
{
	while (loop.timer_count > 0 && loop.timers[0].at <= now)
		task_wake(loop.timers[0].task, ERR_TIMEOUT);
}

deadline_t timer_next(void)
{
	return loop.timer_count > 0 ? loop.timers[0].at : NEVER;
}
