#include "net/listen.h"

#include "base/test.h"
#include "net/connect.h"

static struct listener *listener;
static struct limits *limits;
static struct address bound;
static int served;

static void serve(struct conn *conn, void *arg)
{
	struct str line;

	CHECK(arg == &served);
	CHECK_STR(conn_peer(conn), STR("127.0.0.1"));
	CHECK_STR(conn_local(conn), STR("127.0.0.1"));
	CHECK(conn_peer_is_loopback(conn));
	conn_add(conn, STR("220 hello\r\n"));
	while (conn_line(conn, 100, true, &line) == OK)
		conn_printf(conn, "you said %.*s\r\n", STR_FMT(line));
	served++;
}

static struct conn *connect_there(void)
{
	struct conn *conn;

	CHECK(conn_connect(&bound, NULL, deadline_s(5), &conn) == OK);
	return conn;
}

static void check_line(struct conn *conn, struct str want)
{
	struct str line;

	conn_deadline_s(conn, 5);
	CHECK(conn_line(conn, 100, true, &line) == OK);
	CHECK_STR(line, want);
}

static void visit(void *arg)
{
	struct conn *conns[4];
	struct str line;

	(void)arg;
	for (size_t i = 0; i < 4; i++)
		conns[i] = connect_there();
	for (size_t i = 0; i < 3; i++) {
		check_line(conns[i], STR("220 hello"));
		conn_printf(conns[i], "line %zu\r\nand another\r\n", i);
		check_line(conns[i], (struct str[]){{"you said line 0", 15},
						    {"you said line 1", 15},
						    {"you said line 2", 15}}[i]);
		check_line(conns[i], STR("you said and another"));
	}
	check_line(conns[3], STR("421 too many"));
	CHECK(conn_line(conns[3], 100, true, &line) == ERR_CLOSED);
	conn_free(&conns[3]);
	conn_free(&conns[0]);
	while (served == 0)
		CHECK(task_sleep_ms(1) == OK);
	conns[0] = connect_there(); /* its place is free again */
	check_line(conns[0], STR("220 hello"));
	listen_stop(&listener);
	listen_stop(&listener);
	CHECK(conn_connect(&bound, NULL, deadline_s(5), &conns[3]) == ERR_CLOSED);
	CHECK(!conns[3]);
	for (size_t i = 0; i < 3; i++)
		conn_free(&conns[i]);
	while (served < 4)
		CHECK(task_sleep_ms(1) == OK);
	loop_stop();
}

TEST(a_listener_serves_as_many_as_it_may)
{
	struct address any;
	int fd;

	CHECK(address_parse(STR("127.0.0.1:0"), &any));
	CHECK(address_listen(&any, &fd) == OK && address_of_local(fd, &bound));
	struct tally *tally = tally_new();

	limits = limits_new(&(struct limits_options){.total_max = 100, .each_max = 3},
			    tally);
	loop_init();
	listener = listen_start(
		fd, &(struct listen_options){.name = "test",
					     .limits = limits,
					     .refusal = STR("421 too many\r\n"),
					     .handler = serve,
					     .arg = &served});
	served = 0;
	CHECK(task_start("visitor", visit, NULL));
	loop_run();
	loop_fini();
	CHECK(limits_total(limits) == 0 && served == 4);
	limits_free(&limits);
	tally_free(&tally);
}
