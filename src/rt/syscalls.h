/* The list of system calls that a process keeps (seccomp); only sandbox.c uses it. */
#pragma once

#include "rt/sandbox.h"

/* For this thread and those it starts.  All others fail with EPERM. */
[[nodiscard]] err_t syscalls_restrict(const struct sandbox *sandbox);
