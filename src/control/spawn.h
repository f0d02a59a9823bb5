/* fork and exec of a child, and nothing else. */
#pragma once

#include "control/child.h"

struct spawned {
	pid_t pid;
	int pid_fd;     /* readable when it has ended */
	int control_fd; /* the other end of its descriptor 3 */
	int report_fd;  /* does not block */
};

[[nodiscard]] err_t spawn(const struct child_options *options, struct spawned *spawned);
