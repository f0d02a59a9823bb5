#include "rt/loop_state.h"

static void waiter_join(struct waiter *waiter, struct task *task, struct waiters *list)
{
	*waiter = (struct waiter){.task = task, .list = list, .prev = list->last};
	*(list->last ? &list->last->next : &list->first) = waiter;
	list->last = waiter;
}

void waiter_leave(struct waiter *waiter)
{
	struct waiters *list = waiter->list;

	if (!list)
		return;
	*(waiter->prev ? &waiter->prev->next : &list->first) = waiter->next;
	*(waiter->next ? &waiter->next->prev : &list->last) = waiter->prev;
	waiter->list = NULL;
}

static err_t wait_for(struct waiters *one, struct waiters *other, deadline_t deadline,
		      const char *waits_for)
{
	struct task *task = loop.running;

	ASSERT(task);
	if (one)
		waiter_join(&task->waits[0], task, one);
	if (other)
		waiter_join(&task->waits[1], task, other);
	return task_suspend(deadline, waits_for);
}

err_t wait_on_either(struct waiters *one, struct waiters *other, deadline_t deadline)
{
	if (task_is_canceled())
		return ERR_CANCELED;
	if (deadline <= loop.now)
		return ERR_TIMEOUT;
	return wait_for(one, other, deadline, "others");
}

err_t wait_on(struct waiters *waiters, deadline_t deadline)
{
	return wait_on_either(waiters, NULL, deadline);
}

void wait_shielded(struct waiters *waiters, const char *waits_for)
{
	struct task *task = loop.running;

	ASSERT(task);
	task->is_shielded = true;
	err_t err = wait_for(waiters, NULL, NEVER, waits_for);

	task->is_shielded = false;
	ASSERT(err == OK);
}

void wake_one(struct waiters *waiters)
{
	if (waiters->first)
		task_wake(waiters->first->task, OK);
}

void wake_all(struct waiters *waiters)
{
	wake_all_with(waiters, OK);
}

void wake_all_with(struct waiters *waiters, err_t why)
{
	while (waiters->first)
		task_wake(waiters->first->task, why);
}
