#include "mailauth/dmarc.h"

#include "base/test.h"
#include "mailauth/fake_dns.h"

static struct arena arena;

/* What SPF and DKIM said, and what is asked. */
struct mail {
	const char *from; /* the address, or a whole header if it has a line end */
	enum spf_result spf;
	const char *spf_domain;
	enum dkim_result dkim;
	const char *dkim_domain;
};

static struct dmarc_verdict check(const struct fake_record *records, size_t count,
				  const struct mail *mail, unsigned *asked)
{
	struct fake_dns dns = {.records = records, .count = count};
	struct dns_lookup lookup = fake_dns_lookup(&dns);
	struct spf_verdict spf = {.result = mail->spf, .domain = str_c(mail->spf_domain)};
	struct dkim_verdict_one one = {.result = mail->dkim,
				       .domain = str_c(mail->dkim_domain)};
	struct dkim_verdict dkim = {.signatures = &one, .count = one.domain.len > 0};
	struct dmarc_authors authors;
	struct dmarc_query query = {&authors, &spf, &dkim};
	struct dmarc_verdict verdict;
	struct str header =
		strchr(mail->from, '\n')
			? str_c(mail->from)
			: arena_printf(&arena, "From: %s\r\n\r\n", mail->from);

	dmarc_authors_find(header, &arena, &authors);
	dmarc_check(&lookup, &query, &arena, &verdict);
	if (asked)
		*asked = dns.asked;
	CHECK(verdict.sentence.len > 0);
	CHECK((verdict.result == DMARC_FAIL) == (verdict.refusal.len > 0));
	CHECK(verdict.result == DMARC_FAIL || verdict.disposition == DMARC_POLICY_NONE);
	return verdict;
}

#define NO_DKIM DKIM_NONE, ""

static const struct fake_record world[] = {
	{"_dmarc.none.example", DNS_TXT, "v=DMARC1; p=none"},
	{"_dmarc.quarantine.example", DNS_TXT, "v=DMARC1; p=quarantine"},
	{"_dmarc.reject.example", DNS_TXT, "something else"},
	{"_dmarc.reject.example", DNS_TXT, "v=DMARC1; p=reject; rua=mailto:x@y.example"},
	{"_dmarc.strict.example", DNS_TXT, "v=DMARC1; p=reject; adkim=s; aspf=s"},
	{"_dmarc.spfstrict.example", DNS_TXT, "v=DMARC1; p=reject; aspf=s"},
	{"_dmarc.testing.example", DNS_TXT, "v=DMARC1; p=reject; t=y"},
	{"_dmarc.softtesting.example", DNS_TXT, "v=DMARC1; p=quarantine; t=y"},
	{"_dmarc.old.example", DNS_TXT, "v=DMARC1; p=reject; pct=0"},
	{"_dmarc.sub.example", DNS_TXT, "v=DMARC1; p=reject; sp=quarantine; np=none"},
	{"there.sub.example", DNS_A, "192.0.2.1"},
	{"mailonly.sub.example", DNS_MX, "mx.sub.example"},
	{"slow.sub.example", DNS_A, NULL},
	{"_dmarc.noponly.example", DNS_TXT, "v=DMARC1; p=none; np=reject"},
	{"_dmarc.twice.example", DNS_TXT, "v=DMARC1; p=reject"},
	{"_dmarc.twice.example", DNS_TXT, "v=DMARC1; p=none"},
	{"_dmarc.wrong.example", DNS_TXT, "v=DMARC1; p=rejct"},
	{"_dmarc.wrongrua.example", DNS_TXT, "v=DMARC1; p=rejct; rua=mailto:x@y.example"},
	{"_dmarc.slow.example", DNS_TXT, NULL},
	{"_dmarc.bogus.example", DNS_TXT, "BOGUS"},
	{"_dmarc.xn--bcher-kva.example", DNS_TXT, "v=DMARC1; p=reject"},
};

static const struct {
	struct mail mail;
	enum dmarc_result result;
	enum dmarc_policy disposition;
	const char *policy_domain;
} cases[] = {
	/* aligned */
	{{"a@reject.example", SPF_PASS, "reject.example", NO_DKIM},
	 DMARC_PASS,
	 0,
	 "reject.example"},
	{{"a@Reject.Example.", SPF_PASS, "REJECT.example.", NO_DKIM},
	 DMARC_PASS,
	 0,
	 "reject.example"},
	{{"a@reject.example", SPF_PASS, "mail.reject.example", NO_DKIM},
	 DMARC_PASS,
	 0,
	 "reject.example"},
	{{"a@reject.example", SPF_FAIL, "reject.example", DKIM_PASS, "reject.example"},
	 DMARC_PASS,
	 0,
	 "reject.example"},
	{{"a@sub.reject.example", SPF_NONE, "", DKIM_PASS, "x.reject.example"},
	 DMARC_PASS,
	 0,
	 "reject.example"},
	{{"a@strict.example", SPF_PASS, "strict.example", NO_DKIM},
	 DMARC_PASS,
	 0,
	 "strict.example"},
	/* unaligned, or not proved */
	{{"a@none.example", SPF_PASS, "other.example", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_NONE,
	 "none.example"},
	{{"a@quarantine.example", SPF_PASS, "other.example", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_QUARANTINE,
	 "quarantine.example"},
	{{"a@reject.example", SPF_PASS, "other.example", DKIM_PASS, "list.example"},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "reject.example"},
	{{"a@reject.example", SPF_SOFTFAIL, "reject.example", DKIM_FAIL,
	  "reject.example"},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "reject.example"},
	{{"a@reject.example", SPF_PASS, "evilreject.example", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "reject.example"},
	{{"a@reject.example", SPF_PASS, "example", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "reject.example"},
	{{"a@reject.example", SPF_PASS, "", DKIM_PASS, "["},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "reject.example"},
	{{"a@strict.example", SPF_PASS, "x.strict.example", DKIM_PASS,
	  "y.strict.example"},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "strict.example"},
	{{"a@spfstrict.example", SPF_PASS, "x.spfstrict.example", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "spfstrict.example"},
	{{"a@spfstrict.example", SPF_NONE, "", DKIM_PASS, "x.spfstrict.example"},
	 DMARC_PASS,
	 0,
	 "spfstrict.example"},
	{{"a@testing.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_QUARANTINE,
	 "testing.example"},
	{{"a@softtesting.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_NONE,
	 "softtesting.example"},
	{{"a@old.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "old.example"},
	/* names in UTF-8 */
	{{"a@b\xc3\xbc"
	  "cher.example",
	  SPF_NONE, "", DKIM_PASS,
	  "B\xc3\xbc"
	  "cher.example"},
	 DMARC_PASS,
	 0,
	 "xn--bcher-kva.example"},
	/* subdomains */
	{{"a@sub.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "sub.example"},
	{{"a@there.sub.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_QUARANTINE,
	 "sub.example"},
	{{"a@mailonly.sub.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_QUARANTINE,
	 "sub.example"},
	{{"a@gone.sub.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_NONE,
	 "sub.example"},
	{{"a@slow.sub.example", SPF_NONE, "", NO_DKIM},
	 DMARC_TEMPERROR,
	 0,
	 "sub.example"},
	{{"a@slow.sub.example", SPF_NONE, "", DKIM_PASS, "sub.example"},
	 DMARC_PASS,
	 0,
	 "sub.example"},
	{{"a@noponly.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_NONE,
	 "noponly.example"},
	{{"a@gone.noponly.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "noponly.example"},
	/* no record */
	{{"a@nothing.example", SPF_PASS, "nothing.example", NO_DKIM}, DMARC_NONE, 0, ""},
	{{"a@twice.example", SPF_NONE, "", NO_DKIM}, DMARC_NONE, 0, ""},
	{{"a@wrong.example", SPF_NONE, "", NO_DKIM}, DMARC_PERMERROR, 0, "wrong.example"},
	{{"a@wrongrua.example", SPF_NONE, "", NO_DKIM},
	 DMARC_FAIL,
	 DMARC_POLICY_NONE,
	 "wrongrua.example"},
	/* trouble is no reason to refuse anything */
	{{"a@slow.example", SPF_PASS, "slow.example", NO_DKIM}, DMARC_TEMPERROR, 0, ""},
	{{"a@bogus.example", SPF_NONE, "", NO_DKIM}, DMARC_TEMPERROR, 0, ""},
	{{"a@x.slow.example", SPF_NONE, "", NO_DKIM}, DMARC_TEMPERROR, 0, ""},
	{{"a@reject.example", SPF_TEMPERROR, "reject.example", NO_DKIM},
	 DMARC_TEMPERROR,
	 0,
	 "reject.example"},
	{{"a@reject.example", SPF_FAIL, "reject.example", DKIM_TEMPERROR,
	  "x.reject.example"},
	 DMARC_TEMPERROR,
	 0,
	 "reject.example"},
	{{"a@reject.example", SPF_TEMPERROR, "other.example", DKIM_TEMPERROR,
	  "list.example"},
	 DMARC_FAIL,
	 DMARC_POLICY_REJECT,
	 "reject.example"},
	{{"a@reject.example", SPF_TEMPERROR, "reject.example", DKIM_PASS,
	  "reject.example"},
	 DMARC_PASS,
	 0,
	 "reject.example"},
};

TEST(verdicts_follow_alignment_and_policy)
{
	arena_init(&arena, 16 * 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct dmarc_verdict verdict =
			check(world, COUNT_OF(world), &cases[i].mail, NULL);

		CHECK_STR(str_c(dmarc_result_name(verdict.result)),
			  str_c(dmarc_result_name(cases[i].result)));
		CHECK_STR(str_c(dmarc_policy_name(verdict.disposition)),
			  str_c(dmarc_policy_name(cases[i].disposition)));
		CHECK_STR(verdict.policy_domain, str_c(cases[i].policy_domain));
	}
	arena_fini(&arena);
}

/* ---- From -------------------------------------------------------------------------- */

static const struct {
	const char *header;
	enum dmarc_from from;
	enum dmarc_result result;
	enum dmarc_policy disposition;
} headers[] = {
	{"Subject: x\r\n\r\n", DMARC_FROM_ABSENT, DMARC_PERMERROR, 0},
	{"From: \r\n\r\n", DMARC_FROM_NOBODY, DMARC_PERMERROR, 0},
	{"From: nobody:;\r\n\r\n", DMARC_FROM_NOBODY, DMARC_PERMERROR, 0},
	{"From: joe@[192.0.2.1]\r\n\r\n", DMARC_FROM_NOBODY, DMARC_PERMERROR, 0},
	{"From: joe\r\n\r\n", DMARC_FROM_NOBODY, DMARC_PERMERROR, 0},
	{"From: us: a@proved.example;\r\n\r\n", DMARC_FROM_ONE, DMARC_PASS, 0},
	{"From: a@proved.example, b@Proved.example\r\n\r\n", DMARC_FROM_ONE, DMARC_PASS,
	 0},
	{"From: a@proved.example,\r\n b@x.proved.example\r\n\r\n", DMARC_FROM_SEVERAL,
	 DMARC_PASS, 0},
	/* the strictest policy of those that fail */
	{"From: a@proved.example, b@quarantine.example, c@none.example\r\n\r\n",
	 DMARC_FROM_SEVERAL, DMARC_FAIL, DMARC_POLICY_QUARANTINE},
	{"From: b@quarantine.example, us: c@reject.example, d@none.example;\r\n\r\n",
	 DMARC_FROM_SEVERAL, DMARC_FAIL, DMARC_POLICY_REJECT},
	{"From: a@proved.example, b@nothing.example\r\n\r\n", DMARC_FROM_SEVERAL,
	 DMARC_NONE, 0},
	{"From: a@slow.example, b@nothing.example\r\n\r\n", DMARC_FROM_SEVERAL,
	 DMARC_TEMPERROR, 0},
	{"From: a@slow.example, b@reject.example\r\n\r\n", DMARC_FROM_SEVERAL, DMARC_FAIL,
	 DMARC_POLICY_REJECT},
	/* several fields never pass, and hide nothing */
	{"From: a@proved.example\r\nFROM: b@proved.example\r\n\r\n", DMARC_FROM_REPEATED,
	 DMARC_PERMERROR, 0},
	{"From: a@proved.example\r\nFrom: b@reject.example\r\n\r\n", DMARC_FROM_REPEATED,
	 DMARC_FAIL, DMARC_POLICY_REJECT},
	{"From: a@proved.example\r\nFrom: b@nothing.example\r\n\r\n", DMARC_FROM_REPEATED,
	 DMARC_PERMERROR, 0},
	/* more domains than are looked at */
	{"From: a@proved.example, a@1.proved.example, a@2.proved.example, "
	 "a@3.proved.example,\r\n a@4.proved.example, a@5.proved.example\r\n\r\n",
	 DMARC_FROM_SEVERAL, DMARC_PERMERROR, 0},
};

TEST(every_domain_in_from_is_judged)
{
	static const struct fake_record records[] = {
		{"_dmarc.proved.example", DNS_TXT, "v=DMARC1; p=reject"},
		{"_dmarc.none.example", DNS_TXT, "v=DMARC1; p=none"},
		{"_dmarc.quarantine.example", DNS_TXT, "v=DMARC1; p=quarantine"},
		{"_dmarc.reject.example", DNS_TXT, "v=DMARC1; p=reject"},
		{"_dmarc.slow.example", DNS_TXT, NULL},
	};

	arena_init(&arena, 16 * 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		const struct mail mail = {headers[i].header, SPF_PASS, "proved.example",
					  NO_DKIM};
		struct dmarc_verdict verdict =
			check(records, COUNT_OF(records), &mail, NULL);

		CHECK(verdict.from == headers[i].from);
		CHECK_STR(str_c(dmarc_result_name(verdict.result)),
			  str_c(dmarc_result_name(headers[i].result)));
		CHECK(verdict.disposition == headers[i].disposition);
	}
	arena_fini(&arena);
}

/* ---- the tree walk ----------------------------------------------------------------- */

static struct dmarc_walk walk(const struct fake_record *records, size_t count,
			      const char *domain, unsigned *asked)
{
	struct fake_dns dns = {.records = records, .count = count};
	struct dns_lookup lookup = fake_dns_lookup(&dns);
	struct dmarc_tree tree;
	struct dmarc_walk walk;

	dmarc_tree_init(&tree, &lookup, &arena);
	dmarc_tree_walk(&tree, str_c(domain), &walk);
	*asked = dns.asked;
	return walk;
}

/* RFC 9989 §4.10.2, B.4 */
static const struct {
	const char *domain, *organizational;
	unsigned asked;
} walks[] = {
	{"example.com", "example.com", 2},
	{"signing.example.com", "example.com", 3},
	{"a.mail.example.com", "example.com", 4},
	{"a.b.c.d.e.f.g.h.i.j.k.example.com", "example.com", 8},
	{"a.b.c.d.e.f.example.com", "example.com", 8},
	{"b.c.d.e.f.g.example.com", "example.com", 8},
	{"giant.bank.example", "giant.bank.example", 2},
	{"mail.giant.bank.example", "giant.bank.example", 3},
	{"mail.mega.bank.example", "mega.bank.example", 3},
	{"bank.example", "bank.example", 1}, /* itself, although it has psd=y */
	{"a.mail.own.example", "mail.own.example", 2},
	{"other.own.example", "own.example", 3},
	{"x.nothing.test", "x.nothing.test", 3},
	{"localhost", "localhost", 1},
};

static const struct fake_record trees[] = {
	{"_dmarc.example.com", DNS_TXT, "v=DMARC1; p=reject"},
	{"_dmarc.signing.example.com", DNS_TXT, "v=DMARC1; p=none"},
	{"_dmarc.bank.example", DNS_TXT, "v=DMARC1; p=reject; psd=y; np=quarantine"},
	{"_dmarc.giant.bank.example", DNS_TXT, "v=DMARC1; p=quarantine"},
	{"_dmarc.own.example", DNS_TXT, "v=DMARC1; p=reject"},
	{"_dmarc.mail.own.example", DNS_TXT, "v=DMARC1; p=none; psd=n"},
	{"_dmarc.up.slow.test", DNS_TXT, "v=DMARC1; p=reject"},
	{"_dmarc.slow.test", DNS_TXT, NULL},
};

TEST(the_tree_is_walked_as_in_the_examples)
{
	unsigned asked;

	arena_init(&arena, 16 * 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(walks); i++) {
		struct dmarc_walk found =
			walk(trees, COUNT_OF(trees), walks[i].domain, &asked);

		CHECK_STR(found.organizational, str_c(walks[i].organizational));
		CHECK(asked == walks[i].asked && !found.is_unsure);
	}
	CHECK(walk(trees, COUNT_OF(trees), "x.up.slow.test", &asked).is_unsure);
	arena_fini(&arena);
}

TEST(a_public_suffix_ends_the_walk)
{
	static const struct {
		struct mail mail;
		enum dmarc_result result;
		enum dmarc_policy disposition;
		const char *policy_domain;
	} banks[] = {
		/* B.4.3 */
		{{"a@giant.bank.example", SPF_PASS, "mail.giant.bank.example", DKIM_PASS,
		  "mail.mega.bank.example"},
		 DMARC_PASS,
		 0,
		 "giant.bank.example"},
		{{"a@giant.bank.example", SPF_NONE, "", DKIM_PASS,
		  "mail.mega.bank.example"},
		 DMARC_FAIL,
		 DMARC_POLICY_QUARANTINE,
		 "giant.bank.example"},
		{{"a@giant.bank.example", SPF_PASS, "bank.example", NO_DKIM},
		 DMARC_FAIL,
		 DMARC_POLICY_QUARANTINE,
		 "giant.bank.example"},
		/* the suffix speaks for who says nothing: np */
		{{"a@mega.bank.example", SPF_NONE, "", NO_DKIM},
		 DMARC_FAIL,
		 DMARC_POLICY_QUARANTINE,
		 "bank.example"},
		{{"a@mega.bank.example", SPF_PASS, "x.mega.bank.example", NO_DKIM},
		 DMARC_PASS,
		 0,
		 "bank.example"},
		{{"a@bank.example", SPF_PASS, "mega.bank.example", NO_DKIM},
		 DMARC_FAIL,
		 DMARC_POLICY_REJECT,
		 "bank.example"},
		/* psd=n below another record */
		{{"a@mail.own.example", SPF_PASS, "own.example", NO_DKIM},
		 DMARC_FAIL,
		 0,
		 "mail.own.example"},
		/* what is above gave no answer */
		{{"a@up.slow.test", SPF_PASS, "up.slow.test", NO_DKIM},
		 DMARC_PASS,
		 0,
		 "up.slow.test"},
		{{"a@up.slow.test", SPF_PASS, "x.up.slow.test", NO_DKIM},
		 DMARC_TEMPERROR,
		 0,
		 "up.slow.test"},
		{{"a@up.slow.test", SPF_FAIL, "x.up.slow.test", NO_DKIM},
		 DMARC_FAIL,
		 DMARC_POLICY_REJECT,
		 "up.slow.test"},
	};

	arena_init(&arena, 16 * 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(banks); i++) {
		struct dmarc_verdict verdict =
			check(trees, COUNT_OF(trees), &banks[i].mail, NULL);

		CHECK_STR(str_c(dmarc_result_name(verdict.result)),
			  str_c(dmarc_result_name(banks[i].result)));
		CHECK(verdict.disposition == banks[i].disposition);
		CHECK_STR(verdict.policy_domain, str_c(banks[i].policy_domain));
	}
	arena_fini(&arena);
}

TEST(an_aligned_mail_costs_one_question)
{
	const struct mail mail = {"a@reject.example", SPF_PASS, "reject.example",
				  DKIM_PASS, "reject.example"};
	const struct mail foreign = {"a@reject.example", SPF_PASS,
				     "x.y.z.elsewhere.example", DKIM_PASS,
				     "p.q.r.elsewhere.test"};
	unsigned asked;

	arena_init(&arena, 16 * 1024 * 1024);
	CHECK(check(world, COUNT_OF(world), &mail, &asked).is_dkim_aligned);
	CHECK(asked == 1);
	CHECK(check(world, COUNT_OF(world), &foreign, &asked).result == DMARC_FAIL);
	CHECK(asked == 2); /* its own, and one above */
	arena_fini(&arena);
}

/* Five authors of a hundred labels, and ten signatures of subdomains. */
TEST(questions_for_one_mail_are_bounded)
{
	struct fake_dns dns = {.records = trees, .count = COUNT_OF(trees)};
	struct dns_lookup lookup = fake_dns_lookup(&dns);
	struct dkim_verdict_one ones[DKIM_SIGNATURES_MAX];
	struct dkim_verdict dkim = {.signatures = ones, .count = COUNT_OF(ones)};
	struct dmarc_authors authors = {.from = DMARC_FROM_SEVERAL};
	struct dmarc_query query = {&authors, NULL, &dkim};
	struct dmarc_verdict verdict;

	arena_init(&arena, 16 * 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(ones); i++)
		ones[i] = (struct dkim_verdict_one){
			.result = DKIM_PASS,
			.domain = arena_printf(&arena, "%zu.1.2.3.4.5.%zu.example.com", i,
					       i)};
	for (size_t i = 0; i < DMARC_AUTHORS_MAX; i++)
		authors.domains[authors.count++] = arena_printf(
			&arena, "a.b.c.d.e.f.g.h.%zu.1.2.3.%zu.example.com", i, i);
	dmarc_check(&lookup, &query, &arena, &verdict);
	CHECK(verdict.result == DMARC_TEMPERROR || verdict.result == DMARC_PASS);
	CHECK(dns.asked == DMARC_QUESTIONS_MAX);
	authors.count = 1;
	authors.from = DMARC_FROM_ONE;
	dkim.count = 1;
	dmarc_check(&lookup, &query, &arena, &verdict);
	CHECK(verdict.result == DMARC_PASS && verdict.is_dkim_aligned);
	arena_fini(&arena);
}

TEST(a_verdict_says_why)
{
	const struct mail fail = {"a@testing.example", SPF_NONE, "", NO_DKIM};
	const struct mail pass = {"a@reject.example", SPF_PASS, "x.reject.example",
				  DKIM_PASS, "reject.example"};
	const struct mail late = {"a@slow.example", SPF_NONE, "", NO_DKIM};

	arena_init(&arena, 16 * 1024 * 1024);
	CHECK_STR(check(world, COUNT_OF(world), &fail, NULL).sentence,
		  STR("Nothing proves that this mail is from testing.example, and "
		      "testing.example asks to treat it as suspicious, since it is only "
		      "testing a stricter policy."));
	CHECK_STR(check(world, COUNT_OF(world), &fail, NULL).refusal,
		  STR("Mail from testing.example must be proved by SPF or DKIM of that "
		      "domain, and this is not (DMARC policy of testing.example)"));
	CHECK_STR(check(world, COUNT_OF(world), &pass, NULL).sentence,
		  STR("This mail is from reject.example, as SPF of x.reject.example and "
		      "DKIM of reject.example proves."));
	CHECK_STR(
		check(world, COUNT_OF(world), &late, NULL).sentence,
		STR("Whether this mail is from slow.example cannot be told now: the DNS "
		    "gave no answer for _dmarc.slow.example: nobody is there."));
	arena_fini(&arena);
}

static const struct {
	struct mail mail;
	enum dmarc_onward onward;
} onward_cases[] = {
	{{"a@reject.example", SPF_PASS, "reject.example", NO_DKIM}, DMARC_ONWARD_FAILS},
	{{"a@quarantine.example", SPF_PASS, "quarantine.example", NO_DKIM},
	 DMARC_ONWARD_FAILS},
	{{"a@reject.example", SPF_FAIL, "x.example", NO_DKIM}, DMARC_ONWARD_FAILS},
	{{"a@reject.example", SPF_TEMPERROR, "reject.example", NO_DKIM},
	 DMARC_ONWARD_FAILS},
	{{"a@reject.example", SPF_PASS, "reject.example", DKIM_PASS, "list.example"},
	 DMARC_ONWARD_FAILS},
	{{"a@reject.example", SPF_PASS, "reject.example", DKIM_FAIL, "reject.example"},
	 DMARC_ONWARD_FAILS},
	{{"a@testing.example", SPF_PASS, "testing.example", NO_DKIM},
	 DMARC_ONWARD_FAILS}, /* t=y makes junk of it */
	{{"a@sub.reject.example", SPF_PASS, "reject.example", NO_DKIM},
	 DMARC_ONWARD_FAILS},
	{{"a@none.example, a@reject.example", SPF_PASS, "none.example", NO_DKIM},
	 DMARC_ONWARD_FAILS},
	/* nobody minds */
	{{"a@reject.example", SPF_FAIL, "", DKIM_PASS, "reject.example"},
	 DMARC_ONWARD_FINE},
	{{"a@reject.example", SPF_PASS, "reject.example", DKIM_PASS, "m.reject.example"},
	 DMARC_ONWARD_FINE},
	{{"a@none.example", SPF_FAIL, "", NO_DKIM}, DMARC_ONWARD_FINE},
	{{"a@none.example", SPF_FAIL, "", DKIM_TEMPERROR, "none.example"},
	 DMARC_ONWARD_FINE},
	{{"a@softtesting.example", SPF_FAIL, "", NO_DKIM}, DMARC_ONWARD_FINE},
	{{"a@there.sub.example", SPF_PASS, "x.example", DKIM_PASS, "sub.example"},
	 DMARC_ONWARD_FINE},
	{{"a@gone.sub.example", SPF_PASS, "x.example", NO_DKIM}, DMARC_ONWARD_FINE},
	{{"a@norecord.test", SPF_FAIL, "", NO_DKIM}, DMARC_ONWARD_FINE},
	{{"a@twice.example", SPF_FAIL, "", NO_DKIM}, DMARC_ONWARD_FINE},
	{{"a@wrong.example", SPF_FAIL, "", NO_DKIM}, DMARC_ONWARD_FINE},
	{{"To: b\r\n\r\n", SPF_PASS, "reject.example", NO_DKIM}, DMARC_ONWARD_FINE},
	/* who knows */
	{{"a@slow.example", SPF_PASS, "slow.example", NO_DKIM}, DMARC_ONWARD_UNSURE},
	{{"a@bogus.example", SPF_PASS, "bogus.example", NO_DKIM}, DMARC_ONWARD_UNSURE},
	{{"a@slow.sub.example", SPF_PASS, "sub.example", NO_DKIM}, DMARC_ONWARD_UNSURE},
	{{"a@reject.example", SPF_PASS, "reject.example", DKIM_TEMPERROR,
	  "reject.example"},
	 DMARC_ONWARD_UNSURE},
	{{"a@reject.example", SPF_PASS, "reject.example", DKIM_TEMPERROR, "list.example"},
	 DMARC_ONWARD_FAILS},
	{{"a@slow.example, a@reject.example", SPF_PASS, "x.example", NO_DKIM},
	 DMARC_ONWARD_FAILS},
};

TEST(what_becomes_of_a_mail_that_goes_on_is_known)
{
	arena_init(&arena, 16 * 1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(onward_cases); i++) {
		struct dmarc_verdict verdict =
			check(world, COUNT_OF(world), &onward_cases[i].mail, NULL);

		CHECK(verdict.onward == onward_cases[i].onward);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}
