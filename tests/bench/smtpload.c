/* smtpload: sends mails by SMTP from many sessions at once and says how long it took.
 *
 *   smtpload PORT SESSIONS MAILS PER_CONNECTION BYTES RECIPIENT_FORMAT RECIPIENTS [FILE]
 *   smtpload 10025 50 2500 50 4096 user%d@postrider.test 200
 *
 * One blocking thread a session.  Mail i goes to recipient 1 + i % RECIPIENTS.  Prints
 * one JSON line: seconds, acknowledged, failed, and the median and 99th percentile of the
 * time from the end of a mail to its 250.  A mail that was not acknowledged is not
 * repeated.  With a FILE each mail is what that holds (with CRLF, and no dot at the
 * beginning of a line) below a field of its own, so that no two are alike.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SESSIONS_MAX = 1000, ARGUMENTS = 8 /* without a file */ };

static struct {
	int port, sessions, per_connection, recipients;
	long mails, bytes;
	const char *recipient;
} load;

static char *filler;  /* load.bytes of text lines, or a whole mail */
static int is_whole;  /* it is one */
static double *ack_s; /* of each mail; 0: not acknowledged */
static long next_mail, failures;

struct link {
	int fd;
	size_t len;
	char input[4096];
};

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The next reply's code, or -1 when the server is gone. */
static int reply(struct link *link)
{
	for (;;) {
		char *end = memchr(link->input, '\n', link->len);

		if (end) {
			int is_last = end - link->input < 4 || link->input[3] != '-';
			int code = (int)strtol(link->input, NULL, 10);
			size_t line = (size_t)(end + 1 - link->input);

			link->len -= line;
			memmove(link->input, end + 1, link->len);
			if (is_last)
				return code;
			continue;
		}
		if (link->len == sizeof link->input)
			return -1;
		ssize_t got = recv(link->fd, link->input + link->len,
				   sizeof link->input - link->len, 0);
		if (got <= 0)
			return -1;
		link->len += (size_t)got;
	}
}

static int order(struct link *link, const char *line)
{
	size_t len = strlen(line);

	if (send(link->fd, line, len, MSG_NOSIGNAL) != (ssize_t)len)
		return -1;
	return reply(link);
}

static int send_all(int fd, struct iovec *parts, int count)
{
	while (count > 0) {
		ssize_t sent = writev(fd, parts, count);

		if (sent <= 0)
			return -1;
		for (; count > 0 && (size_t)sent >= parts->iov_len; parts++, count--)
			sent -= (ssize_t)parts->iov_len;
		if (count > 0) {
			parts->iov_base = (char *)parts->iov_base + sent;
			parts->iov_len -= (size_t)sent;
		}
	}
	return 0;
}

/* One mail over an open connection; 0 if it was acknowledged. */
static int mail(struct link *link, long number)
{
	char to[200], line[300], head[600];
	/* The format is the user's own word on the command line. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(to, sizeof to, load.recipient,
		       (int)(1 + number % load.recipients));
#pragma GCC diagnostic pop
	if (order(link, "MAIL FROM:<load@bench.example>\r\n") != 250)
		return -1;
	(void)snprintf(line, sizeof line, "RCPT TO:<%s>\r\n", to);
	if (order(link, line) / 10 != 25 || order(link, "DATA\r\n") != 354)
		return -1;
	int len = is_whole ? snprintf(head, sizeof head, "X-Load: %ld.%d\r\n", number,
				      (int)getpid())
			   : snprintf(head, sizeof head,
				      "From: <load@bench.example>\r\nTo: <%s>\r\n"
				      "Subject: load %ld\r\n"
				      "Message-ID: <%ld.%d@bench.example>\r\n"
				      "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\n",
				      to, number, number, (int)getpid());
	long rest = load.bytes - (is_whole ? 0 : len);
	struct iovec parts[] = {{head, (size_t)len},
				{filler + (rest > 0 ? load.bytes - rest : load.bytes),
				 (size_t)(rest > 0 ? rest : 0)},
				{(char[]){".\r\n"}, 3}};
	if (send_all(link->fd, parts, 3) != 0)
		return -1;
	double ended = now_s();
	if (reply(link) != 250)
		return -1;
	ack_s[number] = now_s() - ended;
	return 0;
}

static int dial(struct link *link)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)load.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;

	link->len = 0;
	link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(link->fd, (struct sockaddr *)&to, sizeof to) == 0 &&
	    reply(link) == 220 && order(link, "EHLO bench.example\r\n") == 250)
		return 0;
	(void)close(link->fd);
	return -1;
}

static void *session(void *unused)
{
	struct link *link = calloc(1, sizeof *link);
	long number = __atomic_fetch_add(&next_mail, 1, __ATOMIC_RELAXED);

	(void)unused;
	while (number < load.mails) {
		int failed = dial(link);

		if (failed) {
			(void)__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
			number = __atomic_fetch_add(&next_mail, 1, __ATOMIC_RELAXED);
			continue;
		}
		for (int i = 0; i < load.per_connection && number < load.mails && !failed;
		     i++) {
			failed = mail(link, number);
			(void)__atomic_fetch_add(&failures, failed != 0,
						 __ATOMIC_RELAXED);
			number = __atomic_fetch_add(&next_mail, 1, __ATOMIC_RELAXED);
		}
		if (!failed)
			(void)order(link, "QUIT\r\n");
		(void)close(link->fd);
	}
	free(link);
	return NULL;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void fill(void)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	uint64_t state = 42;

	filler = malloc((size_t)load.bytes + 1);
	for (long i = 0; i < load.bytes; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		filler[i] = letters[(state >> 33) % (sizeof letters - 1)];
	}
	for (long end = load.bytes - 2; end >= 0; end -= 74) {
		filler[end] = '\r';
		filler[end + 1] = '\n';
	}
}

static int read_mail(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file || fseek(file, 0, SEEK_END) != 0 || (load.bytes = ftell(file)) < 1)
		return -1;
	filler = malloc((size_t)load.bytes);
	rewind(file);
	if (fread(filler, 1, (size_t)load.bytes, file) != (size_t)load.bytes)
		return -1;
	is_whole = 1;
	return fclose(file);
}

int main(int argc, char **argv)
{
	pthread_t threads[SESSIONS_MAX];

	if (argc != ARGUMENTS && argc != ARGUMENTS + 1) {
		(void)fprintf(stderr,
			      "usage: smtpload PORT SESSIONS MAILS PER_CONNECTION "
			      "BYTES RECIPIENT_FORMAT RECIPIENTS [FILE]\n");
		return 2;
	}
	load.port = (int)strtol(argv[1], NULL, 10);
	load.sessions = (int)strtol(argv[2], NULL, 10);
	load.mails = strtol(argv[3], NULL, 10);
	load.per_connection = (int)strtol(argv[4], NULL, 10);
	load.bytes = strtol(argv[5], NULL, 10);
	load.recipient = argv[6];
	load.recipients = (int)strtol(argv[7], NULL, 10);
	if (load.sessions < 1 || load.sessions > SESSIONS_MAX || load.mails < 1)
		return 2;
	if (argc == ARGUMENTS)
		fill();
	else if (read_mail(argv[ARGUMENTS]) != 0) {
		perror(argv[ARGUMENTS]);
		return 2;
	}
	ack_s = calloc((size_t)load.mails, sizeof *ack_s);
	double began = now_s();

	for (int i = 0; i < load.sessions; i++)
		if (pthread_create(&threads[i], NULL, session, NULL) != 0)
			return 1;
	for (int i = 0; i < load.sessions; i++)
		(void)pthread_join(threads[i], NULL);
	double seconds = now_s() - began;
	long acked = 0;

	for (long i = 0; i < load.mails; i++)
		if (ack_s[i] > 0)
			ack_s[acked++] = ack_s[i];
	qsort(ack_s, (size_t)acked, sizeof *ack_s, by_size);
	(void)printf("{\"seconds\": %.4f, \"acked\": %ld, \"failed\": %ld, "
		     "\"ack_ms_p50\": %.3f, \"ack_ms_p99\": %.3f}\n",
		     seconds, acked, failures, acked ? ack_s[acked / 2] * 1e3 : 0,
		     acked ? ack_s[acked * 99 / 100] * 1e3 : 0);
	return 0;
}
