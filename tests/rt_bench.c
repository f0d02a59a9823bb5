/* What the runtime costs: build/rt_bench prints time a switch, a timed wait, and an IPC
 * round trip between two processes, alone and with many under way. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "rt/clock.h"
#include "rt/ipc.h"

enum { SWITCHES = 2000000, CALLS = 200000 };

static int rest;
static struct waiters gate;

static void spin(void *arg)
{
	while (rest-- > 0)
		task_yield();
	if (arg)
		loop_stop();
}

static void wait_and_wake(void *arg)
{
	(void)arg;
	while (rest-- > 0) {
		wake_one(&gate);
		(void)wait_on(&gate, deadline_s(300)); /* only its cost matters */
	}
	wake_all(&gate);
	loop_stop();
}

static void measure(const char *what, int count, int tasks, void (*run)(void *))
{
	rest = count;
	loop_init();
	for (int i = 0; i < tasks; i++)
		ASSERT(task_start("bench", run, i == 0 ? &rest : NULL));
	uint64_t before = clock_monotonic_us();

	loop_run();
	printf("%-44s %8.3f us\n", what,
	       (double)(clock_monotonic_us() - before) / (double)count);
	loop_fini();
}

static void echo(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	(void)arg;
	ipc_reply(ipc, message->id, message->type, message->body, -1);
}

static void stop(struct ipc *ipc, void *arg)
{
	(void)ipc;
	(void)arg;
	loop_stop();
}

static struct ipc *client;
static char body[4096];
static size_t body_len;
static int calling;

static void call(void *arg)
{
	struct buf reply = BUF(sizeof body);
	uint16_t type;

	(void)arg;
	while (rest-- > 0) {
		buf_reset(&reply);
		ASSERT(ipc_call(client, 1, (struct str){body, body_len}, -1,
				deadline_s(60), &type, &reply, NULL) == OK);
	}
	buf_fini(&reply);
	if (--calling == 0)
		loop_stop();
}

static void serve(int fd)
{
	loop_init();
	struct ipc *server = ipc_open("echo", fd, echo, stop, NULL);

	loop_run();
	ipc_close(&server);
	loop_fini();
}

static void measure_ipc(size_t len, int callers)
{
	int fds[2];

	ASSERT(ipc_pair(fds) == OK);
	pid_t child = fork();

	if (child == 0) {
		(void)close(fds[0]); /* the parent's */
		serve(fds[1]);
		_exit(0);
	}
	(void)close(fds[1]); /* the child's */
	rest = CALLS;
	calling = callers;
	body_len = len;
	loop_init();
	client = ipc_open("bench", fds[0], NULL, NULL, NULL);
	for (int i = 0; i < callers; i++)
		ASSERT(task_start("caller", call, NULL));
	uint64_t before = clock_monotonic_us();

	loop_run();
	printf("ipc round trip, %4zu octets, %3d under way     %8.3f us\n", len, callers,
	       (double)(clock_monotonic_us() - before) / CALLS);
	ipc_close(&client);
	loop_fini();
	(void)waitpid(child, NULL, 0); /* it ends when the socket closes */
}

int main(void)
{
	measure("switch (there and back)", SWITCHES, 1, spin);
	measure("wait with a deadline and be woken", SWITCHES, 2, wait_and_wake);
	for (int callers = 1; callers <= 256; callers *= 16) {
		measure_ipc(100, callers);
		measure_ipc(4096, callers);
	}
	return 0;
}
