#include "rt/errands.h"

#include "rt/loop_state.h"

static void run_in_task(void *arg)
{
	struct errand *errand = arg;
	struct errands *errands = errand->errands;

	errand->run(errand->arg);
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
		if (!task_start("errand", run_in_task, errand))
			return;
		errand->has_begun = true;
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
