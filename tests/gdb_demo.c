/* A few tasks that wait for ever, for tests/gdb_tasks.py to look at with gdb. */
#include <stdio.h>
#include <sys/prctl.h>

#include "rt/task.h"

static struct waiters nobody;

__attribute__((noinline)) static int wait_inside(void)
{
	err_t err = wait_on(&nobody, NEVER);

	return err == OK ? 1 : 2; /* keeps the call from being a jump */
}

static void wait_for_ever(void *arg)
{
	task_describe(*(const struct str *)arg);
	while (wait_inside() == 1)
		;
}

static void sleep_for_ever(void *arg)
{
	(void)arg;
	while (task_sleep_ms(60 * 60 * 1000) == OK)
		;
}

static void tell_ready(void *arg)
{
	(void)arg;
	(void)puts("ready"); /* the test waits for it */
	(void)fflush(stdout);
}

int main(void)
{
	struct str first = STR("session 17, alice@example.org"),
		   second = STR("queue run");

	/* Where only descendants may be traced, the debugger may still attach. */
	(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	loop_init();
	if (task_start("imap", wait_for_ever, &first) &&
	    task_start("mta", wait_for_ever, &second) &&
	    task_start("clock", sleep_for_ever, NULL) &&
	    task_start("ready", tell_ready, NULL))
		loop_run();
	return 0;
}
