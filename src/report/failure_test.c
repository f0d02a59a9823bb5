#include "report/failure.h"

#include "base/test.h"
#include "report/received.h"

static struct arena arena;
static struct dkim_verdict_one signatures[2];
static const struct hash_key key = {{5, 6}};

struct world {
	struct mailauth_facts facts;
	struct mailauth_verdicts verdicts;
};

/* A mail that fails all, of a domain that asks to be told. */
static struct world world(void)
{
	struct world w = {
		.facts = {.sender = STR("joe@lists.example"),
			  .receiver = STR("mx.example.net"),
			  .header = STR("From: Ann <ann@example.org>\r\n"
					"To: bob@example.net\r\nSubject: secret\r\n"
					"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\n")},
		.verdicts = {.spf = {.result = SPF_FAIL,
				     .domain = STR("lists.example"),
				     .record_of = STR("_spf.example")},
			     .dkim = {.result = DKIM_FAIL,
				      .signatures = signatures,
				      .count = 2},
			     .dmarc = {.result = DMARC_FAIL,
				       .author = STR("example.org"),
				       .policy_domain = STR("example.org"),
				       .record = {.ruf = {.count = 1},
						  .failure_options = DMARC_FO_ALL}}}};

	signatures[0] = (struct dkim_verdict_one){.result = DKIM_FAIL,
						  .domain = STR("lists.example"),
						  .selector = STR("l"),
						  .reason = "signature did not verify"};
	signatures[1] = (struct dkim_verdict_one){.result = DKIM_FAIL,
						  .domain = STR("mail.example.org"),
						  .selector = STR("s"),
						  .identity = STR("ann@example.org"),
						  .reason = "body hash did not verify"};
	CHECK(ip_parse(STR("192.0.2.7"), &w.facts.ip));
	return w;
}

/* ---- whether ----------------------------------------------------------------------- */

static void check_options(unsigned options, enum failure_kind failed,
			  enum failure_kind by_spf_alone, enum failure_kind passed)
{
	struct world w = world();

	w.verdicts.dmarc.record.failure_options = options;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == failed);
	w.verdicts.dmarc.result = DMARC_PASS;
	w.verdicts.dmarc.is_spf_aligned = true;
	w.verdicts.spf.result = SPF_PASS;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == by_spf_alone);
	w.verdicts.dmarc.is_dkim_aligned = true;
	w.verdicts.dkim.result = DKIM_PASS;
	signatures[0].result = DKIM_PASS;
	signatures[1].result = DKIM_PASS;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == passed);
}

TEST(a_domain_is_told_what_it_asks_for)
{
	check_options(DMARC_FO_ALL, FAILURE_DMARC, FAILURE_NONE, FAILURE_NONE);
	check_options(DMARC_FO_ANY, FAILURE_DMARC, FAILURE_DMARC, FAILURE_NONE);
	check_options(DMARC_FO_DKIM, FAILURE_DKIM, FAILURE_DKIM, FAILURE_NONE);
	check_options(DMARC_FO_SPF, FAILURE_SPF, FAILURE_NONE, FAILURE_NONE);
	check_options(DMARC_FO_ALL | DMARC_FO_DKIM | DMARC_FO_SPF, FAILURE_DMARC,
		      FAILURE_DKIM, FAILURE_NONE);
	struct world w = world();

	w.verdicts.dmarc.record.failure_options = DMARC_FO_SPF;
	w.verdicts.spf.result = SPF_NONE;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
	w.verdicts.dmarc.record.failure_options = DMARC_FO_DKIM;
	w.verdicts.dkim.count = 0;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
	/* cannot tell now: that is no failure */
	w.verdicts.dmarc.record.failure_options = DMARC_FO_ANY;
	w.verdicts.dmarc.result = DMARC_PASS;
	w.verdicts.dmarc.is_spf_aligned = true;
	w.verdicts.dkim.result = DKIM_TEMPERROR;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
}

TEST(not_everything_is_told)
{
	static const struct str machines[] = {
		STR("Auto-Submitted: auto-replied\r\n\r\n"),
		STR("Content-Type:\r\n multipart/report; x=y\r\n\r\n")};
	struct world w = world();

	w.verdicts.dmarc.record.ruf.count = 0;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
	w = world();
	w.verdicts.dmarc.record.psd = DMARC_PSD_YES;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
	w = world();
	w.verdicts.dmarc.result = DMARC_TEMPERROR;
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
	w = world();
	w.facts.sender = STR("");
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
	for (size_t i = 0; i < COUNT_OF(machines); i++) {
		w = world();
		w.facts.header = machines[i];
		CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_NONE);
	}
	w.facts.header = STR("Auto-Submitted: no\r\n\r\n");
	CHECK(failure_wanted(&w.facts, &w.verdicts) == FAILURE_DMARC);
}

/* ---- what -------------------------------------------------------------------------- */

static struct received_failure received;
static struct buf mail;

static void make(struct world *w, enum failure_kind kind)
{
	const struct failure_event event = {.facts = &w->facts,
					    .verdicts = &w->verdicts,
					    .id = STR("abc123"),
					    .received_at = 1704067200,
					    .delivery = "reject"};
	const struct failure_head head = {STR("mx.example.net"), STR("example.net"),
					  STR("ruf@example.org"), 1704067201};
	struct dmarc_report report;
	struct failure failure;

	CHECK(failure_fill(&event, kind, key, &arena, &failure));
	failure.spf_records[1] = STR("v=spf1 exp=\"a\\b\" -all");
	failure.incidents = 3;
	buf_reset(&mail);
	failure_mail(&mail, &head, &failure);
	CHECK(buf_ok(&mail));
	CHECK(received_dmarc_read(buf_str(&mail), &arena, &report, &received) ==
	      RECEIVED_DMARC_FAILURE);
}

static bool tells(const char *words)
{
	return str_find(buf_str(&mail), str_c(words)) < mail.len;
}

TEST(our_own_report_of_a_failure_is_read_back)
{
	struct world w = world();
	const struct feedback *f = &received.feedback;

	mail = BUF(FAILURE_MAIL_MAX);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	make(&w, FAILURE_DMARC);
	CHECK_STR(f->type, STR("auth-failure"));
	CHECK_STR(f->version, STR("1"));
	CHECK_STR(f->auth_failure, STR("dmarc"));
	CHECK_STR(f->alignment, STR("dkim, spf"));
	CHECK_STR(f->results, STR("mx.example.net;\tdmarc=fail header.from=example.org"));
	CHECK_STR(f->delivery, STR("reject"));
	CHECK_STR(f->domain, STR("example.org"));
	CHECK_STR(f->source_ip, STR("192.0.2.7"));
	CHECK_STR(f->envelope_id, STR("abc123"));
	CHECK_STR(f->reporting_mta, STR("dns; mx.example.net"));
	CHECK_STR(f->dkim_domain, STR("mail.example.org")); /* of the author rather */
	CHECK_STR(f->dkim_selector, STR("s"));
	CHECK_STR(f->spf_dns,
		  STR("txt : _spf.example : \"v=spf1 exp=\\\"a\\\\b\\\" -all\""));
	CHECK(f->incidents == 3 && f->rcpt_count == 0);
	CHECK(str_ends(f->mail_from, STR("@lists.example>")));
	CHECK(str_find(received.about, STR("Subject: -\r\n")) < received.about.len);
	CHECK(tells("\r\nAuto-Submitted: auto-generated\r\n") &&
	      tells("\r\nContent-Type: text/rfc822-headers\r\n"));
	/* nobody's name */
	CHECK(!tells("ann") && !tells("Ann") && !tells("bob") && !tells("joe") &&
	      !tells("secret"));
	make(&w, FAILURE_DKIM);
	CHECK_STR(f->auth_failure, STR("bodyhash"));
	CHECK_STR(f->alignment, STR(""));
	CHECK_STR(f->spf_dns, STR(""));
	CHECK(str_starts(f->results, STR("mx.example.net;\tdkim=fail ")));
	w.verdicts.dkim.count = 1;
	make(&w, FAILURE_DKIM);
	CHECK_STR(f->auth_failure, STR("signature"));
	CHECK_STR(f->dkim_identity, STR("@lists.example"));
	make(&w, FAILURE_SPF);
	CHECK_STR(f->auth_failure, STR("spf"));
	CHECK_STR(f->dkim_domain, STR(""));
	CHECK(str_starts(f->results, STR("mx.example.net;\tspf=fail smtp.mailfrom=")) &&
	      !tells("joe"));
	arena_fini(&arena);
	buf_fini(&mail);
}

/* Strangers choose all of these. */
TEST(a_report_of_a_failure_holds_no_more_than_its_fields)
{
	struct world w = world();

	mail = BUF(FAILURE_MAIL_MAX);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	signatures[1].selector = STR("s\r\nIncidents: 9");
	signatures[1].identity = STR("\"a b\r\nX: y\"@example.org");
	w.verdicts.spf.record_of = STR("x\r\n\r\n--failure-abc123--");
	w.facts.sender = STR("\"<x>\r\n\r\n\"@evil.example");
	make(&w, FAILURE_DMARC);
	CHECK(received.feedback.incidents == 3);
	CHECK_STR(received.feedback.dkim_selector, STR("s??Incidents: 9"));
	CHECK(str_find(received.about, STR("Date: ")) < received.about.len);
	arena_fini(&arena);
	buf_fini(&mail);
}
