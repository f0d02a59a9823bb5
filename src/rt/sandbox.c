#include "rt/sandbox.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "rt/landlock.h"
#include "rt/syscalls.h"

unsigned sandbox_lacking(void)
{
	unsigned lack = 0;

	if (landlock_version() == 0)
		lack |= SANDBOX_NO_LANDLOCK;
	/* EFAULT: it looked for the filter, so it knows what filters are. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == 0 ||
	    errno != EFAULT)
		lack |= SANDBOX_NO_SECCOMP;
	return lack;
}

static void limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(what, &limit) != 0)
		return;
	limit.rlim_max = num_min(limit.rlim_max, most);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(what, &limit); /* a lower limit is never refused */
}

/* The number of processes is left alone: the limit counts all of the user's, and seccomp
 * lets no role start any. */
err_t sandbox_enter(const struct sandbox *sandbox)
{
	unsigned lack = sandbox_lacking();

	limit(RLIMIT_CORE, 0); /* a core would hold mail or keys */
	limit(RLIMIT_NOFILE, sandbox->descriptors_max);
#ifndef POSTRIDER_SANITIZED /* which takes all addresses */
	if (sandbox->memory_max > 0)
		limit(RLIMIT_AS, sandbox->memory_max);
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		LOG(ERROR, "privileges kept", KV_INT("errno", errno));
		return ERR_IO;
	}
	if (!(lack & SANDBOX_NO_LANDLOCK))
		TRY(landlock_enter(sandbox));
#ifndef POSTRIDER_SANITIZED
	if (!(lack & SANDBOX_NO_SECCOMP))
		TRY(syscalls_restrict(sandbox));
#endif
	return lack ? ERR_ABSENT : OK;
}
