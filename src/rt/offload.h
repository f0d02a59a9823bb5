/* Work that blocks (disks, foreign libraries with waits of their own), done by a few
 * threads while the task waits and the loop goes on. */
#pragma once

#include "rt/task.h"

/* How many threads at most; they start when first needed.  Without it there are 4. */
void offload_init(size_t threads_max);
/* May suspend until another thread has run work(arg); is not canceled.  Outside tasks it
 * runs here. */
void offload(void (*work)(void *arg), void *arg);
/* Ends the threads; before loop_fini(), when no task uses them. */
void offload_fini(void);
