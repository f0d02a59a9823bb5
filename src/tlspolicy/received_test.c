#include "tlspolicy/received.h"

#include "base/base64.h"
#include "base/buf.h"
#include "base/test.h"
#include "report/unpack.h"
#include "tlspolicy/rpt.h"
#include "wire/mail/transfer.h"

static struct arena arena;
static struct tls_report report;

static enum received reads(struct str bytes)
{
	arena_fini(&arena);
	arena_init(&arena, RECEIVED_ARENA_MAX);
	return received_read(bytes, &arena, &report);
}

#define JSON "{\"report-id\":\"7\",\"policies\":[{\"summary\":{}}]}"
#define HEAD "From: a@example.net\r\nMIME-Version: 1.0\r\n"
#define WHOLE                                                                            \
	HEAD "Content-Type: multipart/report; report-type=tlsrpt; boundary=b\r\n\r\n"

TEST(our_own_report_is_read_back)
{
	SCOPED(buf_fini) struct buf json = BUF(65536), gzip = BUF(65536);
	SCOPED(buf_fini) struct buf mail = BUF(65536);
	const struct rpt_head head = {.domain = STR("example.org"),
				      .submitter = STR("mx.example.net"),
				      .id = STR("20414.00000000000000ff"),
				      .begin = 1763769600,
				      .end = 1763855999};
	struct rpt_policy policy = {.kind = TLS_POLICY_STS, .good = 7, .bad = 2};
	SCOPED(rpt_fini) struct rpt rpt;

	policy.details[policy.detail_count++] =
		(struct rpt_detail){.flaw = TLS_FLAW_EXPIRED,
				    .host = STR("mx.example.org"),
				    .local = STR("192.0.2.9"),
				    .sessions = 2};
	rpt_init(&rpt);
	CHECK(rpt_add(&rpt, &policy));
	rpt_json(&json, &head, &rpt);
	CHECK(pack_gzip(buf_str(&json), &gzip));
	rpt_mail(&mail, &head, STR("rua@example.org"), buf_str(&gzip), 1763856000);
	const struct str forms[] = {buf_str(&json), buf_str(&gzip), buf_str(&mail)};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		CHECK(reads(forms[i]) == RECEIVED_REPORT);
		CHECK(report.begin == head.begin && report.end == head.end);
		CHECK_STR(report.organization, head.submitter);
		CHECK_STR(report.id, head.id);
		CHECK(report.count == 1 && report.policies[0].good == 7);
		CHECK_STR(report.policies[0].domain, head.domain);
		CHECK_STR(report.policies[0].details[0].type, STR("certificate-expired"));
		CHECK_STR(report.policies[0].details[0].sending_ip, STR("192.0.2.9"));
	}
	CHECK(reads(str_first(buf_str(&gzip), gzip.len - 9)) == RECEIVED_DAMAGED);
}

TEST(reports_are_found_in_mails)
{
	static const struct {
		const char *mail;
		enum received outcome;
	} cases[] = {
		{HEAD "Content-Type: application/tlsrpt+json\r\n\r\n" JSON,
		 RECEIVED_REPORT},
		{WHOLE
		 "--b\r\n\r\nhello\r\n--b\r\nContent-Type: application/tlsrpt+json\r\n"
		 "\r\n" JSON "\r\n--b--\r\n",
		 RECEIVED_REPORT},
		{WHOLE "--b\r\nContent-Type: application/json\r\n\r\n" JSON
		       "\r\n--b--\r\n",
		 RECEIVED_REPORT},
		{HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		      "Content-Type: application/json\r\n\r\n" JSON "\r\n--b--\r\n",
		 RECEIVED_OTHER},
		{WHOLE
		 "--b\r\nContent-Type: application/tlsrpt+gzip\r\n\r\nx\r\n--b--\r\n",
		 RECEIVED_DAMAGED},
		{WHOLE "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n",
		 RECEIVED_OTHER},
		{HEAD "\r\nhello\r\n", RECEIVED_OTHER},
		{"{\"x\":1}", RECEIVED_OTHER},
		{"", RECEIVED_OTHER},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(reads(str_c(cases[i].mail)) == cases[i].outcome);
	arena_fini(&arena);
}

TEST(a_small_file_does_not_become_a_big_one)
{
	SCOPED(buf_fini) struct buf zeros = BUF(2 * TLS_REPORT_BYTES_MAX);
	SCOPED(buf_fini)
	struct buf gzip = BUF(4 * TLS_REPORT_BYTES_MAX), mail = BUF(4 * 1024 * 1024);

	CHECK(buf_room(&zeros, zeros.max) != NULL);
	memset(zeros.ptr, ' ', zeros.max);
	buf_grew(&zeros, zeros.max);
	CHECK(pack_gzip(buf_str(&zeros), &gzip) && gzip.len < 100 * 1024);
	CHECK(reads(buf_str(&gzip)) == RECEIVED_LONG);
	buf_add(&mail, STR(HEAD "Content-Type: application/tlsrpt+gzip\r\n"
				"Content-Transfer-Encoding: base64\r\n\r\n"));
	mail_base64_add(&mail, buf_str(&gzip));
	CHECK(reads(buf_str(&mail)) == RECEIVED_LONG);
	arena_fini(&arena);
}
