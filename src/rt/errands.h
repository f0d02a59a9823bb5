/* Several pieces of work of which none needs what another finds out.  They are done one
 * after the other, here and without a task, until one of them has to wait: then all
 * others begin, each in a task of its own.  So they cost nothing where nobody waits, and
 * where they wait they wait together.
 *
 *   struct errand list[] = {{look, &one}, {look, &other}};
 *   struct errands errands = {list, COUNT_OF(list)};
 *   errands_run(&errands);           ... in which look() calls errands_spread(&errands)
 */
#pragma once

#include "rt/task.h"

/* That errands of the whole process may have: others need tasks, too, and whoever answers
 * (the resolver takes 4,000 questions at a time, of all processes) must not be flooded.
 */
enum { ERRAND_TASKS_MAX = 400 };

struct errand {
	void (*run)(void *arg); /* may suspend */
	void *arg;
	/* rt's own: */
	struct errands *errands;
	bool has_begun;
};

struct errands {
	struct errand *list;
	size_t count;
	/* rt's own: */
	size_t tasks; /* that run */
	struct waiters ended;
};

/* May suspend.  Returns when all have ended: who cancels the task that calls it waits
 * for them, since they may use what is on its stack. */
void errands_run(struct errands *errands);
/* For an errand that is about to wait.  Outside tasks, or where there is no room for more
 * of them, the others begin later. */
void errands_spread(struct errands *errands);
