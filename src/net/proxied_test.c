#include "net/proxied.h"

#include <stdio.h>

#include "base/test.h"
#include "net/connect.h"
#include "net/listen.h"

static struct address at(const char *text)
{
	struct address address;

	CHECK(address_parse(str_c(text), &address));
	return address;
}

TEST(proxies_are_addresses_and_networks)
{
	struct networks proxies;
	static const struct {
		const char *address;
		bool is_one;
	} cases[] = {
		{"192.0.2.1:1", true},          {"192.0.2.2:1", false},
		{"[::ffff:192.0.2.1]:1", true}, {"10.31.255.255:1", true},
		{"10.32.0.0:1", false},         {"[2001:db8:1::9]:1", true},
		{"[2001:db8:2::9]:1", false},
	};
	static const char *const wrong[] = {"x", "10.0.0.0/33", "10.0.0",
					    "2001:db8::/129", "10.0.0.1/-1"};

	CHECK(networks_parse(STR("192.0.2.1,10.16.0.0/12  2001:db8:1::/48"), &proxies));
	CHECK(proxies.count == 3);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct address address = at(cases[i].address);

		CHECK(networks_have(&proxies, &address) == cases[i].is_one);
	}
	for (size_t i = 0; i < COUNT_OF(wrong); i++)
		CHECK(!networks_parse(str_c(wrong[i]), &proxies));
	CHECK(networks_parse(STR(""), &proxies) && proxies.count == 0);
}

static struct listener *listener;
static struct limits *limits;
static struct address bound;

static void serve(struct conn *conn, void *arg)
{
	struct str line;

	(void)arg;
	CHECK(!conn_peer_is_loopback(conn) ||
	      str_same(conn_peer(conn), STR("127.0.0.1")));
	conn_printf(conn, "%.*s\r\n", STR_FMT(conn_peer(conn)));
	while (conn_line(conn, 100, true, &line) == OK)
		conn_printf(conn, "%.*s\r\n", STR_FMT(line));
}

/* Connects, sends this, and hears these lines; "" for the end. */
static struct conn *visit(struct str send, const char *const lines[])
{
	struct conn *conn;
	struct str line;

	CHECK(conn_connect(&bound, NULL, deadline_s(5), &conn) == OK);
	conn_deadline_s(conn, 5);
	conn_add(conn, send);
	for (; *lines; lines++) {
		err_t err = conn_line(conn, 100, true, &line);

		if (**lines)
			CHECK_STR(line, str_c(*lines));
		else
			CHECK(err == ERR_CLOSED);
	}
	return conn;
}

static void visits(void *arg)
{
	static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24"
				 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
				 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x08"
				 "\x12\x34\0\x19hello\r\n";
	struct conn *conns[5];

	(void)arg;
	conns[0] = visit(STR("PROXY TCP4 192.0.2.7 192.0.2.8 4000 25\r\nhello\r\n"),
			 (const char *const[]){"192.0.2.7", "hello", NULL});
	conns[1] = visit((struct str){v2, sizeof v2 - 1},
			 (const char *const[]){"2001:db8::7", "hello", NULL});
	conns[2] =
		visit(STR("PROXY UNKNOWN\r\n"), (const char *const[]){"127.0.0.1", NULL});
	/* one for each stranger */
	conns[3] = visit(STR("PROXY TCP4 192.0.2.7 192.0.2.8 4001 25\r\n"),
			 (const char *const[]){"421 too many", "", NULL});
	conns[4] =
		visit(STR("EHLO mail.example.org\r\n"), (const char *const[]){"", NULL});
	for (size_t i = 0; i < COUNT_OF(conns); i++)
		conn_free(&conns[i]);
	listen_stop(&listener);
	while (limits_total(limits) > 0)
		CHECK(task_sleep_ms(1) == OK);
	loop_stop();
}

static void run(const char *allowed, void (*client)(void *arg))
{
	struct address any = at("127.0.0.1:0");
	struct networks proxies;
	int fd;

	CHECK(networks_parse(str_c(allowed), &proxies));
	CHECK(address_listen(&any, &fd) == OK && address_of_local(fd, &bound));
	struct tally *tally = tally_new();

	limits = limits_new(&(struct limits_options){.total_max = 100, .each_max = 1},
			    tally);
	loop_init();
	listener = listen_start(
		fd, &(struct listen_options){.name = "test",
					     .limits = limits,
					     .refusal = STR("421 too many\r\n"),
					     .proxies = &proxies,
					     .handler = serve});
	CHECK(task_start("visits", client, NULL));
	loop_run();
	loop_fini();
	limits_free(&limits);
	tally_free(&tally);
}

TEST(the_peer_is_whom_the_proxy_speaks_for)
{
	run("127.0.0.1", visits);
}

static void visit_uninvited(void *arg)
{
	struct conn *conn = visit(STR("PROXY TCP4 192.0.2.7 192.0.2.8 4000 25\r\n"),
				  (const char *const[]){"421 too many", "", NULL});

	(void)arg;
	conn_free(&conn);
	listen_stop(&listener);
	loop_stop();
}

TEST(only_proxies_speak_for_others)
{
	run("192.0.2.0/24", visit_uninvited);
}
