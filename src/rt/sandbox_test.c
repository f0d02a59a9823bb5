#include "rt/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"

static char folder[] = "/tmp/postrider-sandbox-XXXXXX";

/* Runs what in a sandboxed process; true if all it claims held. */
static bool inside(const struct sandbox *sandbox, bool (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (sandbox_enter(sandbox) != OK)
			_exit(2);
		_exit(what() ? 0 : 1);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static bool is_refused(long result)
{
	return result < 0 && (errno == EPERM || errno == EACCES);
}

static bool opens_nothing(void)
{
	return is_refused(open("/etc/passwd", O_RDONLY)) &&
	       is_refused(open("/tmp/x", O_WRONLY | O_CREAT, 0600)) &&
	       is_refused(mkdir("/tmp/postrider-no", 0700)) &&
	       is_refused(unlink("/etc/passwd"));
}

static void *nothing(void *arg)
{
	return arg;
}

static bool still_works(void)
{
	pthread_t thread;
	void *memory = mem_zeroed(10 << 20, 1);
	bool is_good = memory != NULL &&
		       pthread_create(&thread, NULL, nothing, NULL) == 0 &&
		       pthread_join(thread, NULL) == 0;

	mem_free(memory);
	return is_good;
}

static bool keeps_to_its_folder(void)
{
	int fd = open("mine", O_RDWR | O_CREAT, 0600);

	return fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 &&
	       rename("mine", "other") == 0 && unlink("other") == 0 &&
	       is_refused(open("/etc/passwd", O_RDONLY)) &&
	       is_refused(open("../postrider-no", O_WRONLY | O_CREAT, 0600));
}

static bool only_reads(void)
{
	return open(".", O_RDONLY | O_DIRECTORY) >= 0 &&
	       is_refused(open("mine", O_RDWR | O_CREAT, 0600));
}

static bool has_all(void)
{
	return sandbox_lacking() == 0;
}

static const struct sandbox bare = {.descriptors_max = 64};

TEST(the_kernel_can_sandbox)
{
	CHECK(has_all()); /* else the tests below say nothing */
}

TEST(keeps_a_process_from_files)
{
	CHECK(inside(&bare, opens_nothing));
}

TEST(confines_files_to_a_folder)
{
	const struct sandbox_path here = {folder, SANDBOX_WRITE};
	const struct sandbox_path looked_at = {folder, SANDBOX_READ};
	struct sandbox sandbox = {SANDBOX_FILES, &here, 1, 64};

	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	CHECK(inside(&sandbox, keeps_to_its_folder));
	sandbox.paths = &looked_at;
	CHECK(inside(&sandbox, only_reads));
	CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

TEST(a_sandboxed_process_can_still_compute)
{
	CHECK(inside(&bare, still_works));
}

#ifndef POSTRIDER_SANITIZED /* which goes without seccomp */
static bool connects_nowhere(void)
{
	return is_refused(socket(AF_INET, SOCK_STREAM, 0)) &&
	       is_refused(socket(AF_UNIX, SOCK_STREAM, 0)) &&
	       is_refused(connect(0, NULL, 0)) && is_refused(bind(0, NULL, 0)) &&
	       is_refused(listen(0, 1));
}

static bool starts_no_program(void)
{
	char *const argv[] = {NULL};

	return is_refused(execve("/bin/true", argv, argv)) && is_refused(fork());
}

static bool touches_no_other_process(void)
{
	struct iovec none = {NULL, 0};

	return is_refused(ptrace(PTRACE_TRACEME, 0, 0, 0)) &&
	       is_refused(ptrace(PTRACE_ATTACH, getppid(), 0, 0)) &&
	       is_refused(process_vm_readv(getppid(), &none, 1, &none, 1, 0)) &&
	       is_refused(kill(getppid(), 0)) && is_refused(kill(-1, 0)) &&
	       is_refused(kill(0, 0)) && kill(getpid(), 0) == 0 &&
	       is_refused(fcntl(0, F_SETOWN, getppid()));
}

static bool makes_no_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	return page != MAP_FAILED && is_refused(mprotect(page, 4096, PROT_EXEC)) &&
	       mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED;
}

static bool raises_no_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max <= 64 &&
	       getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 &&
	       is_refused(setrlimit(RLIMIT_CORE, &limit));
}

TEST(keeps_a_process_from_the_network)
{
	CHECK(inside(&bare, connects_nowhere));
}

TEST(keeps_a_process_from_others)
{
	CHECK(inside(&bare, touches_no_other_process));
	CHECK(inside(&bare, starts_no_program));
}

TEST(keeps_a_process_from_making_code_and_raising_limits)
{
	CHECK(inside(&bare, makes_no_code));
	CHECK(inside(&bare, raises_no_limit));
}
#endif
