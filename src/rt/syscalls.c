#include "rt/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"

/* Computing, time, threads, and messages on the descriptors that are open. */
static const int calls_of_all[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(membarrier),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(futex),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrusage),
	SCMP_SYS(getrlimit),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(eventfd2),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* What else may be done with these descriptors; not SANDBOX_LEAST. */
static const int calls_of_most[] = {
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(preadv),
	SCMP_SYS(pwritev),
	SCMP_SYS(preadv2),
	SCMP_SYS(pwritev2),
	SCMP_SYS(close_range),
	SCMP_SYS(lseek),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(uname),
	SCMP_SYS(times),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(pselect6),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(pipe2),
	SCMP_SYS(socketpair), /* leads nowhere but into the process itself */
	SCMP_SYS(accept4),
	SCMP_SYS(accept),
	SCMP_SYS(shutdown),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
};

/* Files; Landlock says which. */
static const int calls_of_files[] = {
	SCMP_SYS(open),      SCMP_SYS(openat),          SCMP_SYS(stat),
	SCMP_SYS(lstat),     SCMP_SYS(newfstatat),      SCMP_SYS(statx),
	SCMP_SYS(statfs),    SCMP_SYS(fstatfs),         SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(mkdir),           SCMP_SYS(mkdirat),
	SCMP_SYS(rmdir),     SCMP_SYS(unlink),          SCMP_SYS(unlinkat),
	SCMP_SYS(rename),    SCMP_SYS(renameat),        SCMP_SYS(renameat2),
	SCMP_SYS(ftruncate), SCMP_SYS(fallocate),       SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(sync_file_range), SCMP_SYS(msync),
	SCMP_SYS(mincore),   SCMP_SYS(flock),           SCMP_SYS(getdents64),
	SCMP_SYS(fadvise64), SCMP_SYS(copy_file_range), SCMP_SYS(fchmod),
	SCMP_SYS(getcwd),    SCMP_SYS(readahead),
};

static const int calls_of_connecting[] = {
	SCMP_SYS(socket),   SCMP_SYS(connect),
	SCMP_SYS(bind), /* UDP; of TCP Landlock allows any port's choice only */
	SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg),
};

/* What may be asked of a descriptor: nothing that makes the kernel send signals. */
static const int fcntl_commands[] = {
	F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,  F_SETFD,     F_GETFL,     F_SETFL,
	F_GETLK, F_SETLK,         F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
};

static bool allow_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (calls[i] < 0) /* not on this architecture */
			continue;
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return false;
	}
	return true;
}

static bool allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp claim)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, claim) == 0;
}

static bool allow_fcntl(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < COUNT_OF(fcntl_commands); i++) {
		if (!allow_if(filter, SCMP_SYS(fcntl),
			      SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntl_commands[i])))
			return false;
	}
	return true;
}

/* Calls whose arguments decide. */
static bool allow_some(scmp_filter_ctx filter)
{
	scmp_datum_t self = (scmp_datum_t)getpid();

	return /* memory that is never executable */
		allow_if(filter, SCMP_SYS(mmap),
			 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) &&
		allow_if(filter, SCMP_SYS(mprotect),
			 SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) &&
		/* threads, not processes; clone3 hides its arguments, so libc shall
		 * fall back to clone */
		allow_if(filter, SCMP_SYS(clone),
			 SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) &&
		seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) ==
			0 &&
		/* signals to itself only */
		allow_if(filter, SCMP_SYS(kill), SCMP_A0(SCMP_CMP_EQ, self)) &&
		allow_if(filter, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, self)) &&
		/* its own limits may be read, its threads named */
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
				 SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)) == 0 &&
		allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)) &&
		allow_fcntl(filter);
}

err_t syscalls_restrict(const struct sandbox *sandbox)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool is_made = filter != NULL;
	int refused = 0;

	/* Looked up as a tree; refusals go to the kernel's log; no slow-down of memory
	 * beyond what the system does anyway. */
	is_made = is_made && seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1); /* if it can */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1); /* if it can */
	is_made = is_made && allow_all(filter, calls_of_all, COUNT_OF(calls_of_all)) &&
		  allow_some(filter);
	if (!(sandbox->powers & SANDBOX_LEAST))
		is_made = is_made &&
			  allow_all(filter, calls_of_most, COUNT_OF(calls_of_most));
	if (sandbox->powers & SANDBOX_FILES)
		is_made = is_made &&
			  allow_all(filter, calls_of_files, COUNT_OF(calls_of_files));
	if (sandbox->powers & SANDBOX_CONNECT)
		is_made = is_made && allow_all(filter, calls_of_connecting,
					       COUNT_OF(calls_of_connecting));
	if (is_made)
		refused = seccomp_load(filter);
	seccomp_release(filter);
	if (is_made && refused == 0)
		return OK;
	LOG(ERROR, "seccomp refused", KV_INT("errno", -refused));
	return ERR_IO;
}
