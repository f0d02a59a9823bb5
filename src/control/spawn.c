#include "control/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

enum { ENVIRONMENT_MAX = 8, FAULT_BYTES_MAX = 1000 };

/* What the child is started with; made before the fork, so that after it nothing is
 * allocated. */
struct plan {
	const struct child_options *options;
	int control_fd, report_fd, null_fd;
	pid_t parent;
	char *argv[4];
	char *environment[ENVIRONMENT_MAX];
	char role[16];
	char fault[FAULT_BYTES_MAX + 32];
	char sanitizer[512];
};

/* execve() takes plain pointers and changes nothing. */
static char *plain(const char *text)
{
	union {
		const char *borrowed;
		char *plain;
	} ptr = {text};

	return ptr.plain;
}

static err_t plan_words(struct plan *plan)
{
	const struct child_options *options = plan->options;
	size_t count = 0;

	plan->argv[0] = plain("postrider");
	plan->argv[1] = plain("child");
	plan->argv[2] = plain(child_role_name(options->role));
	plan->environment[count++] = plain("PATH=/usr/bin:/bin");
	plan->environment[count++] = plain("LC_ALL=C");
	if (options->is_sandbox_optional)
		plan->environment[count++] = plain("POSTRIDER_SANDBOX=optional");
	if (options->fault) {
		int len = snprintf(plan->fault, sizeof plan->fault, "POSTRIDER_FAULT=%s",
				   options->fault);
		if (len >= (int)sizeof plan->fault)
			return ERR_LIMIT;
		plan->environment[count++] = plan->fault;
	}
#ifdef POSTRIDER_SANITIZED
	/* Leaks cannot be looked for by a process that may not be traced. */
	(void)snprintf(plan->sanitizer, sizeof plan->sanitizer,
		       "ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_abort=0");
	plan->environment[count++] = plan->sanitizer;
#endif
	return OK;
}

/* Runs in the child, between fork and exec. */
static bool drop_privileges(const struct child_options *options)
{
	if (geteuid() != 0 || (options->uid == 0 && options->gid == 0))
		return true;
	return setgroups(0, NULL) == 0 && setgid(options->gid) == 0 &&
	       setuid(options->uid) == 0;
}

static bool place(int fd, int at)
{
	return dup2(fd, at) == at; /* which clears close-on-exec */
}

/* A session of its own keeps the terminal's Ctrl-C from it; the supervisor decides. */
__attribute__((noreturn)) static void become(const struct plan *plan)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)setsid();
	if (!drop_privileges(plan->options))
		_exit(126);
	/* Changing the user has cleared it, so it comes after. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != plan->parent)
		_exit(126);
	if (!place(plan->null_fd, STDIN_FILENO) || !place(STDERR_FILENO, STDOUT_FILENO) ||
	    !place(plan->control_fd, CHILD_CONTROL_FD) ||
	    !place(plan->report_fd, CHILD_REPORT_FD) ||
	    close_range(CHILD_REPORT_FD + 1, ~0u, 0) != 0 ||
	    chdir(plan->options->folder) != 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) != 0)
		_exit(126);
	(void)execve("/proc/self/exe", plan->argv, plan->environment);
	_exit(127);
}

/* A descriptor that is not one of those the child gets at fixed places. */
static int raised(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_REPORT_FD + 1);

	(void)close(fd);
	return high;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			(void)close(fds[i]);
	}
}

static err_t failed(const char *what)
{
	LOG(ERROR, "process not started", KV("operation", what), KV_INT("errno", errno));
	return ERR_IO;
}

static err_t start(struct plan *plan, struct spawned *spawned)
{
	int control[2] = {-1, -1}, report[2] = {-1, -1};

	if (ipc_pair(control) != OK)
		return failed("socketpair");
	if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) {
		close_all(control, 2);
		return failed("pipe");
	}
	plan->control_fd = control[1] = raised(control[1]);
	plan->report_fd = report[1] = raised(report[1]);
	pid_t pid = plan->control_fd < 0 || plan->report_fd < 0 ? -1 : fork();
	if (pid == 0)
		become(plan);
	close_all(&control[1], 1);
	close_all(&report[1], 1);
	int pid_fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid_fd < 0) {
		err_t err = failed(pid < 0 ? "fork" : "pidfd_open");

		if (pid > 0) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, NULL, 0);
		}
		close_all(control, 1);
		close_all(report, 1);
		return err;
	}
	*spawned = (struct spawned){pid, pid_fd, control[0], report[0]};
	return OK;
}

err_t spawn(const struct child_options *options, struct spawned *spawned)
{
	struct plan plan = {.options = options, .parent = getpid()};

	TRY(plan_words(&plan));
	plan.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (plan.null_fd < 0)
		return failed("open /dev/null");
	err_t err = start(&plan, spawned);
	(void)close(plan.null_fd);
	return err;
}
