#include "mailauth/mailauth.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"
#include "rt/clock.h"
#include "wire/auth/authres.h"

static const struct fake_record world[] = {
	{"example.org", DNS_TXT, "v=spf1 ip4:192.0.2.1 -all"},
	{"_dmarc.example.org", DNS_TXT, "v=DMARC1; p=reject"},
	{"mx.example.org", DNS_A, "192.0.2.1"},
	{"mx.example.org", DNS_TXT, "v=spf1 a -all"},
	{"1.2.0.192.in-addr.arpa", DNS_PTR, "mx.example.org"},
};

static struct arena arena;

static struct mailauth_verdicts judge(struct fake_dns *dns, struct mailauth_facts *facts,
				      const char *ip)
{
	struct dns_lookup lookup = fake_dns_lookup(dns);
	struct mailauth_verdicts verdicts;

	CHECK(ip_parse(str_c(ip), &facts->ip));
	SCOPED(dkim_message_free)
	struct dkim_message *message = dkim_message_begin(facts->header, &arena);
	SCOPED(dkim_verify_free) struct dkim_verify *dkim = dkim_verify_begin(message, 0);
	SCOPED(arc_verify_free) struct arc_verify *arc = arc_verify_begin(message, 0);

	facts->dkim = dkim;
	facts->arc = arc;
	mailauth_judge(facts, &lookup, &arena, &verdicts);
	return verdicts;
}

#define SIGNATURE                                                                        \
	"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=gone; h=from; bh=AAAA; "    \
	"\r\n"                                                                           \
	" b=abcd efgh\r\n ijkl\r\n"

TEST(what_is_not_proved_does_not_go_on_in_our_name)
{
	static const struct {
		enum dmarc_result result;
		bool is_trusted, is_listed;
		enum dmarc_onward onward, expected;
	} cases[] = {
		{DMARC_PASS, false, false, DMARC_ONWARD_FAILS, DMARC_ONWARD_FAILS},
		{DMARC_PASS, false, false, DMARC_ONWARD_UNSURE, DMARC_ONWARD_UNSURE},
		{DMARC_PASS, false, false, DMARC_ONWARD_FINE, DMARC_ONWARD_FINE},
		{DMARC_FAIL, false, false, DMARC_ONWARD_FAILS, DMARC_ONWARD_FINE},
		{DMARC_FAIL, true, false, DMARC_ONWARD_FAILS, DMARC_ONWARD_FAILS},
		{DMARC_FAIL, false, true, DMARC_ONWARD_FAILS, DMARC_ONWARD_FAILS},
		{DMARC_TEMPERROR, false, false, DMARC_ONWARD_FAILS, DMARC_ONWARD_UNSURE},
		{DMARC_TEMPERROR, false, false, DMARC_ONWARD_FINE, DMARC_ONWARD_FINE},
		{DMARC_PERMERROR, false, false, DMARC_ONWARD_FAILS, DMARC_ONWARD_FINE},
		{DMARC_NONE, false, false, DMARC_ONWARD_FINE, DMARC_ONWARD_FINE},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct mailauth_verdicts verdicts = {
			.dmarc = {.result = cases[i].result, .onward = cases[i].onward},
			.trust = {.result = cases[i].is_trusted ? ARC_TRUSTED
								: ARC_UNTRUSTED},
			.exception = cases[i].is_listed ? STR("a.example") : STR("")};

		CHECK(mailauth_onward(&verdicts) == cases[i].expected);
	}
}

TEST(all_verdicts_come_together)
{
	struct fake_dns dns = {.records = world, .count = COUNT_OF(world)};
	struct mailauth_facts facts = {
		.helo = STR("mx.example.org"),
		.sender = STR("ann@example.org"),
		.receiver = STR("mx.receiver.example"),
		.header = STR(SIGNATURE "From: ann@example.org\r\n\r\n")};
	struct buf buf = BUF(64 * 1024);
	struct authres authres;

	arena_init(&arena, 64 * 1024 * 1024);
	struct mailauth_verdicts verdicts = judge(&dns, &facts, "192.0.2.1");

	CHECK(verdicts.spf.result == SPF_PASS && verdicts.spf_helo.result == SPF_PASS);
	CHECK(verdicts.helo == HELO_OWN && verdicts.iprev.result == IPREV_PASS);
	CHECK(verdicts.dkim.count == 1 && verdicts.dmarc.result == DMARC_PASS);
	CHECK(!verdicts.is_late);
	mailauth_results_add(&buf, &facts, &verdicts);
	CHECK(str_starts(buf_str(&buf),
			 STR("Authentication-Results: mx.receiver.example;\r\n"
			     "\tiprev=pass (mx.example.org) policy.iprev=192.0.2.1;\r\n"
			     "\tspf=pass reason=\"ip4:192.0.2.1\" "
			     "smtp.mailfrom=ann@example.org;\r\n"
			     "\tspf=pass reason=\"a\" smtp.helo=mx.example.org;\r\n"
			     "\tdkim=")));
	CHECK(str_ends(buf_str(&buf), STR(";\r\n\tdmarc=pass header.from=example.org "
					  "policy.dmarc=none;\r\n"
					  "\tarc=none\r\n")));
	CHECK(authres_parse(str_skip(buf_str(&buf), 23), &arena, &authres));
	CHECK(authres.count == 6 && !authres.is_partial);
	CHECK_STR(authres_value(&authres.results[3], "header", "d"), STR("example.org"));
	CHECK_STR(authres_value(&authres.results[3], "header", "s"), STR("gone"));
	CHECK_STR(authres_value(&authres.results[3], "header", "b"), STR("abcdefgh"));
	buf_fini(&buf);
	arena_fini(&arena);
}

TEST(a_forged_mail_fails)
{
	struct fake_dns dns = {.records = world, .count = COUNT_OF(world)};
	struct mailauth_facts facts = {.helo = STR("other.example"),
				       .receiver = STR("mx.receiver.example"),
				       .header = STR("From: ann@example.org\r\n\r\n")};
	struct buf buf = BUF(64 * 1024);

	arena_init(&arena, 64 * 1024 * 1024);
	struct mailauth_verdicts verdicts = judge(&dns, &facts, "2001:db8::1");

	CHECK(verdicts.dmarc.result == DMARC_FAIL &&
	      verdicts.dmarc.disposition == DMARC_POLICY_REJECT);
	mailauth_results_add(&buf, &facts, &verdicts);
	CHECK_STR(buf_str(&buf),
		  STR("Authentication-Results: mx.receiver.example;\r\n"
		      "\tiprev=permerror policy.iprev=\"2001:db8::1\";\r\n"
		      "\tspf=none reason=\"other.example has no SPF record\"\r\n"
		      "\tsmtp.helo=other.example;\r\n"
		      "\tdkim=none;\r\n"
		      "\tdmarc=fail header.from=example.org policy.dmarc=reject;\r\n"
		      "\tarc=none\r\n"));
	buf_reset(&buf);
	verdicts.trust = (struct arc_trust){ARC_TRUSTED, 1, STR("list.example"), "dmarc"};
	mailauth_results_add(&buf, &facts, &verdicts);
	CHECK(str_find(buf_str(&buf),
		       STR("dmarc=fail (excused by ARC: dmarc passed at list.example)")) <
	      buf.len);
	buf_fini(&buf);
	arena_fini(&arena);
}

#define CHAIN                                                                            \
	"ARC-Seal: i=1; a=rsa-sha256; t=1; cv=none; d=list.example; s=s; b=AAAA\r\n"     \
	"ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=list.example; "  \
	"s=s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"       \
	"ARC-Authentication-Results: i=1; mx.list.example; dmarc=pass\r\n"

TEST(a_chain_is_told_of)
{
	static const struct fake_record keyless[] = {
		{"s._domainkey.list.example", DNS_TXT, "v=DKIM1; p="}};
	struct fake_dns dns = {.records = keyless, .count = COUNT_OF(keyless)};
	struct mailauth_facts facts = {
		.helo = STR("list.example"),
		.receiver = STR("mx.receiver.example"),
		.header = STR(CHAIN "From: ann@example.org\r\n\r\n")};
	struct buf buf = BUF(64 * 1024);

	arena_init(&arena, 64 * 1024 * 1024);
	struct mailauth_verdicts verdicts = judge(&dns, &facts, "192.0.2.9");

	CHECK(verdicts.arc.result == ARC_FAIL && verdicts.arc.count == 1);
	mailauth_results_add(&buf, &facts, &verdicts);
	CHECK(str_ends(buf_str(&buf),
		       STR(";\r\n\tarc=fail reason=\"its message signature: the key "
			   "was revoked\"\r\n\tsmtp.remote-ip=192.0.2.9\r\n")));
	buf_reset(&buf);
	verdicts.arc.result = ARC_TEMPERROR;
	verdicts.arc.reason = STR("its seal: no answer");
	mailauth_results_add(&buf, &facts, &verdicts);
	CHECK(str_ends(buf_str(&buf), STR(";\r\n\tarc=fail (cannot be told now) "
					  "reason=\"its seal: no answer\"\r\n"
					  "\tsmtp.remote-ip=192.0.2.9\r\n")));
	buf_reset(&buf);
	verdicts.arc = (struct arc_verdict){.result = ARC_PASS, .oldest_pass = 2};
	mailauth_results_add(&buf, &facts, &verdicts);
	CHECK(str_ends(buf_str(&buf), STR(";\r\n\tarc=pass header.oldest-pass=2 "
					  "smtp.remote-ip=192.0.2.9\r\n")));
	buf_fini(&buf);
	arena_fini(&arena);
}

/* A mail that takes many questions, judged in a task while each takes so long. */
struct slow {
	struct fake_dns dns;
	struct mailauth_facts facts;
	struct mailauth_verdicts verdicts;
	uint64_t took_ms;
};

#define SIGNED_BY(domain)                                                                \
	"DKIM-Signature: v=1; a=rsa-sha256; d=" domain "; s=s; h=from; bh="              \
	"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"

static void judge_slowly(void *arg)
{
	struct slow *slow = arg;
	uint64_t before_ms = clock_monotonic_ms();

	slow->verdicts = judge(&slow->dns, &slow->facts, "192.0.2.1");
	slow->took_ms = clock_monotonic_ms() - before_ms;
	loop_stop();
}

static struct slow judge_with(uint64_t takes_ms)
{
	struct slow slow = {
		.dns = {world, COUNT_OF(world), 0, takes_ms},
		.facts = {.helo = STR("mx.example.org"),
			  .sender = STR("ann@example.org"),
			  .receiver = STR("mx.receiver.example"),
			  .header = STR(SIGNED_BY("a.test") SIGNED_BY("b.test") SIGNED_BY(
				  "c.test") SIGNED_BY("d.test") CHAIN
					"From: ann@example.org\r\n\r\n")}};

	arena_init(&arena, 64 * 1024 * 1024);
	clock_test_start(0);
	loop_init();
	CHECK(task_start("judge", judge_slowly, &slow));
	loop_run();
	loop_fini();
	clock_test_stop();
	arena_fini(&arena);
	return slow;
}

/* Twelve questions in two rounds: what HELO's record names, and the address of the
 * client's name, can only be asked for after that is known. */
TEST(what_can_be_asked_at_a_time_is)
{
	struct slow slow = judge_with(3000);

	CHECK(slow.dns.asked == 12);
	CHECK(slow.took_ms == 2 * 3000);
	CHECK(slow.verdicts.spf.result == SPF_PASS &&
	      slow.verdicts.spf_helo.result == SPF_PASS);
	CHECK(slow.verdicts.iprev.result == IPREV_PASS && slow.verdicts.helo == HELO_OWN);
	CHECK(slow.verdicts.dkim.count == 4 &&
	      slow.verdicts.dkim.result == DKIM_PERMERROR);
	CHECK(slow.verdicts.dmarc.result == DMARC_PASS && !slow.verdicts.is_late);
}

TEST(a_slow_dns_costs_twenty_seconds_and_refuses_nothing)
{
	static const uint64_t takes_ms[] = {11 * 1000, 19999, 60 * 1000};

	for (size_t i = 0; i < COUNT_OF(takes_ms); i++) {
		struct slow slow = judge_with(takes_ms[i]);

		CHECK(slow.took_ms == 1000 * MAILAUTH_SECONDS && slow.verdicts.is_late);
		CHECK(slow.verdicts.iprev.result == IPREV_TEMPERROR);
		CHECK(slow.verdicts.dmarc.disposition == DMARC_POLICY_NONE);
	}
	struct slow silent = judge_with(60 * 1000);

	CHECK(silent.verdicts.spf.result == SPF_TEMPERROR);
	CHECK(silent.verdicts.dkim.result == DKIM_TEMPERROR);
	CHECK(silent.verdicts.arc.result == ARC_TEMPERROR);
	CHECK(silent.verdicts.dmarc.result == DMARC_TEMPERROR);
	CHECK(silent.verdicts.helo == HELO_UNKNOWN);
}

/* Without a task nobody can wait beside the others; the time is the same. */
TEST(questions_one_by_one_have_the_same_end)
{
	struct fake_dns dns = {
		.records = world, .count = COUNT_OF(world), .takes_ms = 6000};
	struct mailauth_facts facts = {
		.helo = STR("mx.example.org"),
		.sender = STR("eve@example.org"),
		.receiver = STR("mx.receiver.example"),
		.header = STR(SIGNATURE "From: ann@example.org\r\n\r\n")};

	arena_init(&arena, 64 * 1024 * 1024);
	clock_test_start(0);
	uint64_t before_ms = clock_monotonic_ms();
	struct mailauth_verdicts verdicts = judge(&dns, &facts, "192.0.2.2");

	CHECK(clock_monotonic_ms() - before_ms == 1000 * MAILAUTH_SECONDS);
	CHECK(verdicts.is_late && dns.asked == 4);
	CHECK(verdicts.spf.result == SPF_FAIL);
	CHECK(verdicts.dmarc.result == DMARC_TEMPERROR &&
	      verdicts.dmarc.disposition == DMARC_POLICY_NONE);
	clock_test_stop();
	arena_fini(&arena);
}
