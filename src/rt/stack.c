#include "rt/stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include "rt/task.h"

/* Under load, stacks keep their pages for the next short task (a handler of one message),
 * since faulting them in costs more than the task.  The loop cools them when it is idle;
 * cold ones keep only their place in the address space. */
enum { WARM_MAX = 512, WARM_IDLE_MAX = 16, COLD_MAX = 1024 };

static void *warm[WARM_MAX], *cold[COLD_MAX];
static size_t warm_count, cold_count;

size_t stack_bytes(void)
{
#ifdef POSTRIDER_SANITIZED
	return 4 * TASK_STACK_BYTES; /* instrumented frames are several times larger */
#else
	return TASK_STACK_BYTES;
#endif
}

static size_t guard_bytes(void)
{
	static size_t page;

	if (!page)
		page = (size_t)sysconf(_SC_PAGESIZE);
	return page;
}

void *stack_map(size_t bytes)
{
	size_t guard = guard_bytes();
	char *base = mmap(NULL, bytes + guard, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base, guard, PROT_NONE) != 0) {
		(void)munmap(base, bytes + guard); /* just mapped */
		return NULL;
	}
	return base + guard;
}

void stack_unmap(void *bottom, size_t bytes)
{
	size_t guard = guard_bytes();

	ASSERT(munmap((char *)bottom - guard, bytes + guard) == 0);
}

void *stack_take(void)
{
	if (warm_count > 0)
		return warm[--warm_count];
	if (cold_count > 0)
		return cold[--cold_count];
	return stack_map(stack_bytes());
}

static void put_cold(void *bottom)
{
	if (cold_count < COLD_MAX) {
		ASSERT(madvise(bottom, stack_bytes(), MADV_DONTNEED) == 0);
		cold[cold_count++] = bottom;
	} else {
		stack_unmap(bottom, stack_bytes());
	}
}

void stack_give_back(void *bottom)
{
	if (warm_count < WARM_MAX)
		warm[warm_count++] = bottom;
	else
		put_cold(bottom);
}

void stack_pool_cool(void)
{
	while (warm_count > WARM_IDLE_MAX)
		put_cold(warm[--warm_count]);
}

void stack_pool_fini(void)
{
	while (warm_count > 0)
		stack_unmap(warm[--warm_count], stack_bytes());
	while (cold_count > 0)
		stack_unmap(cold[--cold_count], stack_bytes());
}
