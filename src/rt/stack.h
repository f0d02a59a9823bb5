/* Stacks for tasks: mapped with a guard page below, kept for the next task, and given
 * back to the system page by page.  Used inside rt/ only. */
#pragma once

#include "base/base.h"

/* The lowest octet of TASK_STACK_BYTES (more under sanitizers); NULL if the system
 * refuses. What it holds is undefined. */
void *stack_take(void);
void stack_give_back(void *bottom);
size_t stack_bytes(void);
/* Gives the pages back that a burst has left, but for a few stacks. */
void stack_pool_cool(void);
/* Unmaps all that are kept. */
void stack_pool_fini(void);

/* Any size, not kept; NULL if the system refuses. */
void *stack_map(size_t bytes);
void stack_unmap(void *bottom, size_t bytes);
