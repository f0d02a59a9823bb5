/* What a process gives up for good at its start: privileges, files, system calls, limits.
 *
 * Landlock bounds the files (and new TCP sockets, foreign signals and abstract sockets,
 * as far as the kernel knows how); a seccomp allow-list bounds the system calls; what is
 * refused fails with EPERM or EACCES and is logged by the kernel.  Enter before other
 * threads start: they inherit it.  Descriptors that are open stay usable.
 */
#pragma once

#include "base/base.h"

enum sandbox_access { SANDBOX_READ, SANDBOX_WRITE };

struct sandbox_path { /* everything beneath it too */
	const char *path;
	enum sandbox_access access;
};

/* What a role needs beyond computing, timers, threads and the sockets it was given. */
enum sandbox_power {
	SANDBOX_FILES = 1,   /* may open, make and remove files beneath its paths */
	SANDBOX_CONNECT = 2, /* may make sockets and connect them, from any address */
	/* Less than the others have: memory, time, threads, and messages on the
	 * descriptors that are open. */
	SANDBOX_LEAST = 4,
};

struct sandbox {
	unsigned powers;
	const struct sandbox_path *paths;
	size_t path_count;
	unsigned descriptors_max; /* bounded further by the hard limit */
	uint64_t memory_max;      /* octets of addresses; 0: no bound */
};

/* What the kernel lacks of it. */
enum sandbox_lack { SANDBOX_NO_LANDLOCK = 1, SANDBOX_NO_SECCOMP = 2 };
unsigned sandbox_lacking(void);

/* There is no way back.  OK; ERR_ABSENT if the kernel lacks a part (the others hold);
 * ERR_IO if it refused (logged), and the process should end.  Programs built with
 * sanitizers go without seccomp, which they cannot live under. */
[[nodiscard]] err_t sandbox_enter(const struct sandbox *sandbox);
