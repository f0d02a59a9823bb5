/* Reports of DMARC that we send, over a store and a DNS that are a few lines each. */
#include <stdio.h>

#include "base/test.h"
#include "directory/fake_store.h"
#include "mailauth/fake_dns.h"
#include "mailauth/mailauth.h"
#include "report/dmarc_ledger.h"
#include "report/received.h"
#include "rt/clock.h"
#include "rt/task.h"

enum { SEATS = 2, MAILS_MAX = 8, MAIL_BYTES = 8192 };

static struct fake_record records[8];
static struct fake_dns dns;
static struct fake_store *store;
static struct dmarc_ledger *ledgers[SEATS];
static bool refuses_mail;
static size_t mails;
static char rcpts[MAILS_MAX][64], bodies[MAILS_MAX][MAIL_BYTES];
static void (*test)(void);

static bool take_mail(void *arg, struct str to, struct str mail, struct arena *scratch,
		      struct store_op *op)
{
	(void)arg, (void)scratch;
	*op = (struct store_op){.kind = OP_QUEUE_ADD};
	if (refuses_mail)
		return false;
	CHECK(mails < MAILS_MAX && str_to_c(to, rcpts[mails], sizeof rcpts[0]) &&
	      str_to_c(mail, bodies[mails], sizeof bodies[0]));
	mails++;
	return true;
}

static void open_all(void)
{
	for (unsigned i = 0; i < SEATS; i++) {
		const struct dmarc_ledger_options options = {
			.store = store->store,
			.lookup = fake_dns_lookup(&dns),
			.hostname = STR("mx.example.net"),
			.submitter = STR("mx.example.net"),
			.seat = i,
			.letter = take_mail};

		ledgers[i] = dmarc_ledger_open(&options);
	}
}

static void close_all(void)
{
	for (unsigned i = 0; i < SEATS; i++)
		dmarc_ledger_close(&ledgers[i]);
}

static void in_task(struct fake_store *fake)
{
	store = fake;
	mails = 0;
	refuses_mail = false;
	dns = (struct fake_dns){.records = records};
	open_all();
	test();
	close_all();
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

static void judge(unsigned seat, const char *domain, const char *source)
{
	struct dmarc_facts facts = {.policy_domain = str_c(domain),
				    .is_wanted = true,
				    .p = STR("reject"),
				    .disposition = STR("reject"),
				    .header_from = str_c(domain),
				    .spf_domain = STR("evil.example"),
				    .spf_result = STR("fail")};

	CHECK(ip_parse(str_c(source), &facts.source));
	dmarc_tally(ledgers[seat], &facts);
}

static void write_all(void)
{
	for (unsigned i = 0; i < SEATS; i++)
		dmarc_ledger_write(ledgers[i]);
}

static void end_day(void)
{
	clock_test_advance_ms((86400 + 4 * 3600) * 1000ull);
	CHECK(task_sleep_ms(1) == OK);
}

static struct arena arena;
static struct dmarc_report report;

static uint64_t told(size_t mail)
{
	struct received_failure failure;
	uint64_t sum = 0;

	arena_fini(&arena);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	if (received_dmarc_read(str_c(bodies[mail]), &arena, &report, &failure) !=
	    RECEIVED_DMARC_REPORT)
		return 0;
	for (const struct dmarc_report_row *row = report.rows; row; row = row->next)
		sum += row->count;
	return sum;
}

static void tells(void)
{
	say("_dmarc.example.org", "v=DMARC1; p=reject; rua=mailto:rua@example.org");
	judge(0, "example.org", "192.0.2.1");
	judge(1, "example.org", "192.0.2.1");
	judge(1, "example.org", "192.0.2.2");
	write_all();
	judge(0, "example.org", "192.0.2.1");
	write_all();
	CHECK(store->count == 2); /* a process each */
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 0); /* the day is not over */
	close_all();
	open_all(); /* restarts lose nothing */
	end_day();
	dmarc_ledger_report(ledgers[1]);
	CHECK(mails == 0); /* one reports for all */
	refuses_mail = true;
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 0 && store->count == 2);
	refuses_mail = false;
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 1 && store->count == 0);
	CHECK_STR(str_c(rcpts[0]), STR("rua@example.org"));
	CHECK(told(0) == 4 && report.row_count == 2);
	CHECK_STR(report.domain, STR("example.org"));
	CHECK_STR(report.rows->disposition, STR("reject"));
	CHECK(str_find(str_c(bodies[0]), STR("Subject: Report Domain: example.org\r\n")) <
	      strlen(bodies[0]));
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 1);
	arena_fini(&arena);
}

TEST(a_domain_is_told_once_a_day_what_came_in_its_name)
{
	run(tells);
}

static void agrees(void)
{
	say("_dmarc.example.org",
	    "v=DMARC1; p=none; rua=mailto:a@yes.example,mailto:a@no.example,"
	    "mailto:a@moved.example,mailto:a@stolen.example");
	say("example.org._report._dmarc.yes.example", "v=DMARC1");
	say("example.org._report._dmarc.no.example", "v=spf1 -all");
	say("example.org._report._dmarc.moved.example",
	    "v=DMARC1; rua=mailto:b@moved.example");
	say("example.org._report._dmarc.stolen.example",
	    "v=DMARC1; rua=mailto:victim@yes.example");
	judge(0, "example.org", "192.0.2.1");
	write_all();
	end_day();
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 2 && store->count == 0); /* four are looked at, two agree */
	CHECK_STR(str_c(rcpts[0]), STR("a@yes.example"));
	CHECK_STR(str_c(rcpts[1]), STR("b@moved.example"));
}

TEST(reports_go_elsewhere_only_where_they_are_agreed_to)
{
	run(agrees);
}

static void stays(void)
{
	say("_dmarc.example.org", "v=DMARC1; p=none");
	say("_dmarc.shop.example.org", "v=DMARC1; p=none; rua=mailto:a@example.org");
	judge(0, "shop.example.org", "192.0.2.1");
	write_all();
	end_day();
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 1 && store->count == 0);
}

TEST(one_organization_agrees_with_itself)
{
	run(stays);
}

/* Below a public suffix are others, who have to agree; and below one's own name nobody.
 */
static void stays_out(void)
{
	say("_dmarc.suffix", "v=DMARC1; p=none; psd=y; rua=mailto:a@victim.suffix");
	say("_dmarc.example.org", "v=DMARC1; p=none; rua=mailto:a@mail.example.org");
	judge(0, "suffix", "192.0.2.1");
	judge(0, "example.org", "192.0.2.1");
	write_all();
	end_day();
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 1 && store->count == 0);
	CHECK_STR(str_c(rcpts[0]), STR("a@mail.example.org"));
}

TEST(a_public_suffix_speaks_for_nobody_below)
{
	run(stays_out);
}

static void waits(void)
{
	say("_dmarc.example.org", "v=DMARC1; p=none; rua=mailto:a@other.example");
	say("example.org._report._dmarc.other.example", NULL);
	judge(0, "example.org", "192.0.2.1");
	judge(0, "small.example", "192.0.2.1");
	judge(0, "gone.example", "192.0.2.1");
	say("_dmarc.small.example", "v=DMARC1; p=none; rua=mailto:a@small.example!10");
	write_all();
	CHECK(store->count == 3);
	end_day();
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 0 && store->count == 2); /* who has no record wants none */
	records[1].data = "v=DMARC1";
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 1 && store->count == 1); /* ten octets are not enough */
	clock_test_advance_ms(3 * 86400 * 1000ull);
	CHECK(task_sleep_ms(1) == OK);
	dmarc_ledger_report(ledgers[0]);
	CHECK(mails == 1 && store->count == 0); /* given up */
}

TEST(what_can_not_be_told_now_waits_for_days)
{
	run(waits);
}

static void bounds(void)
{
	char name[40];

	for (unsigned i = 0; i < 3000; i++) {
		(void)snprintf(name, sizeof name, "d%u.example", i);
		judge(0, name, "192.0.2.1");
	}
	judge(1, "a/b", "192.0.2.1");
	judge(1, "", "192.0.2.1");
	struct dmarc_facts facts = {.policy_domain = STR("unasked.example")};

	CHECK(ip_parse(STR("192.0.2.1"), &facts.source));
	dmarc_tally(ledgers[1], &facts);
	dmarc_ledger_write(ledgers[1]);
	CHECK(store->count == 0);
	dmarc_ledger_write(ledgers[0]);
	CHECK(store->count == 2000);
	fake_store_put(store, STR("r/dmarc/000001/old.example/0"), STR("damaged"));
	fake_store_put(store, STR("r/dmarc/x"), STR("no key of ours"));
	dmarc_ledger_report(ledgers[0]);
	CHECK(store->count == 2000);
}

TEST(counts_of_many_domains_are_bounded)
{
	run(bounds);
}

static void runs(void)
{
	struct task *task = task_start("DMARC", dmarc_ledger_task, ledgers[0]);

	say("_dmarc.example.org", "v=DMARC1; p=reject; rua=mailto:rua@example.org");
	judge(0, "example.org", "192.0.2.1");
	for (int hour = 0; hour < 48; hour++)
		CHECK(task_sleep_ms(3600 * 1000) == OK);
	CHECK(mails == 1 && store->count == 0);
	task_cancel(task_id(task));
	CHECK(task_sleep_ms(1) == OK);
}

TEST(the_task_writes_and_reports_by_itself)
{
	run(runs);
}

TEST(facts_are_those_of_the_verdicts)
{
	const struct dkim_verdict_one signatures[] = {
		{.result = DKIM_FAIL, .domain = STR("a.example"), .selector = STR("1")},
		{.result = DKIM_PASS, .domain = STR("b.example"), .selector = STR("2")},
		{.result = DKIM_PASS, .domain = STR("Example.org"), .selector = STR("3")},
		{.result = DKIM_FAIL}, /* no signature at all */
	};
	struct mailauth_facts mail = {.sender = STR("x@lists.example.net")};
	struct mailauth_verdicts verdicts = {
		.spf = {.result = SPF_PASS, .domain = STR("lists.example.net")},
		.dkim = {.signatures = signatures, .count = COUNT_OF(signatures)},
		.dmarc = {.result = DMARC_PASS,
			  .author = STR("Mail.Example.ORG"),
			  .policy_domain = STR("Example.ORG"),
			  .record = {.p = DMARC_POLICY_REJECT,
				     .sp = DMARC_POLICY_REJECT,
				     .np = DMARC_POLICY_NONE,
				     .has_np = true,
				     .is_testing = true,
				     .failure_options = DMARC_FO_ANY | DMARC_FO_SPF,
				     .rua = {.count = 1}},
			  .identifiers = {{.method = DMARC_BY_DKIM,
					   .domain = STR("example.org"),
					   .is_proved = true,
					   .alignment = DMARC_RELAXED}},
			  .identifier_count = 1,
			  .is_dkim_aligned = true}};
	struct dmarc_facts facts;

	arena_init(&arena, 1 << 20);
	CHECK(ip_parse(STR("192.0.2.7"), &mail.ip));
	CHECK(dmarc_facts_of(&mail, &verdicts, STR("pass"), STR(""), &arena, &facts));
	CHECK_STR(facts.policy_domain, STR("Example.ORG"));
	CHECK_STR(facts.header_from, STR("Mail.Example.ORG"));
	CHECK_STR(facts.envelope_from, STR("lists.example.net"));
	CHECK_STR(facts.p, STR("reject"));
	CHECK_STR(facts.sp, STR(""));
	CHECK_STR(facts.np, STR("none"));
	CHECK_STR(facts.fo, STR("1:s"));
	CHECK_STR(facts.spf_result, STR("pass"));
	CHECK(facts.is_wanted && facts.is_testing && facts.is_dkim_aligned &&
	      !facts.is_spf_aligned && facts.source.len == IP4_BYTES);
	CHECK(facts.signature_count == 3); /* aligned, good, bad */
	CHECK_STR(facts.signatures[0].selector, STR("3"));
	CHECK_STR(facts.signatures[1].selector, STR("2"));
	CHECK_STR(facts.signatures[2].result, STR("fail"));
	CHECK_STR(facts.comment, STR("")); /* nothing was overridden */
	verdicts.dmarc.policy_domain = STR("");
	CHECK(!dmarc_facts_of(&mail, &verdicts, STR("none"), STR(""), &arena, &facts));
	verdicts.dmarc.policy_domain = STR("example.org");
	verdicts.dmarc.result = DMARC_TEMPERROR;
	CHECK(!dmarc_facts_of(&mail, &verdicts, STR("none"), STR(""), &arena, &facts));
	arena_fini(&arena);
}

/* RFC 8617 §7.2.2 */
static struct str comment_of(const struct arc_verdict *arc)
{
	const struct mailauth_facts mail = {.sender = STR("x@example.org")};
	struct mailauth_verdicts verdicts = {
		.arc = *arc,
		.dmarc = {.result = DMARC_FAIL, .policy_domain = STR("example.org")}};
	struct dmarc_facts facts;

	CHECK(dmarc_facts_of(&mail, &verdicts, STR("none"), STR("trusted_forwarder"),
			     &arena, &facts));
	CHECK_STR(facts.override, STR("trusted_forwarder"));
	return facts.comment;
}

TEST(who_sealed_what_was_excused_is_told)
{
	struct arc_verdict_one sets[50] = {
		{.instance = 1,
		 .domain = STR("d1.example"),
		 .selector = STR("s3"),
		 .results = STR("d1.example; arc=none smtp.remote-ip=2001:db8::1a")},
		{.instance = 2, .domain = STR("d2.example"), .selector = STR("s2")}};
	struct arc_verdict arc = {.result = ARC_PASS, .sets = sets, .count = 2};

	arena_init(&arena, 1 << 20);
	CHECK_STR(comment_of(&arc), STR("arc=pass as[2].d=d2.example as[2].s=s2 "
					"as[1].d=d1.example as[1].s=s3 "
					"remote-ip[1]=2001:db8::1a"));
	sets[0].results = STR("d1.example; arc=none smtp.remote-ip=\"<x>\"");
	CHECK_STR(comment_of(&arc), STR("arc=pass as[2].d=d2.example as[2].s=s2 "
					"as[1].d=d1.example as[1].s=s3"));
	arc.result = ARC_FAIL;
	arc.count = 1;
	sets[0].results = STR("");
	CHECK_STR(comment_of(&arc), STR("arc=fail as[1].d=d1.example as[1].s=s3"));
	arc.result = ARC_NONE;
	arc.count = 0;
	CHECK_STR(comment_of(&arc), STR(""));
	arc.result = ARC_PASS;
	arc.count = COUNT_OF(sets);
	for (unsigned i = 0; i < COUNT_OF(sets); i++)
		sets[i] = (struct arc_verdict_one){
			i + 1, STR("a.long.name.of.a.domain.example"), STR("selector")};
	struct str comment = comment_of(&arc);

	CHECK(comment.len <= DMARC_FACTS_COMMENT_MAX &&
	      comment.len > DMARC_FACTS_COMMENT_MAX - 150);
	CHECK(str_starts(comment, STR("arc=pass as[50].d=")));
	arena_fini(&arena);
}
