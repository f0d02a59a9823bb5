#include "net/conn.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "base/test.h"
#include "rt/clock.h"

/* Both ends are conns of one loop: `here` is tested by `there`. */
static struct conn *here, *there;

static void run_pair(void (*first)(void *))
{
	int fds[2];

	clock_test_start(0);
	loop_init();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) ==
	      0);
	here = conn_new(fds[0], STR("192.0.2.1"));
	there = conn_new(fds[1], STR("::1"));
	CHECK(task_start("first", first, NULL));
	loop_run();
	conn_free(&here);
	conn_free(&there);
	conn_free(&there);
	loop_fini();
	clock_test_stop();
}

static void say(struct str text)
{
	conn_add(there, text);
	CHECK(conn_flush(there) == OK);
}

static void check_line(err_t want, bool is_strict, struct str want_line)
{
	struct str line;

	CHECK(conn_line(here, 10, is_strict, &line) == want);
	CHECK_STR(line, want_line);
}

static void read_lines(void *arg)
{
	(void)arg;
	CHECK_STR(conn_peer(here), STR("192.0.2.1"));
	CHECK(conn_peer_is_loopback(there) && !conn_is_tls(here));
	CHECK_STR(conn_tls_text(here), STR(""));
	say(STR("EHLO\r\n\r\nbare\nlf\rcr\r\n0123456789\r\n01234567890\r\nnext\r\n"));
	CHECK(!conn_has_input(here));
	check_line(OK, true, STR("EHLO"));
	CHECK(conn_has_input(here));
	check_line(OK, true, STR(""));
	check_line(OK, true, STR("bare\nlf\rcr"));
	check_line(OK, true, STR("0123456789"));
	check_line(ERR_LIMIT, true, STR(""));
	check_line(OK, true, STR("next"));
	say(STR("a\nb\r\nhalf"));
	check_line(OK, false, STR("a"));
	check_line(OK, false, STR("b"));
	conn_deadline_s(here, 5);
	check_line(ERR_TIMEOUT, false, STR(""));
	conn_deadline_s(here, 5);
	say(STR("-line\r"));
	check_line(ERR_TIMEOUT, true, STR(""));
	conn_deadline_s(here, 5);
	say(STR("\nend"));
	check_line(OK, true, STR("half-line"));
	conn_free(&there);
	check_line(ERR_CLOSED, true, STR(""));
	check_line(ERR_CLOSED, true, STR(""));
	loop_stop();
}

TEST(lines_end_where_they_should)
{
	run_pair(read_lines);
}

static void say_much(void *arg)
{
	char block[1000];

	(void)arg;
	memset(block, 'x', sizeof block);
	for (int i = 0; i < 3000; i++)
		conn_add(there, (struct str){block, sizeof block});
	say(STR("\r")); /* the line end comes in two pieces */
	CHECK(task_sleep_ms(1) == OK);
	say(STR("\nafter\r\n"));
}

static void skip_long_line(void *arg)
{
	(void)arg;
	CHECK(task_start("there", say_much, NULL));
	check_line(ERR_LIMIT, true, STR(""));
	check_line(OK, true, STR("after"));
	loop_stop();
}

TEST(a_line_of_megabytes_is_skipped)
{
	run_pair(skip_long_line);
}

static void read_much(void *arg)
{
	struct str input;
	size_t total = 0;

	(void)arg;
	CHECK(task_start("there", say_much, NULL));
	while (total < 3000 * 1000 - 10 && conn_peek(here, &input) == OK) {
		size_t n = input.len > 3 ? input.len - 3 : input.len; /* some stays */

		n = num_min(n, 3000 * 1000 - 10 - total);
		total += n;
		conn_take(here, n);
	}
	check_line(OK, true, STR("xxxxxxxxxx"));
	check_line(OK, true, STR("after"));
	loop_stop();
}

TEST(a_stream_is_taken_as_it_comes)
{
	run_pair(read_much);
}

static void peek_more(void *arg)
{
	struct str input;

	(void)arg;
	say(STR("abc"));
	CHECK(conn_peek(here, &input) == OK);
	CHECK_STR(input, STR("abc"));
	conn_take(here, 1);
	say(STR("def"));
	CHECK(conn_more(here, 10, &input) == OK);
	CHECK_STR(input, STR("bcdef"));
	conn_deadline_s(here, 1);
	CHECK(conn_more(here, 10, &input) == ERR_TIMEOUT);
	CHECK(conn_more(here, 5, &input) == ERR_LIMIT);
	CHECK(conn_drop_input(here) == 5 && !conn_has_input(here));
	CHECK(conn_wait(here, NULL, deadline_ms(50)) == ERR_TIMEOUT);
	say(STR("x"));
	CHECK(conn_wait(here, NULL, NEVER) == OK && conn_has_input(here));
	loop_stop();
}

TEST(input_is_seen_before_it_is_taken)
{
	run_pair(peek_more);
}

static struct waiters news;

static void idle(void *arg)
{
	(void)arg;
	conn_printf(here, "+ idling %d\r\n", 42);
	CHECK(conn_wait(here, &news, NEVER) == OK); /* only the flush */
	CHECK(conn_wait(here, &news, NEVER) == OK && !conn_has_input(here));
	conn_printf(here, "* 5 EXISTS\r\n");
	CHECK(conn_flush(here) == OK);
	CHECK(conn_wait(here, &news, NEVER) == OK && conn_has_input(here));
	check_line(OK, true, STR("DONE"));
	CHECK(conn_wait(here, &news, NEVER) == ERR_CANCELED);
}

static void watch_idle(void *arg)
{
	struct str line;

	(void)arg;
	CHECK(task_start("idle", idle, NULL));
	CHECK(conn_line(there, 100, true, &line) == OK);
	CHECK_STR(line, STR("+ idling 42"));
	CHECK(task_sleep_ms(10) == OK);
	wake_all(&news);
	CHECK(conn_line(there, 100, true, &line) == OK);
	CHECK_STR(line, STR("* 5 EXISTS"));
	say(STR("DONE\r\n"));
	CHECK(task_sleep_ms(10) == OK);
	loop_stop();
}

TEST(a_session_idles_until_news_or_input)
{
	run_pair(watch_idle);
}

enum { LONG_BYTES = 300 * 1000 };

static struct buf long_text(void)
{
	struct buf text = BUF(LONG_BYTES);

	for (unsigned i = 0; text.len < LONG_BYTES; i++)
		buf_add_byte(&text, (char)('a' + i * i % 23));
	return text;
}

static void say_long(void *arg)
{
	SCOPED(buf_fini) struct buf text = long_text();

	(void)arg;
	conn_add(there, STR("first\r\n"));
	conn_add(there, buf_str(&text)); /* longer than what is gathered */
	conn_add(there, STR("\r\n"));
	conn_add(there, str_first(buf_str(&text), 64 * 1024));
	say(STR("\r\nlast\r\n"));
}

static void read_long(void *arg)
{
	SCOPED(buf_fini) struct buf text = long_text();
	struct str line;

	(void)arg;
	CHECK(task_start("there", say_long, NULL));
	check_line(OK, true, STR("first"));
	CHECK(task_sleep_ms(1) == OK); /* the socket is full */
	CHECK(conn_line(here, LONG_BYTES, true, &line) == OK);
	CHECK(str_same(line, buf_str(&text)));
	CHECK(conn_line(here, LONG_BYTES, true, &line) == OK);
	CHECK(str_same(line, str_first(buf_str(&text), 64 * 1024)));
	check_line(OK, true, STR("last"));
	loop_stop();
}

TEST(long_text_leaves_in_its_turn)
{
	run_pair(read_long);
}

static void say_long_to_the_deaf(void *arg)
{
	SCOPED(buf_fini) struct buf text = long_text();

	(void)arg;
	conn_deadline_s(here, 10);
	for (int i = 0; i < 100 && !conn_is_broken(here); i++)
		conn_add(here, buf_str(&text));
	CHECK(conn_is_broken(here) && conn_flush(here) == ERR_TIMEOUT);
	loop_stop();
}

TEST(a_peer_that_does_not_read_long_text_is_given_up)
{
	run_pair(say_long_to_the_deaf);
}

static void write_to_the_deaf(void *arg)
{
	char block[10000];

	(void)arg;
	memset(block, 'x', sizeof block);
	conn_deadline_s(here, 10);
	for (int i = 0; i < 1000 && !conn_is_broken(here); i++)
		conn_add(here, (struct str){block, sizeof block});
	CHECK(conn_is_broken(here) && conn_flush(here) == ERR_TIMEOUT);
	check_line(ERR_TIMEOUT, true, STR(""));
	CHECK(conn_flush(there) == OK);
	loop_stop();
	say(STR("a canceled task may say its last words\r\n"));
}

TEST(a_peer_that_does_not_read_is_given_up)
{
	run_pair(write_to_the_deaf);
}

static void shut_after_asking(void *arg)
{
	struct str line;

	(void)arg;
	CHECK(task_sleep_ms(1) == OK);
	for (int i = 0; i < 3; i++) {
		CHECK(conn_line(here, 10, true, &line) == OK);
		conn_printf(here, "ok %.*s\r\n", STR_FMT(line));
	}
	check_line(ERR_CLOSED, true, STR(""));
	loop_stop();
}

TEST(pipelined_commands_get_their_replies_in_one_write)
{
	static const char commands[] = "a\r\nb\r\nc\r\n";
	char replies[64];
	int fds[2];

	clock_test_start(0);
	loop_init();
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			 fds) == 0);
	here = conn_new(fds[0], STR(""));
	CHECK(send(fds[1], commands, sizeof commands - 1, 0) == sizeof commands - 1);
	CHECK(shutdown(fds[1], SHUT_WR) == 0);
	CHECK(task_start("first", shut_after_asking, NULL));
	loop_run();
	ssize_t got = recv(fds[1], replies, sizeof replies, 0);

	CHECK_STR(((struct str){replies, (size_t)got}), STR("ok a\r\nok b\r\nok c\r\n"));
	conn_free(&here);
	CHECK(recv(fds[1], replies, sizeof replies, 0) == 0);
	CHECK(close(fds[1]) == 0);
	loop_fini();
	clock_test_stop();
}

static void talk_compressed(void *arg)
{
	SCOPED(buf_fini) struct buf much = BUF(1 << 20);
	struct str line;

	(void)arg;
	CHECK(conn_compress(here) == OK && conn_compress(there) == OK);
	CHECK(conn_is_compressed(here) && !conn_has_input(here));
	say(STR("one\r\ntwo\r\n"));
	check_line(OK, true, STR("one"));
	check_line(OK, true, STR("two"));
	conn_deadline_s(here, 5);
	check_line(ERR_TIMEOUT, true, STR("")); /* it rested meanwhile */
	conn_deadline_s(here, 5);
	for (int i = 0; i < 20000; i++)
		buf_printf(&much, "%d ", i);
	buf_add_c(&much, "\r\n");
	say(buf_str(&much));
	CHECK(conn_line(here, much.len, true, &line) == OK);
	CHECK_STR(line, str_first(buf_str(&much), much.len - 2));
	conn_add(here, STR("answer\r\n"));
	CHECK(conn_flush(here) == OK);
	CHECK(conn_line(there, 10, true, &line) == OK);
	CHECK_STR(line, STR("answer"));
	/* Both sides end it, and say plain text at once. */
	say(STR("last\r\n"));
	CHECK(conn_uncompress(there) == OK);
	say(STR("plain\r\n"));
	check_line(OK, true, STR("last"));
	CHECK(conn_uncompress(here) == OK && !conn_is_compressed(here));
	check_line(OK, true, STR("plain"));
	conn_add(here, STR("plain, too\r\n"));
	CHECK(conn_flush(here) == OK);
	CHECK(conn_line(there, 10, true, &line) == OK);
	CHECK_STR(line, STR("plain, too"));
	CHECK(conn_compress(here) == OK && conn_compress(there) == OK);
	say(STR("again\r\n"));
	check_line(OK, true, STR("again"));
	loop_stop();
}

TEST(both_sides_compress_until_they_do_not)
{
	run_pair(talk_compressed);
}

static void send_nothing_much(void *arg)
{
	static const char empty_block[] = "\0\0\0\xff\xff";

	(void)arg;
	for (int i = 0; i < 40000; i++)
		conn_add(there, (struct str){empty_block, 5});
	(void)conn_flush(there); /* whether all of it is taken is not the question */
}

static void read_nothing_much(void *arg)
{
	(void)arg;
	CHECK(conn_compress(here) == OK);
	check_line(ERR_CLOSED, true, STR(""));
	conn_free(&here);
	loop_stop();
}

TEST(blocks_that_say_nothing_keep_nobody_busy_for_long)
{
	int fds[2];

	clock_test_start(0);
	loop_init();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) ==
	      0);
	here = conn_new(fds[0], STR("192.0.2.1"));
	there = conn_new(fds[1], STR("::1"));
	CHECK(task_start("reader", read_nothing_much, NULL));
	CHECK(task_start("writer", send_nothing_much, NULL));
	loop_run();
	conn_free(&there);
	loop_fini();
	clock_test_stop();
}
