/* Landlock, the kernel's file and network rules for unprivileged processes; only
 * sandbox.c uses it. */
#pragma once

#include "rt/sandbox.h"

/* The version of the interface that the kernel has; 0: none. */
int landlock_version(void);
/* Restricts this thread and those it starts. */
[[nodiscard]] err_t landlock_enter(const struct sandbox *sandbox);
