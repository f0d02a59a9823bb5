/* Reports of single mails (DMARC) that we send, over a store and a DNS that are a few
 * lines each. */
#include <stdio.h>

#include "base/test.h"
#include "directory/fake_store.h"
#include "mailauth/fake_dns.h"
#include "report/failures.h"
#include "report/received.h"
#include "rt/clock.h"
#include "rt/task.h"

enum { MAILS_MAX = 64, MAIL_BYTES = 8192 };

static struct fake_record records[8];
static struct fake_dns dns;
static struct failures *failures;
static size_t mails;
static char rcpts[MAILS_MAX][64], bodies[MAILS_MAX][MAIL_BYTES];
static void (*test)(void);

static bool take_mail(void *arg, struct str to, struct str mail, struct arena *scratch,
		      struct store_op *op)
{
	(void)arg, (void)scratch;
	*op = (struct store_op){.kind = OP_QUEUE_ADD};
	CHECK(mails < MAILS_MAX && str_to_c(to, rcpts[mails], sizeof rcpts[0]) &&
	      str_to_c(mail, bodies[mails], sizeof bodies[0]));
	mails++;
	return true;
}

static void in_task(struct fake_store *fake)
{
	const struct failures_options options = {.store = fake->store,
						 .lookup = fake_dns_lookup(&dns),
						 .hostname = STR("mx.example.net"),
						 .submitter = STR("example.net"),
						 .hourly_max = 3,
						 .letter = take_mail};

	mails = 0;
	dns = (struct fake_dns){.records = records};
	failures = failures_open(&options);
	test();
	failures_close(&failures);
}

static void run(void (*what)(void))
{
	test = what;
	fake_store_run(in_task);
}

static void say(const char *name, const char *text)
{
	records[dns.count++] = (struct fake_record){name, DNS_TXT, text};
}

/* A mail in the domain's name that fails. */
static void comes(const char *domain, const char *id, unsigned options)
{
	const struct mailauth_verdicts verdicts = {
		.spf = {.result = SPF_FAIL, .domain = STR("evil.example")},
		.dmarc = {.result = DMARC_FAIL,
			  .author = str_c(domain),
			  .policy_domain = str_c(domain),
			  .record = {.ruf = {.count = 1}, .failure_options = options}}};
	struct mailauth_facts facts = {.sender = STR("x@evil.example"),
				       .receiver = STR("mx.example.net"),
				       .header = STR("From: a@b\r\n\r\n")};
	const struct failure_event event = {.facts = &facts,
					    .verdicts = &verdicts,
					    .id = str_c(id),
					    .received_at = clock_s(),
					    .delivery = "reject"};

	CHECK(ip_parse(STR("192.0.2.7"), &facts.ip));
	failures_offer(failures, &event);
}

/* The clock jumps; each time the store may answer. */
static void wait(void)
{
	for (int i = 0; i < 100; i++)
		CHECK(task_sleep_ms(1) == OK);
}

static struct arena arena;

static struct received_failure read_mail(size_t number)
{
	struct received_failure failure;
	struct dmarc_report report;

	arena_fini(&arena);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	CHECK(received_dmarc_read(str_c(bodies[number]), &arena, &report, &failure) ==
	      RECEIVED_DMARC_FAILURE);
	return failure;
}

static void tells(void)
{
	say("_dmarc.example.org", "v=DMARC1; p=reject; rua=mailto:no@example.org; "
				  "ruf=mailto:ruf@example.org,mailto:a@yes.example,"
				  "mailto:a@no.example");
	say("example.org._report._dmarc.yes.example",
	    "v=DMARC1; rua=mailto:c@yes.example; ruf=mailto:b@yes.example");
	say("evil.example", "something else");
	say("evil.example", "v=spf1 -all");
	comes("example.org", "id1", DMARC_FO_ALL);
	CHECK(mails == 0); /* whoever offers does not wait */
	wait();
	CHECK(mails == 2);
	CHECK_STR(str_c(rcpts[0]), STR("ruf@example.org"));
	CHECK_STR(str_c(rcpts[1]), STR("b@yes.example"));
	struct received_failure failure = read_mail(1);

	CHECK_STR(failure.feedback.domain, STR("example.org"));
	CHECK_STR(failure.feedback.envelope_id, STR("id1"));
	CHECK_STR(failure.feedback.spf_dns, STR("txt : evil.example : \"v=spf1 -all\""));
	comes("example.org", "id2", DMARC_FO_DKIM); /* nothing was signed */
	wait();
	CHECK(mails == 2);
	arena_fini(&arena);
}

TEST(a_domain_is_told_of_a_mail_where_it_wants_and_may)
{
	run(tells);
}

static void keeps_silent(void)
{
	say("_dmarc.slow.example", NULL);
	say("_dmarc.changed.example", "v=DMARC1; p=reject");
	comes("slow.example", "id1", DMARC_FO_ALL);
	comes("changed.example", "id2", DMARC_FO_ALL);
	comes("gone.example", "id3", DMARC_FO_ALL);
	wait();
	CHECK(mails == 0);
}

TEST(nobody_is_told_of_failures_who_does_not_want_it_now)
{
	run(keeps_silent);
}

static void few(void)
{
	char id[20];

	say("_dmarc.example.org", "v=DMARC1; p=reject; ruf=mailto:ruf@example.org");
	for (unsigned i = 0; i < 10; i++) {
		(void)snprintf(id, sizeof id, "id%u", i);
		comes("example.org", id, DMARC_FO_ALL);
		wait();
	}
	CHECK(mails == 3);
	CHECK(read_mail(2).feedback.incidents == 1);
	clock_test_advance_ms(3600 * 1000);
	comes("example.org", "later", DMARC_FO_ALL);
	wait();
	CHECK(mails == 4 && read_mail(3).feedback.incidents == 8);
	arena_fini(&arena);
}

TEST(a_flood_of_failures_makes_few_reports)
{
	run(few);
}

static void many(void)
{
	static char names[2 * FAILURES_WAITING_MAX][40];

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		(void)snprintf(names[i], sizeof names[i], "d%zu.example", i);
		comes(names[i], names[i], DMARC_FO_ALL);
	}
	dns.count = 0;
	wait();
	CHECK(dns.asked == FAILURES_WAITING_MAX);
	comes("one.example", "one", DMARC_FO_ALL); /* there is room again */
	wait();
	CHECK(dns.asked == FAILURES_WAITING_MAX + 1);
}

TEST(so_many_failures_wait_to_be_told)
{
	run(many);
}
