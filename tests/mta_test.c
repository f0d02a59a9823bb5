/* Mail that leads out, over the real store and to a server of a few lines: what it
 * announces is obeyed, and however slow it is, the mail stays ours. */
#include <stdio.h>
#include <unistd.h>

#include "directory/directory.h"
#include "mta/mta.h"
#include "net/listen.h"
#include "rt/clock.h"
#include "storaged/world.h"

enum { HOUR = 3600, DAY = 86400, MTA_ID = 78, RCPTS_MAX = 100 };

/* The server, and what was said to it. */
static struct {
	const char *offers; /* lines of its reply to EHLO but the last */
	unsigned rcpt_s;    /* how long a reply to RCPT takes */
	struct buf said;    /* MAIL and RCPT lines, "DATA" and "--" for a connection */
	size_t mails;
} there;

static struct {
	struct directory directory;
	struct mta_options options;
	struct mta *mta;
	bool has_ended;
	struct waiters ended;
	void (*test)(void);
} c;

/* ---- the server -------------------------------------------------------------------- */

static bool take_text(struct conn *conn)
{
	struct str line = STR("");

	while (!str_same(line, STR(".")))
		if (conn_line(conn, 1000, true, &line) != OK)
			return false;
	return true;
}

static void answer(struct conn *conn, struct str line)
{
	if (str_starts(line, STR("EHLO"))) {
		conn_printf(conn, "%s250 HELP\r\n", there.offers);
		return;
	}
	if (str_starts(line, STR("QUIT")))
		return;
	buf_printf(&there.said, "%.*s\n", STR_FMT(line));
	if (str_starts(line, STR("RCPT")) && there.rcpt_s > 0)
		CHECK(task_sleep_ms(there.rcpt_s * 1000) == OK);
	if (!str_starts(line, STR("DATA"))) {
		conn_add(conn, STR("250 2.0.0 ok\r\n"));
		return;
	}
	conn_add(conn, STR("354 go on\r\n"));
	if (!take_text(conn))
		return;
	there.mails++;
	conn_add(conn, STR("250 2.0.0 kept\r\n"));
}

static void serve(struct conn *conn, void *arg)
{
	struct str line;

	(void)arg;
	buf_add(&there.said, STR("--\n"));
	conn_add(conn, STR("220 mx.example.com\r\n"));
	conn_deadline_s(conn, DAY);
	while (conn_line(conn, 1000, true, &line) == OK)
		answer(conn, line);
}

/* ---- ours -------------------------------------------------------------------------- */

static void run_mta(void *arg)
{
	mta_task(arg);
	c.has_ended = true;
	wake_all(&c.ended);
}

static void mta_test(void)
{
	SCOPED(store_close)
	struct store *store = store_open(channel_to(GATE_MTA, MTA_ID));
	struct tally *tally = tally_new();
	struct limits_options most = {.total_max = 100};
	struct limits *limits = limits_new(&most, tally);
	struct listen_options how = {.name = "there", .limits = limits, .handler = serve};
	struct address address;
	int fd;

	CHECK(address_parse(STR("127.0.0.1:0"), &address));
	CHECK(address_listen(&address, &fd) == OK && address_of_local(fd, &address));
	struct listener *listener = listen_start(fd, &how);

	c.directory = (struct directory){store, STR("example.org")};
	c.options = (struct mta_options){.store = store,
					 .hostname = STR("mx.example.org"),
					 .hello = STR("mx.example.org"),
					 .is_loopback_only = true,
					 .port = address_port(&address),
					 .connections_max = 1,
					 .address_connections_max = 20,
					 .schedule = {300, 4 * HOUR, 5 * DAY, 4 * HOUR},
					 .reporter = {.store = store,
						      .directory = &c.directory,
						      .hostname = STR("mx.example.org")},
					 .patience_s = 600};
	c.mta = mta_open(&c.options);
	struct task *task = task_start("mta", run_mta, c.mta);
	uint64_t id = task_id(task);

	c.test();
	task_cancel(id);
	while (!c.has_ended)
		CHECK(wait_on(&c.ended, NEVER) == OK);
	listen_stop(&listener);
	CHECK(task_sleep_ms(DAY * 1000) == OK); /* until all that waits has ended */
	mta_close(&c.mta);
	limits_free(&limits);
	tally_free(&tally);
}

static void mta_run(void (*test)(void))
{
	memset(&c, 0, sizeof c);
	memset(&there, 0, sizeof there);
	there.offers = "250-mx.example.com\r\n";
	there.said = BUF(100000);
	c.test = test;
	clock_test_start((int64_t)1800000000 * 1000000);
	world_run(mta_test);
	clock_test_stop();
	buf_fini(&there.said);
}

static void queue_mail(size_t rcpts, struct queue_timing timing)
{
	struct queue_recipient to[RCPTS_MAX];
	char names[RCPTS_MAX][40];
	struct store_op op = {.kind = OP_QUEUE_ADD};
	struct store_commit commit = {.ops = &op, .count = 1};

	for (size_t i = 0; i < rcpts; i++) {
		if (c.options.smarthost.len > 0)
			(void)snprintf(names[i], sizeof names[i], "u%zu@d%zu.example", i,
				       i % 3);
		else
			(void)snprintf(names[i], sizeof names[i], "u%zu@[127.0.0.1]", i);
		to[i] = (struct queue_recipient){.kind = QUEUE_REMOTE,
						 .address = str_c(names[i]),
						 .notify = 1 /* never */};
	}
	op.queue_add.sender = STR("ann@example.org");
	op.queue_add.id = STR("QONE");
	op.queue_add.body.raw = STR("Subject: to all\r\n\r\nHello.\r\n");
	op.queue_add.recipients = to;
	op.queue_add.count = rcpts;
	op.queue_add.timing = timing;
	op.queue_add.received_at = op.queue_add.due_at = clock_s();
	CHECK(store_commit(w.deliverd, &commit, &w.arena, NULL) == STORE_OK);
}

static struct queue_row *waiting(size_t *count)
{
	struct queue_row *rows = NULL;

	*count = 0;
	CHECK(store_queue_list(w.ctl, &(struct queue_select){0}, &(struct queue_place){0},
			       500, &w.arena, &rows, count) == STORE_OK);
	return rows;
}

static void wait_until_empty(void)
{
	size_t count = 1;

	for (int i = 0; i < 10000 && count > 0; i++) {
		CHECK(task_sleep_ms(1000) == OK);
		(void)waiting(&count);
	}
	CHECK(count == 0);
}

/* ---- what is promised -------------------------------------------------------------- */

static void slow(void)
{
	enum { RCPTS = 20, RCPT_S = 290 };
	struct queue_row *first, *later;
	size_t count;

	there.rcpt_s = RCPT_S;
	queue_mail(RCPTS, (struct queue_timing){0});
	CHECK(task_sleep_ms(10 * 1000) == OK);
	first = waiting(&count);
	CHECK(count == RCPTS && first[0].lease != 0);
	CHECK(task_sleep_ms((uint64_t)(HOUR + 600) * 1000) == OK);
	later = waiting(&count);
	CHECK(count == RCPTS);
	for (size_t i = 0; i < count; i++) {
		CHECK(later[i].lease == first[i].lease);
		CHECK(later[i].leased_until > clock_s() + 600);
	}
	wait_until_empty();
	CHECK(there.mails == 1 && clock_s() > 1800000000 + RCPTS * RCPT_S);
}

TEST(a_lease_goes_on_as_long_as_a_server_takes)
{
	mta_run(slow);
}

static void limited(void)
{
	there.offers = "250-mx.example.com\r\n250-LIMITS RCPTMAX=3 MAILMAX=2\r\n";
	queue_mail(7, (struct queue_timing){0});
	wait_until_empty();
	CHECK_STR(buf_str(&there.said), STR("--\n"
					    "MAIL FROM:<ann@example.org>\n"
					    "RCPT TO:<u0@[127.0.0.1]>\n"
					    "RCPT TO:<u1@[127.0.0.1]>\n"
					    "RCPT TO:<u2@[127.0.0.1]>\n"
					    "DATA\n"
					    "MAIL FROM:<ann@example.org>\n"
					    "RCPT TO:<u3@[127.0.0.1]>\n"
					    "RCPT TO:<u4@[127.0.0.1]>\n"
					    "RCPT TO:<u5@[127.0.0.1]>\n"
					    "DATA\n"
					    "--\n"
					    "MAIL FROM:<ann@example.org>\n"
					    "RCPT TO:<u6@[127.0.0.1]>\n"
					    "DATA\n"));
}

TEST(limits_that_a_server_announces_are_obeyed)
{
	mta_run(limited);
}

/* Five of three domains, of which one session may name two. */
static void limited_domains(void)
{
	char hop[60];

	(void)snprintf(hop, sizeof hop, "smtp:[127.0.0.1]:%u", c.options.port);
	c.options.smarthost = str_c(hop);
	there.offers = "250-mx.example.com\r\n250-LIMITS RCPTDOMAINMAX=2\r\n";
	queue_mail(5, (struct queue_timing){0});
	wait_until_empty();
	CHECK_STR(buf_str(&there.said), STR("--\n"
					    "MAIL FROM:<ann@example.org>\n"
					    "RCPT TO:<u0@d0.example>\n"
					    "RCPT TO:<u1@d1.example>\n"
					    "RCPT TO:<u3@d0.example>\n"
					    "RCPT TO:<u4@d1.example>\n"
					    "DATA\n"
					    "--\n"
					    "MAIL FROM:<ann@example.org>\n"
					    "RCPT TO:<u2@d2.example>\n"
					    "DATA\n"));
}

TEST(no_more_domains_are_named_in_a_session_than_the_server_takes)
{
	mta_run(limited_domains);
}

static bool has_said(const char *line)
{
	struct str said = buf_str(&there.said);

	return str_find(said, str_c(line)) < said.len;
}

static void in_time(void)
{
	there.offers = "250-mx.example.com\r\n250-DELIVERBY 240\r\n";
	queue_mail(1, (struct queue_timing){clock_s() + 300, 0, QUEUE_BY_RETURN});
	wait_until_empty();
	CHECK(has_said("MAIL FROM:<ann@example.org> BY=300;R\n"));
	queue_mail(1, (struct queue_timing){clock_s() + 200, 0,
					    QUEUE_BY_NOTIFY | QUEUE_BY_TRACE});
	wait_until_empty();
	CHECK(has_said("MAIL FROM:<ann@example.org> BY=200;NT\n"));
	queue_mail(1, (struct queue_timing){clock_s() - 5, 0, QUEUE_BY_NOTIFY});
	wait_until_empty();
	CHECK(has_said("MAIL FROM:<ann@example.org> BY=-5;N\n"));
	CHECK(there.mails == 3);
	/* It takes longer than there is time, or does not know at all. */
	queue_mail(1, (struct queue_timing){clock_s() + 200, 0, QUEUE_BY_RETURN});
	wait_until_empty();
	CHECK(there.mails == 3);
	CHECK(task_sleep_ms(60 * 1000) == OK); /* that connection is over */
	there.offers = "250-mx.example.com\r\n";
	queue_mail(1, (struct queue_timing){clock_s() + 300, 0, QUEUE_BY_RETURN});
	wait_until_empty();
	CHECK(there.mails == 3);
	queue_mail(1, (struct queue_timing){clock_s() + 300, 0, QUEUE_BY_NOTIFY});
	wait_until_empty();
	CHECK(there.mails == 4 && has_said("MAIL FROM:<ann@example.org>\n"));
}

TEST(the_time_that_a_sender_sets_is_handed_on)
{
	mta_run(in_time);
}
