/* imapload: IMAP and POP3 clients by the dozen, and how fast they were served.
 *
 *   imapload logins PORT TLS THREADS SECONDS USERS USER_FORMAT
 *   imapload append PORT CLIENTS MESSAGES BYTES USERS USER_FORMAT
 *   imapload fill   PORT MESSAGES BYTES USER          (a pipelined mailbox)
 *   imapload retr   PORT MESSAGES USER                (POP3)
 *   imapload idle   PORT TLS SESSIONS USERS USER_FORMAT
 *   imapload push   PORT TLS SESSIONS USERS USER_FORMAT OTHERS SMTP_PORT
 *
 * The password is "pass".  A log-in is connection, LOGIN, SELECT INBOX, LOGOUT.  `idle`
 * opens sessions that have selected INBOX and sit in IDLE, prints "ready" and holds them
 * until its input ends.  `push` opens OTHERS more of the next 50 users, and for each
 * line of its input sends a mail to each of the USERS (whose addresses are their names):
 * it prints how long after the 250 each of the SESSIONS heard of the one for its user.
 * The others print one JSON line.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	THREADS_MAX = 256,
	INPUT_BYTES = 16384,
	OPENERS = 8,
	SENDERS = 8,
	PORTS_OF_ADDRESS = 20000,
};

static struct {
	int port, is_tls, threads, users;
	long messages, bytes;
	double seconds;
	const char *user;
} load;

static SSL_CTX *tls;
static char *mail;
static atomic_long next_piece, done_pieces, failures;

struct link {
	int fd;
	SSL *ssl;
	char *input;
	size_t start, end;
};

/* Of `push`: who is told, and when; the others only sit there. */
static struct {
	struct link *links;
	long sessions, others;
	int smtp_port;
	double *told, *accepted; /* by session; by user */
} push;

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Each address of one's own has so many ports for one of the server's. */
static int link_bind(const struct link *link)
{
	static atomic_uint opened;
	unsigned at = atomic_fetch_add(&opened, 1) / PORTS_OF_ADDRESS;
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK + at)};
	int on = 1;

	(void)setsockopt(link->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	return at == 0 || bind(link->fd, (struct sockaddr *)&from, sizeof from) == 0;
}

static int link_open_to(struct link *link, int port, int is_tls)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;

	*link = (struct link){.fd = socket(AF_INET, SOCK_STREAM, 0)};
	if (!link_bind(link) || connect(link->fd, (struct sockaddr *)&to, sizeof to) != 0)
		return 0;
	(void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (is_tls) {
		link->ssl = SSL_new(tls);
		if (SSL_set_fd(link->ssl, link->fd) != 1 || SSL_connect(link->ssl) != 1)
			return 0;
	}
	link->input = malloc(INPUT_BYTES);
	return link->input != NULL;
}

static int link_open(struct link *link)
{
	return link_open_to(link, load.port, load.is_tls);
}

static void link_close(struct link *link)
{
	SSL_free(link->ssl);
	close(link->fd);
	free(link->input);
}

static int link_send(struct link *link, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = link->ssl ? SSL_write(link->ssl, bytes, (int)len)
					 : send(link->fd, bytes, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return 0;
		bytes += sent;
		len -= (size_t)sent;
	}
	return 1;
}

/* The next line, which stays valid until the next call; NULL when the server is gone. */
static char *link_line(struct link *link)
{
	for (;;) {
		char *from = link->input + link->start;
		char *lf = memchr(from, '\n', link->end - link->start);

		if (lf) {
			*lf = '\0';
			link->start = (size_t)(lf + 1 - link->input);
			return from;
		}
		memmove(link->input, from, link->end - link->start);
		link->end -= link->start;
		link->start = 0;
		if (link->end == INPUT_BYTES)
			link->end = 0; /* the middle of a long line */
		char *to = link->input + link->end;
		size_t room = INPUT_BYTES - link->end;
		ssize_t got = link->ssl ? SSL_read(link->ssl, to, (int)room)
					: recv(link->fd, to, room, 0);
		if (got <= 0)
			return NULL;
		link->end += (size_t)got;
	}
}

/* Reads until a line starts so. */
static int link_until(struct link *link, const char *start)
{
	char *line;

	while ((line = link_line(link)))
		if (strncmp(line, start, strlen(start)) == 0)
			return 1;
	return 0;
}

static int order(struct link *link, const char *words, const char *answer)
{
	return link_send(link, words, strlen(words)) && link_until(link, answer);
}

static int log_in(struct link *link, long who)
{
	char user[128], words[256];

	who = who < push.sessions || push.sessions == 0 ? who % load.users
							: load.users + who % 50;
	(void)snprintf(user, sizeof user, load.user, (int)(1 + who));
	(void)snprintf(words, sizeof words, "a LOGIN \"%s\" \"pass\"\r\n", user);
	return link_open(link) && link_until(link, "* OK") &&
	       order(link, words, "a OK") && order(link, "b SELECT INBOX\r\n", "b OK");
}

static void *logins(void *end)
{
	struct link link;

	while (now_s() < *(double *)end) {
		if (log_in(&link, next_piece++) && order(&link, "c LOGOUT\r\n", "c OK"))
			done_pieces++;
		else
			failures++;
		link_close(&link);
	}
	return NULL;
}

static int append(struct link *link)
{
	char words[128];

	(void)snprintf(words, sizeof words, "d APPEND INBOX {%ld}\r\n", load.bytes);
	return order(link, words, "+") && link_send(link, mail, (size_t)load.bytes) &&
	       order(link, "\r\n", "d OK");
}

static void *appends(void *arg)
{
	struct link *link = arg;

	while (next_piece++ < load.messages)
		if (append(link))
			done_pieces++;
		else
			failures++;
	return NULL;
}

static void make_mail(void)
{
	static const char head[] =
		"From: a@example.org\r\nTo: b@example.org\r\n"
		"Subject: load\r\nDate: Sun, 22 Nov 2026 00:00:00 +0000\r\n"
		"Message-ID: <load@example.org>\r\n\r\n";
	unsigned seed = 1;

	mail = malloc((size_t)load.bytes + 1);
	if (!mail)
		abort();
	for (long i = 0; i < load.bytes; i++) {
		seed = seed * 1103515245 + 12345;
		mail[i] = "etaoin shrdlucmfwyp"[(seed >> 16) % 19];
		if (i % 76 == 74)
			mail[i] = '\r';
		if (i % 76 == 75)
			mail[i] = '\n';
	}
	memcpy(mail, head, sizeof head - 1);
	memcpy(mail + load.bytes - 2, "\r\n", 2);
}

/* All threads with one argument each; the seconds they took. */
static double together(void *(*work)(void *), void *arguments, size_t step)
{
	pthread_t threads[THREADS_MAX];
	double began = now_s();

	for (int i = 0; i < load.threads; i++)
		if (pthread_create(&threads[i], NULL, work,
				   (char *)arguments + (size_t)i * step) != 0)
			abort();
	for (int i = 0; i < load.threads; i++)
		(void)pthread_join(threads[i], NULL);
	return now_s() - began;
}

static void say(double seconds)
{
	printf("{\"done\": %ld, \"failed\": %ld, \"seconds\": %.4f, \"rate\": %.1f}\n",
	       (long)done_pieces, (long)failures, seconds, (double)done_pieces / seconds);
}

static int run_logins(char **words)
{
	load.is_tls = atoi(words[0]);
	load.threads = atoi(words[1]);
	load.seconds = atof(words[2]);
	load.users = atoi(words[3]);
	load.user = words[4];
	double end = now_s() + load.seconds;

	say(together(logins, &end, 0));
	return 0;
}

static int run_append(char **words)
{
	static struct link links[THREADS_MAX];

	load.threads = atoi(words[0]);
	load.messages = atol(words[1]);
	load.bytes = atol(words[2]);
	load.users = atoi(words[3]);
	load.user = words[4];
	make_mail();
	for (int i = 0; i < load.threads; i++)
		if (!log_in(&links[i], i))
			return 1;
	say(together(appends, links, sizeof links[0]));
	return 0;
}

static int run_fill(char **words)
{
	char command[128];
	struct link link;

	load.messages = atol(words[0]);
	load.bytes = atol(words[1]);
	load.users = 1;
	load.user = words[2];
	make_mail();
	if (!log_in(&link, 0))
		return 1;
	for (long done = 0; done < load.messages;) {
		long batch = load.messages - done < 100 ? load.messages - done : 100;

		for (long i = 0; i < batch; i++) {
			(void)snprintf(command, sizeof command,
				       "e APPEND INBOX {%ld+}\r\n", load.bytes);
			if (!link_send(&link, command, strlen(command)) ||
			    !link_send(&link, mail, (size_t)load.bytes) ||
			    !link_send(&link, "\r\n", 2))
				return 1;
		}
		for (long i = 0; i < batch; i++)
			if (!link_until(&link, "e OK"))
				return 1;
		done += batch;
	}
	return 0;
}

static int run_retr(char **words)
{
	char command[160];
	struct link link;

	load.messages = atol(words[0]);
	double began = now_s();

	(void)snprintf(command, sizeof command, "USER %s\r\n", words[1]);
	if (!link_open(&link) || !link_until(&link, "+OK") ||
	    !order(&link, command, "+OK") || !order(&link, "PASS pass\r\n", "+OK") ||
	    !order(&link, "LIST\r\n", ".\r"))
		return 1;
	for (long i = 1; i <= load.messages; i++) {
		(void)snprintf(command, sizeof command, "RETR %ld\r\n", i);
		if (!order(&link, command, "+OK") || !link_until(&link, ".\r"))
			return 1;
		done_pieces++;
	}
	if (!order(&link, "QUIT\r\n", "+OK"))
		return 1;
	say(now_s() - began);
	return 0;
}

static void *open_idle(void *arg)
{
	(void)arg;
	for (long i; (i = next_piece++) < load.messages;) {
		struct link link;

		if (!log_in(&link, i) || !order(&link, "f IDLE\r\n", "+"))
			failures++;
		if (i < push.sessions) {
			push.links[i] = link;
			continue;
		}
		free(link.input); /* nothing more is read */
		link.input = NULL;
	}
	return NULL;
}

static int idle_ready(char **words)
{
	struct rlimit files = {1 << 20, 1 << 20}; /* if we are root */

	(void)setrlimit(RLIMIT_NOFILE, &files);
	load.is_tls = atoi(words[0]);
	load.messages = push.others + atol(words[1]);
	load.users = atoi(words[2]);
	load.user = words[3];
	load.threads = OPENERS;
	(void)together(open_idle, NULL, 0);
	if (failures > 0)
		return 0;
	puts("ready");
	fflush(stdout);
	return 1;
}

static int run_idle(char **words)
{
	if (!idle_ready(words))
		return 1;
	while (getchar() != EOF)
		;
	return 0;
}

/* Each sends to every so manieth user, all in one connection. */
static void *send_mails(void *arg)
{
	char words[256], user[128];
	struct link link;

	(void)arg;
	if (!link_open_to(&link, push.smtp_port, 0) || !link_until(&link, "220") ||
	    !order(&link, "EHLO load.example\r\n", "250 "))
		failures++;
	for (long i; (i = next_piece++) < load.users;) {
		(void)snprintf(user, sizeof user, load.user, (int)(1 + i));
		(void)snprintf(words, sizeof words,
			       "MAIL FROM:<x@load.example>\r\nRCPT TO:<%s>\r\nDATA\r\n",
			       user);
		if (!order(&link, words, "354") ||
		    !order(&link,
			   "From: <x@load.example>\r\nSubject: push\r\n\r\nx\r\n.\r\n",
			   "250 "))
			failures++;
		push.accepted[i] = now_s();
	}
	link_close(&link);
	return NULL;
}

/* True once it has heard of a new message. */
static int heard(struct link *link)
{
	char *to = link->input + link->end;
	int room = INPUT_BYTES - 1 - (int)link->end;
	ssize_t got = link->ssl ? SSL_read(link->ssl, to, room)
				: recv(link->fd, to, (size_t)room, 0);

	if (got <= 0)
		return 0;
	link->end += (size_t)got;
	link->input[link->end] = '\0';
	if (!strstr(link->input, " EXISTS\r\n"))
		return 0;
	link->end = 0;
	return 1;
}

/* Until all have heard, or ten seconds after the last did. */
static long hear(int poll)
{
	struct epoll_event ready[64];
	long count = 0;
	int found;

	while (count < push.sessions && (found = epoll_wait(poll, ready, 64, 10000)) > 0)
		for (int i = 0; i < found; i++) {
			long who = (long)ready[i].data.u64;

			if (!heard(&push.links[who]) || push.told[who] != 0)
				continue;
			push.told[who] = now_s();
			count++;
		}
	return count;
}

static int by_size(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static void push_round(int poll)
{
	pthread_t senders[SENDERS];
	double *taken = calloc((size_t)push.sessions, sizeof *taken);
	double began = now_s();
	long count = 0;

	memset(push.told, 0, (size_t)push.sessions * sizeof *push.told);
	next_piece = 0;
	for (int i = 0; i < SENDERS; i++)
		if (pthread_create(&senders[i], NULL, send_mails, NULL) != 0)
			abort();
	long told = hear(poll);

	for (int i = 0; i < SENDERS; i++)
		(void)pthread_join(senders[i], NULL);
	for (long i = 0; i < push.sessions; i++) {
		double ms = (push.told[i] - push.accepted[i % load.users]) * 1000;

		if (push.told[i] != 0)
			taken[count++] = ms > 0 ? ms : 0; /* it may come before the 250 */
	}
	qsort(taken, (size_t)count, sizeof *taken, by_size);
	printf("{\"told\": %ld, \"failed\": %ld, \"seconds\": %.3f, \"p50\": %.2f, "
	       "\"p99\": %.2f, \"max\": %.2f}\n",
	       told, (long)failures, now_s() - began, count ? taken[count / 2] : -1,
	       count ? taken[count * 99 / 100] : -1, count ? taken[count - 1] : -1);
	fflush(stdout);
	free(taken);
}

static int run_push(char **words)
{
	int poll = epoll_create1(0), c;

	push.sessions = atol(words[1]);
	push.others = atol(words[4]);
	push.smtp_port = atoi(words[5]);
	push.links = calloc((size_t)push.sessions, sizeof *push.links);
	push.told = calloc((size_t)push.sessions, sizeof *push.told);
	push.accepted = calloc((size_t)atol(words[2]), sizeof *push.accepted);
	if (!push.links || !push.told || !push.accepted || !idle_ready(words))
		return 1;
	for (long i = 0; i < push.sessions; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)i};
		struct link *link = &push.links[i];

		(void)fcntl(link->fd, F_SETFL, O_NONBLOCK);
		link->start = link->end = 0;
		if (epoll_ctl(poll, EPOLL_CTL_ADD, link->fd, &event) != 0)
			return 1;
	}
	while ((c = getchar()) != EOF)
		if (c == '\n')
			push_round(poll);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int words;
		int (*run)(char **words);
	} modes[] = {{"logins", 5, run_logins}, {"append", 5, run_append},
		     {"fill", 3, run_fill},     {"retr", 2, run_retr},
		     {"idle", 4, run_idle},     {"push", 6, run_push}};

	tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	for (size_t i = 0; argc > 3 && i < sizeof modes / sizeof *modes; i++)
		if (strcmp(argv[1], modes[i].name) == 0 && argc == 3 + modes[i].words) {
			load.port = atoi(argv[2]);
			return modes[i].run(argv + 3);
		}
	fprintf(stderr, "see the head of imapload.c\n");
	return 2;
}
