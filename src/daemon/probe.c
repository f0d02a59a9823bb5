#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/self.h"

static int refused_count, allowed_count;

static void say(const char *attempt, long result)
{
	bool is_refused = result < 0 && (errno == EPERM || errno == EACCES);

	*(is_refused ? &refused_count : &allowed_count) += 1;
	printf("%s %s\n", attempt, is_refused ? "refused" : "ALLOWED");
}

#ifndef POSTRIDER_SANITIZED
static void try_calls(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(9),
					    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const struct sockaddr *to = (const struct sockaddr *)&address;
	char *const argv[] = {NULL};
	char octet;
	struct iovec part = {&octet, 1};

	say("socket", socket(AF_INET, SOCK_STREAM, 0));
	say("connect", connect(STDIN_FILENO, to, sizeof address));
	say("bind", bind(STDIN_FILENO, to, sizeof address));
	say("execve", execve("/bin/true", argv, argv));
	say("fork", fork());
	say("ptrace", ptrace(PTRACE_ATTACH, getppid(), 0, 0));
	say("process_vm_readv", process_vm_readv(getppid(), &part, 1, &part, 1, 0));
	say("kill", kill(getppid(), 0));
	say("kill all", kill(-1, 0));
	say("kill group", kill(0, 0));
	say("chroot", chroot("/"));
}
#endif

int self_probe(void)
{
	say("open", open("/etc/passwd", O_RDONLY));
	say("create", open("../postrider-probe", O_WRONLY | O_CREAT, 0600));
	say("open parent", open("..", O_RDONLY | O_DIRECTORY));
	say("unlink", unlink("../other"));
#ifdef POSTRIDER_SANITIZED
	printf("without seccomp\n");
#else
	try_calls();
#endif
	printf("%d refused, %d allowed\n", refused_count, allowed_count);
	(void)fflush(stdout);
	return allowed_count != 0;
}
