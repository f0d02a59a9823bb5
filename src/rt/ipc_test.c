#include "rt/ipc.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "base/test.h"
#include "rt/clock.h"
#include "rt/ipc_state.h"

/* Both ends live in one loop: server answers, client asks. */
static struct ipc *client, *server;
static struct buf seen;
static int gone_count;

enum { ECHO = 1, SLOW, SILENT, BIG, LONG, FD, NOTE, HOLD };

static size_t held, held_most, hold_count;

/* Octets that differ by place and by reply. */
static char octet_of(size_t len, size_t at)
{
	return (char)(unsigned char)(len * 31 + at * 7 + at / 251);
}

static void serve(struct ipc *ipc, const struct ipc_message *message, void *arg)
{
	static char big[IPC_BODY_MAX];
	char byte = 0;
	uint64_t len;

	CHECK(arg == &seen);
	switch (message->type) {
	case ECHO:
		ipc_reply(ipc, message->id, ECHO, message->body, -1);
		break;
	case SLOW:
		CHECK(task_sleep_ms(message->body.len) != ERR_TIMEOUT);
		ipc_reply(ipc, message->id, SLOW, message->body, -1);
		break;
	case BIG:
		memset(big, message->body.ptr[0], sizeof big);
		ipc_reply(ipc, message->id, BIG, (struct str){big, sizeof big}, -1);
		break;
	case LONG:
		CHECK(num_parse(message->body, sizeof big, &len)); /* no NUL behind it */
		CHECK(task_sleep_ms(len % 5) == OK);
		for (size_t i = 0; i < len; i++)
			big[i] = octet_of(len, i);
		ipc_reply(ipc, message->id, LONG, (struct str){big, len}, -1);
		break;
	case FD:
		CHECK(message->fd >= 0);
		CHECK(read(message->fd, &byte, 1) == 1);
		ipc_reply(ipc, message->id, FD, (struct str){&byte, 1}, message->fd);
		CHECK(close(message->fd) == 0);
		break;
	case HOLD:
		held += message->body.len;
		held_most = held > held_most ? held : held_most;
		CHECK(task_sleep_ms(100) == OK);
		held -= message->body.len;
		hold_count++;
		break;
	case NOTE:
		CHECK(message->id == 0 && message->fd == -1);
		buf_add(&seen, message->body);
		break;
	default:
		CHECK(message->type == SILENT);
	}
}

static void note_gone(struct ipc *ipc, void *arg)
{
	CHECK(!ipc_is_open(ipc) && arg == &seen);
	gone_count++;
}

static void run_with_ipc(void (*first)(void *))
{
	int fds[2];

	seen = BUF(1 << 20);
	gone_count = 0;
	clock_test_start(0);
	loop_init();
	CHECK(ipc_pair(fds) == OK);
	client = ipc_open("client", fds[0], NULL, note_gone, &seen);
	server = ipc_open("server", fds[1], serve, NULL, &seen);
	CHECK(task_start("first", first, NULL));
	loop_run();
	ipc_close(&client);
	ipc_close(&server);
	loop_fini();
	clock_test_stop();
	buf_fini(&seen);
}

static err_t ask(uint16_t type, struct str body, deadline_t deadline, struct buf *reply)
{
	uint16_t reply_type = 0;
	err_t err = ipc_call(client, type, body, -1, deadline, &reply_type, reply, NULL);

	CHECK(err != OK || reply_type == type);
	return err;
}

static int asking;

static void ask_often(void *arg)
{
	char text[32];
	struct buf reply = BUF(100);

	for (int i = 0; i < 100; i++) {
		int len = snprintf(text, sizeof text, "%d %d", (int)(uintptr_t)arg, i);

		buf_reset(&reply);
		CHECK(ask(i % 3 ? ECHO : SLOW, (struct str){text, (size_t)len}, NEVER,
			  &reply) == OK);
		CHECK_STR(buf_str(&reply), str_c(text));
	}
	buf_fini(&reply);
	if (--asking == 0)
		loop_stop();
}

static void many_ask(void *arg)
{
	(void)arg;
	for (uintptr_t i = 0; i < 200; i++, asking++)
		CHECK(task_start("asks", ask_often, (void *)i));
}

TEST(each_caller_gets_its_own_reply)
{
	run_with_ipc(many_ask);
	CHECK(asking == 0);
}

static void calls_fail(void *arg)
{
	struct buf reply = BUF(10);

	(void)arg;
	CHECK(ask(SILENT, STR("x"), deadline_ms(50), &reply) == ERR_TIMEOUT);
	CHECK(ask(SLOW, STR("0123456789"), deadline_ms(5), &reply) == ERR_TIMEOUT);
	CHECK(task_sleep_ms(20) == OK); /* its reply comes and is dropped */
	CHECK(ask(ECHO, STR("01234567890"), NEVER, &reply) == ERR_LIMIT);
	buf_reset(&reply);
	CHECK(ask(ECHO, STR("here"), NEVER, &reply) == OK);
	CHECK_STR(buf_str(&reply), STR("here"));
	for (int i = 0; i < 3; i++)
		CHECK(ipc_event(client, NOTE, STR("note "), -1) == OK);
	CHECK(ask(ECHO, STR(""), NEVER, &reply) == OK);
	CHECK_STR(buf_str(&seen), STR("note note note "));
	buf_fini(&reply);
	loop_stop();
}

TEST(calls_end_at_their_deadline_and_replies_at_their_bound)
{
	run_with_ipc(calls_fail);
}

static void asks_in_vain(void *arg)
{
	struct buf reply = BUF(10);

	(void)arg;
	CHECK(ask(SILENT, STR("x"), NEVER, &reply) == ERR_CLOSED);
	CHECK(ask(ECHO, STR("x"), NEVER, &reply) == ERR_CLOSED);
	CHECK(ipc_event(client, NOTE, STR("x"), -1) == ERR_CLOSED);
	buf_fini(&reply);
	CHECK(task_sleep_ms(1) == OK);
	loop_stop();
}

static void server_leaves(void *arg)
{
	struct buf reply = BUF(10);

	(void)arg;
	CHECK(task_start("vain", asks_in_vain, NULL));
	CHECK(ipc_event(client, SLOW, STR("it replies into nothing"), -1) == OK);
	CHECK(ask(ECHO, STR("x"), NEVER, &reply) == OK);
	buf_fini(&reply);
	ipc_close(&server);
	ipc_close(&server);
}

TEST(callers_learn_that_the_other_side_is_gone)
{
	run_with_ipc(server_leaves);
	CHECK(gone_count == 1);
}

static void ask_big(void *arg)
{
	char letter = (char)('a' + (char)(uintptr_t)arg);
	struct buf reply = BUF(IPC_BODY_MAX);

	CHECK(ask(BIG, (struct str){&letter, 1}, NEVER, &reply) == OK);
	CHECK(reply.len == IPC_BODY_MAX && reply.ptr[0] == letter &&
	      reply.ptr[reply.len - 1] == letter);
	buf_fini(&reply);
	if (--asking == 0)
		loop_stop();
}

static void many_ask_big(void *arg)
{
	(void)arg;
	for (uintptr_t i = 0; i < 26; i++, asking++) /* 13 MB of replies */
		CHECK(task_start("asks", ask_big, (void *)i));
}

TEST(big_replies_do_not_choke_the_socket)
{
	run_with_ipc(many_ask_big);
	CHECK(asking == 0);
}

static void ask_long(void *arg)
{
	size_t len = (size_t)(uintptr_t)arg, wrong = 0;
	struct buf reply = BUF(IPC_BODY_MAX);
	char text[24];
	deadline_t deadline = len % 3 == 0 ? deadline_ms(len % 7) : NEVER;

	buf_add_c(&reply, "before"); /* a reply is appended */
	(void)snprintf(text, sizeof text, "%zu", len);
	err_t err = ask(LONG, str_c(text), deadline, &reply);

	CHECK(err == OK || (err == ERR_TIMEOUT && deadline != NEVER));
	CHECK(err != OK || reply.len == len + 6);
	for (size_t i = 0; err == OK && i < len; i++)
		wrong += reply.ptr[i + 6] != octet_of(len, i);
	CHECK(wrong == 0);
	buf_fini(&reply);
	if (--asking == 0)
		loop_stop();
}

static void many_ask_long(void *arg)
{
	(void)arg;
	for (uintptr_t i = 0; i < 60; i++, asking++)
		CHECK(task_start("asks", ask_long, (void *)(1 + i * 8641 % 509000)));
}

TEST(long_replies_come_whole_and_some_too_late)
{
	run_with_ipc(many_ask_long);
	CHECK(asking == 0);
}

static void pass_fds(void *arg)
{
	struct buf reply = BUF(10);
	uint16_t type;
	int fds[2], back;

	(void)arg;
	for (char i = 'a'; i < 'k'; i++) {
		CHECK(pipe2(fds, O_CLOEXEC) == 0);
		CHECK(write(fds[1], (char[]){i, (char)(i + 1)}, 2) == 2);
		CHECK(ipc_event(client, NOTE, STR("between"), -1) == OK);
		buf_reset(&reply);
		CHECK(ipc_call(client, FD, STR(""), fds[0], NEVER, &type, &reply,
			       &back) == OK);
		CHECK(reply.len == 1 && reply.ptr[0] == i);
		char next = 0;

		CHECK(read(back, &next, 1) == 1 && next == i + 1);
		CHECK(close(fds[0]) == 0 && close(fds[1]) == 0 && close(back) == 0);
	}
	buf_fini(&reply);
	loop_stop();
}

TEST(descriptors_travel_both_ways)
{
	run_with_ipc(pass_fds);
}

/* Sends what the other side drops, without ever waiting for it. */
static void press(struct ipc *ipc)
{
	static char big[IPC_BODY_MAX];

	ipc_reply(ipc, UINT64_MAX, ECHO, (struct str){big, sizeof big}, -1);
}

static void press_on(void *arg)
{
	size_t most = 0;

	(void)arg;
	for (size_t sent = 0; sent < (size_t)64 << 20; task_yield()) {
		for (; ipc_queued(client) < 2 << 20; sent += IPC_BODY_MAX)
			press(client);
		most = client->out.len > most ? client->out.len : most;
	}
	CHECK(ipc_is_open(client) && most < (size_t)8 << 20);
	loop_stop();
}

TEST(a_queue_that_is_never_empty_does_not_grow)
{
	run_with_ipc(press_on);
	CHECK(gone_count == 0);
}

static void send_much(void *arg)
{
	static char big[IPC_BODY_MAX];
	struct buf reply = BUF(10);

	(void)arg;
	for (int i = 0; i < 300; i++)
		CHECK(ipc_event(client, HOLD, (struct str){big, sizeof big}, -1) == OK);
	CHECK(ask(ECHO, STR("x"), NEVER, &reply) == OK);
	CHECK(task_sleep_ms(1000) == OK);
	buf_fini(&reply);
	loop_stop();
}

TEST(a_side_takes_only_so_much_work_at_a_time)
{
	held = held_most = hold_count = 0;
	run_with_ipc(send_much);
	CHECK(hold_count == 300 && held == 0);
	CHECK(held_most <= (size_t)IPC_WORK_MAX + IPC_BODY_MAX);
}

static void press_both(void *arg)
{
	struct buf reply = BUF(10);

	(void)arg;
	CHECK(ipc_event(client, NOTE, STR("there "), -1) == OK);
	CHECK(ipc_event(server, NOTE, STR("back"), -1) == OK);
	for (size_t i = 0; i < 2 * IPC_QUEUE_HIGH; i += IPC_BODY_MAX) {
		press(client);
		press(server);
	}
	CHECK(ask(ECHO, STR("x"), deadline_s(5), &reply) == OK);
	buf_fini(&reply);
	loop_stop();
}

TEST(two_sides_with_much_to_say_go_on_listening)
{
	run_with_ipc(press_both);
}

static void *sign_twice(void *arg)
{
	int fd = *(int *)arg;
	struct buf reply = BUF(100);
	uint16_t type;

	CHECK(ipc_call_blocking(fd, ECHO, STR("sign me"), 5000, &type, &reply) == OK);
	CHECK(type == ECHO);
	CHECK(ipc_call_blocking(fd, ECHO, STR(" twice"), 5000, &type, &reply) == OK);
	CHECK_STR(buf_str(&reply), STR("sign me twice"));
	CHECK(ipc_call_blocking(fd, SILENT, STR(""), 2, &type, &reply) == ERR_TIMEOUT);
	CHECK(ipc_call_blocking(fd, ECHO, STR(""), 2, &type, &reply) == ERR_CLOSED);
	buf_fini(&reply);
	return NULL;
}

static void stop_when_gone(struct ipc *ipc, void *arg)
{
	(void)ipc;
	(void)arg;
	loop_stop();
}

TEST(a_call_may_block_without_a_loop)
{
	pthread_t thread;
	int fds[2];

	loop_init();
	CHECK(ipc_pair(fds) == OK);
	server = ipc_open("server", fds[1], serve, stop_when_gone, &seen);
	CHECK(pthread_create(&thread, NULL, sign_twice, &fds[0]) == 0);
	loop_run();
	CHECK(pthread_join(thread, NULL) == 0);
	ipc_close(&server);
	loop_fini();
	CHECK(close(fds[0]) == 0);
}

static void read_garbage(void *arg)
{
	(void)arg;
	CHECK(task_sleep_ms(100) == ERR_CANCELED); /* by stop_when_gone() */
}

TEST(a_malformed_frame_ends_the_connection)
{
	char huge[] = "\xff\xff\xff\xff huge frame";
	int fds[2];

	loop_init();
	CHECK(ipc_pair(fds) == OK);
	server = ipc_open("server", fds[1], serve, stop_when_gone, &seen);
	CHECK(send(fds[0], huge, sizeof huge, 0) == sizeof huge);
	CHECK(task_start("waits", read_garbage, NULL));
	loop_run();
	ipc_close(&server);
	loop_fini();
	CHECK(close(fds[0]) == 0);
}
