/* What judging one mail costs once the answers of the DNS are known, in CPU time of the
 * process that judges: judgebench SERVER:PORT IP HELO SENDER FILE [TIMES] (10,000).  The
 * file is the mail.  Through a resolver process, as the server has it, whose answers are
 * remembered here. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "mailauth/mailauth.h"
#include "resolverd/resolverd.h"
#include "rt/ipc.h"
#include "rt/task.h"
#include "wire/mail/header.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, MAIL_BYTES_MAX = 1 << 20, FIELD_BYTES_MAX = 65536 };

/* The time that each part took, of all mails. */
enum part { PART_TEXT, PART_JUDGE, PART_FIELD, PARTS };

static const char *const part_names[] = {
	[PART_TEXT] = "header and body read",
	[PART_JUDGE] = "all that is asked",
	[PART_FIELD] = "the field written",
};

static char mail_bytes[MAIL_BYTES_MAX];
static struct str mail;
static struct mailauth_facts facts;
static uint64_t times = 10000, ns[PARTS], last_ns;
static int channel;

static void begin(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	last_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void end(enum part part)
{
	uint64_t before = last_ns;

	begin();
	ns[part] += last_ns - before;
}

static size_t header_len(void)
{
	struct mail_fields fields = mail_fields_over(mail);
	struct mail_field field;

	while (mail_fields_next(&fields, &field))
		continue;
	return fields.at;
}

static void judge(const struct dns_lookup *lookup, struct buf *field)
{
	struct mailauth_verdicts verdicts;
	struct arena arena;

	buf_reset(field);
	begin();
	arena_init(&arena, ARENA_BYTES);
	size_t len = header_len();

	facts.header = str_first(mail, len);
	struct dkim_message *message = dkim_message_begin(facts.header, &arena);

	facts.dkim = dkim_verify_begin(message, time(NULL));
	dkim_message_feed(message, str_skip(mail, len));
	end(PART_TEXT);
	mailauth_judge(&facts, lookup, &arena, &verdicts);
	end(PART_JUDGE);
	mailauth_results_add(field, &facts, &verdicts);
	dkim_verify_free(&facts.dkim);
	dkim_message_free(&message);
	arena_fini(&arena);
	end(PART_FIELD);
}

static void run(void *arg)
{
	struct resolver *resolver = resolver_open(channel);
	struct dns_lookup lookup = dns_lookup_by(resolver);
	struct buf field = BUF(FIELD_BYTES_MAX);
	double all = 0;

	(void)arg;
	judge(&lookup, &field); /* asks, and fills memories */
	memset(ns, 0, sizeof ns);
	for (uint64_t i = 0; i < times; i++)
		judge(&lookup, &field);
	for (size_t i = 0; i < PARTS; i++) {
		double us = (double)ns[i] / (double)times / 1000;

		printf("%-24s %8.1f us\n", part_names[i], us);
		all += us;
	}
	printf("%-24s %8.1f us\n%.*s", "a mail", all, STR_FMT(buf_str(&field)));
	buf_fini(&field);
	resolver_close(&resolver);
	loop_stop();
}

static void serve(void *arg)
{
	const struct resolverd_options options = {.server = str_c(arg)};
	struct resolverd *resolverd;
	const char *why;

	ASSERT(resolverd_open(&options, &resolverd, &why) == OK);
	resolverd_serve(resolverd, channel); /* until it is killed */
}

static void in_loop(void (*task)(void *), void *arg)
{
	loop_init();
	ASSERT(task_start("judgebench", task, arg));
	loop_run();
}

static bool read_mail(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, mail_bytes, sizeof mail_bytes);

	if (fd >= 0)
		(void)close(fd); /* only read */
	mail = (struct str){mail_bytes, got < 0 ? 0 : (size_t)got};
	return got > 0;
}

int main(int argc, char **argv)
{
	int pair[2];
	pid_t pid;

	log_level_max = LOG_ERROR;
	if (argc < 6 || !ip_parse(str_c(argv[2]), &facts.ip) || !read_mail(argv[5]) ||
	    (argc > 6 && !num_parse(str_c(argv[6]), 10000000, &times)) || times == 0 ||
	    ipc_pair(pair) != OK || (pid = fork()) < 0)
		return 2;
	channel = pair[pid == 0];
	(void)close(pair[pid != 0]);
	if (pid == 0)
		in_loop(serve, argv[1]);
	facts.helo = str_c(argv[3]);
	facts.sender = str_c(argv[4]);
	facts.receiver = STR("mail.postrider.test");
	in_loop(run, NULL);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
