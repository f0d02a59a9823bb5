/* fibre_registers() by libc, for processors without assembly of ours.  Slower: libc saves
 * the signal mask at each change. */
#include <ucontext.h>

#include "rt/fibre.h"

void fibre_registers(void **save, void *load)
{
	ucontext_t here;

	*save = &here;
	(void)swapcontext(&here, load); /* fails only for want of memory, which it has */
}

/* The context itself lies at the top of the new stack until it runs. */
void *fibre_first_registers(void *bottom, size_t size, void (*start)(void))
{
	uintptr_t top = ((uintptr_t)bottom + size - sizeof(ucontext_t)) & ~(uintptr_t)63;
	ucontext_t *first = (ucontext_t *)top;

	ASSERT(getcontext(first) == 0);
	first->uc_stack.ss_sp = bottom;
	first->uc_stack.ss_size = (size_t)(top - (uintptr_t)bottom);
	first->uc_link = NULL;
	makecontext(first, start, 0);
	return first;
}
