#include "base/test.h"
#include "mailauth/fake_dns.h"
#include "publish/check.h"
#include "publish/facts.h"
#include "publish/spf_draft.h"
#include "publish/update.h"

static struct arena arena;

static const char rsa_key[] =
	"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/"
	"DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/"
	"RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckc"
	"Q2QIDAQAB";
static const char other_key[] =
	"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

static const struct publish_service services[] = {{"_submissions", 465}, {"_imap", 143}};

static struct publish_facts facts_make(void)
{
	struct publish_facts facts = {
		.domain = STR("example.org"),
		.host = STR("mail.example.org"),
		.address_count = 1,
		.key_count = 1,
		.keys = {{.selector = STR("s1")}},
		.pin_count = 1,
		.services = services,
		.service_count = COUNT_OF(services),
	};

	facts.keys[0].record = str_c(rsa_key);
	CHECK(ip_parse(STR("192.0.2.1"), &facts.addresses[0]));
	memset(facts.pins[0], 0xab, sizeof facts.pins[0]);
	return facts;
}

static struct str line_of(const struct publish_record *record)
{
	SCOPED(buf_fini) struct buf line = BUF(4096);
	struct str copy = STR("");

	publish_print(record, &line);
	CHECK(arena_copy(&arena, buf_str(&line), &copy));
	return copy;
}

TEST(plans_a_domain_as_a_zone_file_has_it)
{
	static const char *const lines[] = {
		"example.org. 3600 IN MX 10 mail.example.org.\n",
		"mail.example.org. 3600 IN A 192.0.2.1\n",
		"1.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\n",
		"example.org. 3600 IN TXT \"v=spf1 mx -all\"\n",
		NULL, /* DKIM: its length is another test's */
		"_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=none; "
		"rua=mailto:postmaster@example.org\"\n",
		"_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 "
		"ababababababababababababababababababababababababababababababab"
		"ab\n",
		NULL, /* the id of MTA-STS is a digest */
		"mta-sts.example.org. 3600 IN CNAME mail.example.org.\n",
		"_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; "
		"rua=mailto:postmaster@example.org\"\n",
		"_submissions._tcp.example.org. 3600 IN SRV 0 1 465 mail.example.org.\n",
		"_imap._tcp.example.org. 3600 IN SRV 10 1 143 mail.example.org.\n",
		"mail.example.org. 3600 IN CAA 0 issue \"letsencrypt.org\"\n",
		"autoconfig.example.org. 3600 IN CNAME mail.example.org.\n",
		"autodiscover.example.org. 3600 IN CNAME mail.example.org.\n",
	};
	struct publish_facts facts = facts_make();
	struct publish_plan plan;

	arena_init(&arena, 1024 * 1024);
	CHECK(publish_plan(&facts, &arena, &plan));
	CHECK(plan.count == COUNT_OF(lines));
	for (size_t i = 0; i < plan.count && i < COUNT_OF(lines); i++)
		if (lines[i])
			CHECK_STR(line_of(&plan.records[i]), str_c(lines[i]));
	CHECK(plan.records[2].place == PUBLISH_ELSEWHERE);
	CHECK(plan.records[12].place == PUBLISH_LATER);
	CHECK_STR(plan.sts_policy, STR("version: STSv1\r\nmode: testing\r\n"
				       "mx: mail.example.org\r\nmax_age: 604800\r\n"));
	arena_fini(&arena);
}

TEST(leaves_the_names_of_a_host_elsewhere_to_its_zone)
{
	struct publish_facts facts = facts_make();
	struct publish_plan plan;

	arena_init(&arena, 1024 * 1024);
	facts.host = STR("mx.notexample.org");
	CHECK(publish_plan(&facts, &arena, &plan));
	for (size_t i = 0; i < plan.count; i++)
		if (plan.records[i].kind == PUBLISH_TLSA ||
		    plan.records[i].kind == PUBLISH_ADDRESS)
			CHECK(plan.records[i].place == PUBLISH_ELSEWHERE);
	CHECK(!publish_is_within(STR("notexample.org"), STR("example.org")));
	CHECK(publish_is_within(STR("a.Example.org"), STR("example.org")));
	arena_fini(&arena);
}

TEST(splits_long_texts_at_255_octets_and_quotes)
{
	SCOPED(buf_fini) struct buf out = BUF(4096);
	char text[600];

	memset(text, 'x', sizeof text);
	publish_print_text((struct str){text, 255}, &out);
	CHECK(out.len == 257);
	buf_reset(&out);
	publish_print_text((struct str){text, 256}, &out);
	CHECK(out.len == 257 + 1 + 3);
	CHECK_STR(str_skip(buf_str(&out), 256), STR("\" \"x\""));
	buf_reset(&out);
	publish_print_text((struct str){text, 600}, &out);
	CHECK(out.len == 257 + 1 + 257 + 1 + 92);
	buf_reset(&out);
	publish_print_text(STR("a\"b\\c\n"), &out);
	CHECK_STR(buf_str(&out), STR("\"a\\\"b\\\\c\\010\""));
	buf_reset(&out);
	publish_print_text(STR(""), &out);
	CHECK_STR(buf_str(&out), STR("\"\""));
}

TEST(writes_spf_for_what_sends)
{
	struct publish_facts facts = facts_make();

	arena_init(&arena, 1024 * 1024);
	CHECK_STR(publish_spf(&facts, &arena), STR("v=spf1 mx -all"));
	facts.source_count = 2;
	facts.sources[0] = facts.addresses[0]; /* that is an MX already */
	CHECK(ip_parse(STR("2001:db8::9"), &facts.sources[1]));
	facts.relay = STR("smtp.example.net");
	CHECK_STR(publish_spf(&facts, &arena),
		  STR("v=spf1 mx ip6:2001:db8::9 a:smtp.example.net -all"));
	facts = facts_make();
	CHECK_STR(publish_spf_with(STR("v=spf1 include:a.example mx  ~all"), &facts,
				   &arena),
		  STR("v=spf1 mx include:a.example ~all"));
	CHECK_STR(publish_spf_with(STR("v=spf1 nonsense"), &facts, &arena),
		  STR("v=spf1 mx -all"));
	arena_fini(&arena);
}

static struct publish_report report_of(const struct fake_record *records, size_t count)
{
	static struct publish_facts facts;
	static struct publish_plan plan;
	static struct fake_dns dns;
	struct publish_report report = {.count = 0};

	facts = facts_make();
	dns = (struct fake_dns){.records = records, .count = count};
	const struct publish_asker asker = {.lookup = fake_dns_lookup(&dns),
					    .hello = STR("mail.example.org")};

	CHECK(publish_plan(&facts, &arena, &plan));
	CHECK(publish_check(&asker, &plan, &arena, &report));
	return report;
}

static const struct publish_finding *finding_of(const struct publish_report *report,
						enum publish_kind kind)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->findings[i].kind == kind)
			return &report->findings[i];
	return NULL;
}

#define DMARC "v=DMARC1; p=reject; rua=mailto:a@example.org"
static const struct fake_record good[] = {
	{"example.org", DNS_MX, "mail.example.org"},
	{"mail.example.org", DNS_A, "192.0.2.1"},
	{"1.2.0.192.in-addr.arpa", DNS_PTR, "mail.example.org"},
	{"example.org", DNS_TXT, "v=spf1 mx -all"},
	{"example.org", DNS_TXT, "some other text"},
	{"s1._domainkey.example.org", DNS_TXT, rsa_key},
	{"_dmarc.example.org", DNS_TXT, DMARC},
	{"_mta-sts.example.org", DNS_TXT, "v=STSv1; id=1"},
	{"_smtp._tls.example.org", DNS_TXT, "v=TLSRPTv1; rua=mailto:a@example.org"},
};

TEST(says_of_each_kind_that_it_is_right)
{
	static const enum publish_kind kinds[] = {
		PUBLISH_MX,   PUBLISH_ADDRESS, PUBLISH_PTR,     PUBLISH_SPF,
		PUBLISH_DKIM, PUBLISH_DMARC,   PUBLISH_MTA_STS, PUBLISH_TLS_RPT,
	};

	arena_init(&arena, 16 * 1024 * 1024);
	struct publish_report report = report_of(good, COUNT_OF(good));

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		CHECK(finding_of(&report, kinds[i])->state == PUBLISH_RIGHT);
	CHECK(finding_of(&report, PUBLISH_TLSA)->state == PUBLISH_OPTIONAL);
	CHECK(finding_of(&report, PUBLISH_SRV)->state == PUBLISH_MISSING);
	CHECK(report.missing == 2 && report.wrong == 0 && report.unknown == 0);
	CHECK_STR(finding_of(&report, PUBLISH_SPF)->sentence,
		  STR("It lets this server send, with 1 of at most 10 look-ups; others "
		      "get \"fail\"."));
	arena_fini(&arena);
}

static const struct {
	struct fake_record record;
	enum publish_kind kind;
	enum publish_state state;
	const char *words;
} broken[] = {
	{{"example.org", DNS_MX, "mx.elsewhere.test"},
	 PUBLISH_MX,
	 PUBLISH_WRONG,
	 "goes elsewhere: mx.elsewhere.test"},
	{{"mail.example.org", DNS_A, "192.0.2.9"},
	 PUBLISH_ADDRESS,
	 PUBLISH_WRONG,
	 "leads elsewhere"},
	{{"1.2.0.192.in-addr.arpa", DNS_PTR, "dial-up.test"},
	 PUBLISH_PTR,
	 PUBLISH_WRONG,
	 "does not lead back"},
	{{"example.org", DNS_TXT, "v=spf1 a:mx.elsewhere.test -all"},
	 PUBLISH_SPF,
	 PUBLISH_WRONG,
	 "does not let this server send"},
	{{"example.org", DNS_TXT, "v=spf1 +all"},
	 PUBLISH_SPF,
	 PUBLISH_WRONG,
	 "lets everybody send"},
	{{"s1._domainkey.example.org", DNS_TXT, other_key},
	 PUBLISH_DKIM,
	 PUBLISH_WRONG,
	 "not our key"},
	{{"_dmarc.example.org", DNS_TXT, "v=DMARC1; p=maybe"},
	 PUBLISH_DMARC,
	 PUBLISH_WRONG,
	 "p=none, p=quarantine or p=reject"},
	{{"_dmarc.example.org", DNS_TXT, "v=DMARC1; p=reject; sp=maybe; rua=mailto:a@b"},
	 PUBLISH_DMARC,
	 PUBLISH_WRONG,
	 "the same for sp and np"},
	{{"_dmarc.example.org", DNS_TXT, "v=DMARC1; p=reject; t=y; ri=no;; rua=fax"},
	 PUBLISH_DMARC,
	 PUBLISH_RIGHT,
	 "\"reject\", which is being tested (t=y); nobody gets reports"},
	{{"_mta-sts.example.org", DNS_TXT, "v=STSv1; id=not-one"},
	 PUBLISH_MTA_STS,
	 PUBLISH_WRONG,
	 "does not follow the form"},
	{{"_smtp._tls.example.org", DNS_TXT, "v=TLSRPTv1; rua=fax:1"},
	 PUBLISH_TLS_RPT,
	 PUBLISH_WRONG,
	 "names nobody"},
	{{"mail.example.org", DNS_A, NULL},
	 PUBLISH_ADDRESS,
	 PUBLISH_UNKNOWN,
	 "no answer for mail.example.org now"},
	{{"example.org", DNS_MX, NULL},
	 PUBLISH_MX,
	 PUBLISH_UNKNOWN,
	 "no answer for example.org now"},
	{{"s1._domainkey.example.org", DNS_TXT, "BOGUS"},
	 PUBLISH_DKIM,
	 PUBLISH_WRONG,
	 "signatures (DNSSEC)"},
};

TEST(says_of_each_kind_what_is_wrong)
{
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct fake_record records[COUNT_OF(good)];
		const struct fake_record *changed = &broken[i].record;

		arena_init(&arena, 16 * 1024 * 1024);
		memcpy(records, good, sizeof good);
		for (size_t j = 0; j < COUNT_OF(good); j++)
			if (strcmp(records[j].name, changed->name) == 0 &&
			    records[j].type == changed->type &&
			    strcmp(records[j].data, "some other text") != 0)
				records[j] = *changed;
		struct publish_report report = report_of(records, COUNT_OF(records));
		const struct publish_finding *finding =
			finding_of(&report, broken[i].kind);

		CHECK(finding->state == broken[i].state);
		CHECK(str_find(finding->sentence, str_c(broken[i].words)) <
		      finding->sentence.len);
		arena_fini(&arena);
	}
}

TEST(says_of_nothing_that_it_is_missing)
{
	arena_init(&arena, 16 * 1024 * 1024);
	struct publish_report report = report_of(NULL, 0);

	CHECK(finding_of(&report, PUBLISH_MX)->state == PUBLISH_MISSING);
	CHECK(finding_of(&report, PUBLISH_PTR)->state == PUBLISH_MISSING);
	CHECK(finding_of(&report, PUBLISH_SPF)->state == PUBLISH_MISSING);
	CHECK(finding_of(&report, PUBLISH_DKIM)->state == PUBLISH_MISSING);
	CHECK(finding_of(&report, PUBLISH_DMARC)->state == PUBLISH_MISSING);
	CHECK(finding_of(&report, PUBLISH_MTA_STS)->state == PUBLISH_OPTIONAL);
	CHECK(report.right == 0);
	arena_fini(&arena);
}

TEST(reads_the_keys_of_name_servers)
{
	static const char *const good_keys[] = {
		"key \"ours\" {\n\talgorithm hmac-sha256;\n\tsecret \"c2VjcmV0\";\n};\n",
		"hmac-sha256:ours:c2VjcmV0\n",
		"# hmac-sha256:ours:c2VjcmV0\nkey:\n- id: ours\n",
	};
	static const char *const bad_keys[] = {
		"",
		"key \"ours\" { algorithm hmac-md5; secret \"c2VjcmV0\"; };",
		"key \"ours\" { algorithm hmac-sha256; };",
		"hmac-md5:ours:c2VjcmV0",
		"hmac-sha256:ours:",
		"hmac-sha256:no name:c2VjcmV0",
	};
	struct update_key key;

	arena_init(&arena, 64 * 1024);
	for (size_t i = 0; i < COUNT_OF(good_keys); i++) {
		CHECK(update_key_parse(str_c(good_keys[i]), &arena, &key));
		CHECK_STR(key.name, STR("ours"));
		CHECK_STR(key.secret, STR("c2VjcmV0"));
	}
	for (size_t i = 0; i < COUNT_OF(bad_keys); i++)
		CHECK(!update_key_parse(str_c(bad_keys[i]), &arena, &key));
	arena_fini(&arena);
}

TEST(tells_public_addresses_from_inner_ones)
{
	static const char *const inner[] = {"10.1.2.3",   "127.0.0.1",  "172.31.0.1",
					    "fe80::1",    "fd00::1",    "::1",
					    "100.64.0.1", "192.168.1.1"};
	static const char *const outer[] = {"198.51.100.1", "172.32.0.1", "2001:db8::1"};
	struct ip ip;

	for (size_t i = 0; i < COUNT_OF(inner); i++)
		CHECK(ip_parse(str_c(inner[i]), &ip) && !publish_is_public(&ip));
	for (size_t i = 0; i < COUNT_OF(outer); i++)
		CHECK(ip_parse(str_c(outer[i]), &ip) && publish_is_public(&ip));
}

TEST(drafts_spf_from_answers)
{
	struct spf_draft draft = {.domain = STR("example.org")};
	struct str wrong;

	arena_init(&arena, 64 * 1024);
	CHECK(spf_draft_hosts(&draft, STR("this, mail.example.net 198.51.100.0/24"),
			      &wrong));
	CHECK(spf_draft_includes(&draft, STR("_spf.example.com"), &wrong));
	CHECK(spf_draft_other(&draft, STR("soft")));
	CHECK_STR(spf_draft_text(&draft, &arena),
		  STR("v=spf1 ip4:198.51.100.0/24 mx a:mail.example.net "
		      "include:_spf.example.com ~all"));
	CHECK(spf_draft_hosts(&draft, STR("2001:db8::/32"), &wrong));
	CHECK(spf_draft_includes(&draft, STR(""), &wrong));
	CHECK(spf_draft_other(&draft, STR("hard")));
	CHECK_STR(spf_draft_text(&draft, &arena), STR("v=spf1 ip6:2001:db8::/32 -all"));
	static const char *const bad[] = {"192.0.2.0/33", "2001:db8::/129", "mail",
					  "a/b.example",  "%{i}.example",   "192.0.2.1/"};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(!spf_draft_hosts(&draft, str_c(bad[i]), &wrong));
		CHECK_STR(wrong, str_c(bad[i]));
	}
	CHECK(!spf_draft_includes(&draft, STR("192.0.2.1"), &wrong));
	CHECK(!spf_draft_other(&draft, STR("perhaps")));
	arena_fini(&arena);
}

TEST(counts_what_a_draft_asks)
{
	static const struct fake_record records[] = {
		{"_spf.example.com", DNS_TXT,
		 "v=spf1 a:a.example.com a:b.example.com ?all"},
		{"a.example.com", DNS_A, "198.51.100.1"},
		{"b.example.com", DNS_A, "198.51.100.2"},
		{"example.org", DNS_MX, "a.example.com"},
		{"example.org", DNS_TXT, "v=spf1 +all"}, /* as it was */
	};
	struct fake_dns dns = {.records = records, .count = COUNT_OF(records)};
	struct dns_lookup lookup = fake_dns_lookup(&dns);
	struct spf_draft draft = {.domain = STR("example.org"), .other = SPF_FAIL};
	struct spf_verdict verdict;
	struct str wrong;

	arena_init(&arena, 1024 * 1024);
	CHECK(spf_draft_hosts(&draft, STR("this"), &wrong));
	CHECK(spf_draft_includes(&draft, STR("_spf.example.com"), &wrong));
	spf_draft_try(&draft, spf_draft_text(&draft, &arena), &lookup, &arena, &verdict);
	CHECK(verdict.result == SPF_FAIL && verdict.lookups == 4);
	CHECK(spf_draft_includes(&draft, STR("nothing.example.com"), &wrong));
	spf_draft_try(&draft, spf_draft_text(&draft, &arena), &lookup, &arena, &verdict);
	CHECK(verdict.result == SPF_PERMERROR);
	arena_fini(&arena);
}

TEST(does_not_call_wrong_what_cannot_be_told)
{
	static const struct fake_record records[] = {
		{"example.org", DNS_MX, "mx.example.net"},
		{"mx.example.net", DNS_A, NULL},
		{"example.org", DNS_TXT, "v=spf1 mx -all"},
	};

	arena_init(&arena, 16 * 1024 * 1024);
	struct publish_report report = report_of(records, COUNT_OF(records));

	CHECK(finding_of(&report, PUBLISH_MX)->state == PUBLISH_UNKNOWN);
	CHECK(finding_of(&report, PUBLISH_SPF)->state == PUBLISH_UNKNOWN);
	arena_fini(&arena);
}
