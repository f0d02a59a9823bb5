/* What a check of SPF costs once the answers of the DNS are known:
 * spfbench SERVER:PORT IP HELO MAILFROM [TIMES [MAIL]] (5,000).  First through a resolver
 * process, as the server has it, which remembers; then with the same answers from a
 * table, which is the evaluation alone.  With the file of a mail also everything that is
 * found out about it: iprev, HELO, SPF of both names, DKIM, DMARC, and the field. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "mailauth/mailauth.h"
#include "resolverd/resolverd.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "rt/ipc.h"

enum { KEPT_MAX = 200, ARENA_BYTES = 64 * 1024 * 1024 };

struct kept {
	struct str name;
	enum dns_type type;
	struct dns_answer answer;
};

static struct kept kept[KEPT_MAX];
static size_t kept_count;
static struct arena kept_arena, arena;
static struct resolver *resolver;
static struct spf_query query;
static uint64_t times = 5000;
static unsigned questions;
static int channel;
static struct buf mail = BUF(64 * 1024 * 1024);

static void ask_counted(void *context, struct str name, enum dns_type type,
			struct arena *to, struct dns_answer *answer)
{
	questions++;
	resolver_ask(context, name, type, to, answer);
}

static void ask_kept(void *context, struct str name, enum dns_type type, struct arena *to,
		     struct dns_answer *answer)
{
	(void)to;
	for (size_t i = 0; i < kept_count; i++) {
		if (kept[i].type != type || !str_same(kept[i].name, name))
			continue;
		*answer = kept[i].answer;
		return;
	}
	struct kept *new = &kept[kept_count++];

	ASSERT(kept_count < KEPT_MAX && arena_copy(&kept_arena, name, &new->name));
	new->type = type;
	resolver_ask(context, name, type, &kept_arena, &new->answer);
	*answer = new->answer;
}

static void measure(const char *what, void (*ask)(void *, struct str, enum dns_type,
						  struct arena *, struct dns_answer *))
{
	const struct dns_lookup lookup = {ask, resolver};
	struct spf_verdict verdict;

	spf_check(&lookup, &query, SPF_MAIL_FROM, &arena, &verdict); /* fills memories */
	questions = 0;
	uint64_t before = clock_monotonic_us();

	for (uint64_t i = 0; i < times; i++) {
		arena_reset(&arena);
		spf_check(&lookup, &query, SPF_MAIL_FROM, &arena, &verdict);
	}
	printf("%-24s %9.1f us a check, %.1f questions: %s\n", what,
	       (double)(clock_monotonic_us() - before) / (double)times,
	       (double)questions / (double)times, spf_result_name(verdict.result));
}

/* One whole judgement; gives the verdict of DMARC. */
static enum dmarc_result judge(const struct dns_lookup *lookup)
{
	size_t header = str_find(buf_str(&mail), STR("\r\n\r\n")) + 4;
	SCOPED(buf_fini) struct buf field = BUF(64 * 1024);
	struct mailauth_facts facts = {.ip = query.ip,
				       .helo = query.helo,
				       .sender = query.sender,
				       .receiver = STR("mx.example.org"),
				       .header = str_first(buf_str(&mail), header)};
	struct mailauth_verdicts verdicts;

	arena_reset(&arena);
	SCOPED(dkim_message_free)
	struct dkim_message *message = dkim_message_begin(facts.header, &arena);
	SCOPED(dkim_verify_free) struct dkim_verify *dkim = dkim_verify_begin(message, 0);

	dkim_message_feed(message, str_skip(buf_str(&mail), header));
	facts.dkim = dkim;
	mailauth_judge(&facts, lookup, &arena, &verdicts);
	mailauth_results_add(&field, &facts, &verdicts);
	return verdicts.dmarc.result;
}

static void measure_all(void)
{
	const struct dns_lookup lookup = {ask_counted, resolver};
	enum dmarc_result result = judge(&lookup);

	questions = 0;
	uint64_t before = clock_monotonic_us();

	for (uint64_t i = 0; i < times; i++)
		result = judge(&lookup);
	printf("%-24s %9.1f us a mail, %.1f questions: %s\n", "all of a mail",
	       (double)(clock_monotonic_us() - before) / (double)times,
	       (double)questions / (double)times, dmarc_result_name(result));
}

static void run(void *arg)
{
	(void)arg;
	resolver = resolver_open(channel);
	measure("with a resolver process", ask_counted);
	measure("evaluation alone", ask_kept);
	if (mail.len > 0)
		measure_all();
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
	ASSERT(task_start("spfbench", task, arg));
	loop_run();
}

int main(int argc, char **argv)
{
	int pair[2];
	pid_t pid;

	log_level_max = LOG_ERROR;
	if (argc < 5 || !ip_parse(str_c(argv[2]), &query.ip) ||
	    (argc > 5 && !num_parse(str_c(argv[5]), 10000000, &times)) ||
	    (argc > 6 && file_read(argv[6], &mail) != OK) || ipc_pair(pair) != OK ||
	    (pid = fork()) < 0)
		return 2;
	channel = pair[pid == 0];
	(void)close(pair[pid != 0]);
	if (pid == 0)
		in_loop(serve, argv[1]);
	query.helo = str_c(argv[3]);
	query.sender = str_c(argv[4]);
	arena_init(&kept_arena, ARENA_BYTES);
	arena_init(&arena, ARENA_BYTES);
	in_loop(run, NULL);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return 0;
}
