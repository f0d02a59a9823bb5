/* One stack of 8 MiB for foreign code whose needs we do not know. */
#include "rt/loop_state.h"
#include "rt/stack.h"

enum { BIG_STACK_BYTES = 8 * 1024 * 1024 };

static void *big_stack; /* mapped at first use; pages come as they are touched */

struct visit {
	struct fibre fibre, *home;
	void (*fn)(void *);
	void *arg;
};

static void visit_main(void *arg)
{
	struct visit *visit = arg;

	visit->fn(visit->arg);
	fibre_end(&visit->fibre, visit->home);
}

void on_big_stack(void (*fn)(void *), void *arg)
{
	struct task *task = loop.running;

	if (!task) { /* already on the thread's own stack, or on the big one */
		fn(arg);
		return;
	}
	if (!big_stack)
		big_stack = stack_map(BIG_STACK_BYTES);
	ASSERT(big_stack);
	struct visit visit = {.home = &task->fibre, .fn = fn, .arg = arg};

	fibre_init(&visit.fibre, big_stack, BIG_STACK_BYTES, visit_main, &visit);
	loop.running = NULL; /* so that an attempt to suspend is caught */
	fibre_switch(&task->fibre, &visit.fibre);
	loop.running = task;
}

void big_stack_fini(void)
{
	if (big_stack)
		stack_unmap(big_stack, BIG_STACK_BYTES);
	big_stack = NULL;
}
