/* imapload: IMAP and POP3 clients by the dozen, and how fast they were served.
 *
 *   imapload logins PORT TLS THREADS SECONDS USERS USER_FORMAT
 *   imapload append PORT CLIENTS MESSAGES BYTES USERS USER_FORMAT
 *   imapload fill   PORT MESSAGES BYTES USER          (a pipelined mailbox)
 *   imapload retr   PORT MESSAGES USER                (POP3)
 *   imapload idle   PORT TLS SESSIONS USERS USER_FORMAT
 *
 * The password is "pass".  A log-in is connection, LOGIN, SELECT INBOX, LOGOUT.  `idle`
 * opens sessions that have selected INBOX and sit in IDLE, prints "ready" and holds them
 * until its input ends.  The others print one JSON line.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 256, INPUT_BYTES = 16384, OPENERS = 8 };

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

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int link_open(struct link *link)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)load.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;

	*link = (struct link){.fd = socket(AF_INET, SOCK_STREAM, 0)};
	if (connect(link->fd, (struct sockaddr *)&to, sizeof to) != 0)
		return 0;
	(void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (load.is_tls) {
		link->ssl = SSL_new(tls);
		if (SSL_set_fd(link->ssl, link->fd) != 1 || SSL_connect(link->ssl) != 1)
			return 0;
	}
	link->input = malloc(INPUT_BYTES);
	return link->input != NULL;
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

	(void)snprintf(user, sizeof user, load.user, (int)(1 + who % load.users));
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
		free(link.input); /* nothing more is read */
		link.input = NULL;
	}
	return NULL;
}

static int run_idle(char **words)
{
	struct rlimit files = {100000, 100000};

	(void)setrlimit(RLIMIT_NOFILE, &files);
	load.is_tls = atoi(words[0]);
	load.messages = atol(words[1]);
	load.users = atoi(words[2]);
	load.user = words[3];
	load.threads = OPENERS;
	(void)together(open_idle, NULL, 0);
	if (failures > 0)
		return 1;
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int words;
		int (*run)(char **words);
	} modes[] = {{"logins", 5, run_logins},
		     {"append", 5, run_append},
		     {"fill", 3, run_fill},
		     {"retr", 2, run_retr},
		     {"idle", 4, run_idle}};

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
