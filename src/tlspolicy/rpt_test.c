#include "tlspolicy/rpt.h"

#include <stdio.h>
#include <zlib.h>

#include "base/test.h"
#include "report/unpack.h"

static const struct dns_tlsa record = {3, 1, 1, {"\x01\xab", 2}};

static void count(struct rpt *rpt, enum tls_policy_kind kind, enum tls_flaw flaw,
		  const char *host)
{
	SCOPED(arena_fini) struct arena arena;
	struct rpt_policy policy = {.kind = kind,
				    .good = flaw == TLS_FLAW_NONE,
				    .bad = flaw != TLS_FLAW_NONE};
	const struct str pattern = STR("*.example.org");
	const struct mta_sts_policy sts = {.mx = &pattern, .mx_count = 1};

	arena_init(&arena, 4096);
	if (kind == TLS_POLICY_TLSA)
		rpt_of_tlsa(&policy, &record, 1, &arena);
	if (kind == TLS_POLICY_STS)
		rpt_of_sts(&policy, STR("version: STSv1\r\nmode: testing\r\n\r\n"), &sts);
	if (flaw != TLS_FLAW_NONE)
		policy.details[policy.detail_count++] = (struct rpt_detail){
			.flaw = flaw, .host = str_c(host), .sessions = 1};
	CHECK(rpt_add(rpt, &policy));
}

static void fill(struct rpt *rpt)
{
	rpt_init(rpt);
	count(rpt, TLS_POLICY_STS, TLS_FLAW_NONE, "");
	count(rpt, TLS_POLICY_STS, TLS_FLAW_EXPIRED, "mx.example.org");
	count(rpt, TLS_POLICY_STS, TLS_FLAW_EXPIRED, "mx.example.org");
	count(rpt, TLS_POLICY_STS, TLS_FLAW_EXPIRED, "mx2.example.org");
	count(rpt, TLS_POLICY_TLSA, TLS_FLAW_NONE, "");
}

static const struct rpt_head head = {.domain = {"example.org", 11},
				     .submitter = {"mx.example.net", 14},
				     .id = {"12.ab", 5},
				     .begin = 1763769600,
				     .end = 1763855999};

static const char want[] =
	"{\"organization-name\":\"mx.example.net\","
	"\"date-range\":{\"start-datetime\":\"2025-11-22T00:00:00Z\","
	"\"end-datetime\":\"2025-11-22T23:59:59Z\"},"
	"\"contact-info\":\"postmaster@mx.example.net\",\"report-id\":\"12.ab\","
	"\"policies\":[{\"policy\":{\"policy-type\":\"sts\","
	"\"policy-domain\":\"example.org\","
	"\"policy-string\":[\"version: STSv1\",\"mode: testing\"],"
	"\"mx-host\":[\"*.example.org\"]},"
	"\"summary\":{\"total-successful-session-count\":1,"
	"\"total-failure-session-count\":3},"
	"\"failure-details\":[{\"result-type\":\"certificate-expired\","
	"\"failed-session-count\":2,\"receiving-mx-hostname\":\"mx.example.org\"},"
	"{\"result-type\":\"certificate-expired\",\"failed-session-count\":1,"
	"\"receiving-mx-hostname\":\"mx2.example.org\"}]},"
	"{\"policy\":{\"policy-type\":\"tlsa\",\"policy-domain\":\"example.org\","
	"\"policy-string\":[\"3 1 1 01ab\"]},"
	"\"summary\":{\"total-successful-session-count\":1,"
	"\"total-failure-session-count\":0},\"failure-details\":[]}]}";

TEST(sessions_are_counted_by_policy_and_failure)
{
	SCOPED(rpt_fini) struct rpt rpt;
	SCOPED(buf_fini) struct buf json = BUF(10000);

	fill(&rpt);
	rpt_json(&json, &head, &rpt);
	CHECK_STR(buf_str(&json), str_c(want));
}

TEST(counts_are_kept_and_added_up)
{
	SCOPED(rpt_fini) struct rpt rpt;
	SCOPED(rpt_fini) struct rpt again;
	SCOPED(buf_fini) struct buf value = BUF(RPT_BYTES_MAX), json = BUF(10000);

	fill(&rpt);
	rpt_encode(&value, &rpt);
	rpt_init(&again);
	CHECK(rpt_decode(buf_str(&value), &again));
	rpt_json(&json, &head, &again);
	CHECK_STR(buf_str(&json), str_c(want));
	CHECK(rpt_decode(buf_str(&value), &again)); /* another minute's */
	CHECK(again.count == 2 && again.policies[0].bad == 6);
	CHECK(again.policies[0].detail_count == 2);
	CHECK(again.policies[0].details[0].sessions == 4);
	for (size_t i = 0; i < value.len; i++) {
		SCOPED(rpt_fini) struct rpt cut;

		rpt_init(&cut);
		CHECK(!rpt_decode(str_first(buf_str(&value), i), &cut));
	}
}

TEST(what_is_counted_is_bounded)
{
	SCOPED(rpt_fini) struct rpt rpt;
	char host[20];

	rpt_init(&rpt);
	for (int i = 0; i < 3 * RPT_DETAILS_MAX; i++) {
		(void)snprintf(host, sizeof host, "mx%d", i);
		count(&rpt, TLS_POLICY_NONE, TLS_FLAW_NOT_OFFERED, host);
	}
	CHECK(rpt.policies[0].detail_count == RPT_DETAILS_MAX);
	CHECK(rpt.policies[0].bad == 3 * RPT_DETAILS_MAX);
	for (int i = 0; i < 2 * RPT_POLICIES_MAX; i++) {
		struct rpt_policy policy = {.kind = TLS_POLICY_STS, .good = 1};

		(void)snprintf(host, sizeof host, "%d", i);
		policy.lines[policy.line_count++] = str_c(host);
		CHECK(rpt_add(&rpt, &policy));
	}
	CHECK(rpt.count == RPT_POLICIES_MAX);
	CHECK(rpt.policies[RPT_POLICIES_MAX - 1].good == RPT_POLICIES_MAX + 2);
}

TEST(the_mail_has_the_report_packed)
{
	SCOPED(buf_fini) struct buf gzip = BUF(10000), mail = BUF(20000);
	unsigned char room[4096];
	z_stream z = {.next_out = room, .avail_out = sizeof room};

	CHECK(pack_gzip(str_c(want), &gzip));
	z.next_in = (unsigned char *)gzip.ptr;
	z.avail_in = (unsigned)gzip.len;
	CHECK(inflateInit2(&z, 15 + 16) == Z_OK && inflate(&z, Z_FINISH) == Z_STREAM_END);
	CHECK_STR(((struct str){(char *)room, z.total_out}), str_c(want));
	CHECK(inflateEnd(&z) == Z_OK);
	rpt_mail(&mail, &head, STR("reports@example.org"), buf_str(&gzip), 1763856000);
	CHECK(buf_ok(&mail));
	CHECK(str_find(buf_str(&mail),
		       STR("Subject: Report Domain: example.org\r\n Submitter: "
			   "mx.example.net\r\n Report-ID: <12.ab@mx.example.net>\r\n")) <
	      mail.len);
	CHECK(str_find(buf_str(&mail), STR("example.net!example.org!1763769600!"
					   "1763855999.json.gz")) < mail.len);
	CHECK(str_ends(buf_str(&mail), STR("--tlsrpt-12.ab--\r\n")));
}
