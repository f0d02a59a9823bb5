#include "rt/errands.h"

#include "rt/loop_state.h"

static size_t tasks_now;

static void run_in_task(void *arg)
{
	struct errand *errand = arg;
	struct errands *errands = errand->errands;

	errand->run(errand->arg);
	tasks_now--;
	if (--errands->tasks == 0)
		wake_all(&errands->ended);
}

void errands_spread(struct errands *errands)
{
	if (!task_self())
		return;
	for (size_t i = 0; i < errands->count; i++) {
		struct errand *errand = &errands->list[i];

		if (errand->has_begun)
			continue;
		errand->errands = errands;
		if (tasks_now == ERRAND_TASKS_MAX ||
		    !task_start("errand", run_in_task, errand))
			return;
		errand->has_begun = true;
		tasks_now++;
		errands->tasks++;
	}
}

void errands_run(struct errands *errands)
{
	for (size_t i = 0; i < errands->count; i++) {
		struct errand *errand = &errands->list[i];

		if (errand->has_begun)
			continue;
		errand->has_begun = true;
		errand->run(errand->arg);
	}
	while (errands->tasks > 0)
		wait_shielded(&errands->ended, "errands");
}
