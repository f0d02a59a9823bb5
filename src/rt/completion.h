/* One thing that a task awaits from another thread.  Many posts cost one wake-up of the
 * loop. */
#pragma once

#include "rt/task.h"

struct completion {
	struct completion *next;
	bool is_done;
	struct waiters waiters;
};

/* By the task, before any thread knows of it. */
void completion_init(struct completion *completion);
/* By any thread, once; afterwards it must not touch the completion. */
void completion_post(struct completion *completion);
/* May suspend until posted; is not canceled and has no deadline, because the thread still
 * uses what the task lent it.  After it the memory is the task's again. */
void completion_wait(struct completion *completion);
