#include "wire/auth/tls_report.h"

#include "base/buf.h"
#include "base/test.h"

/* The example of RFC 8460 Appendix B. */
static const char example[] =
	"{\"organization-name\": \"Company-X\","
	"\"date-range\": {\"start-datetime\": \"2016-04-01T00:00:00Z\","
	"\"end-datetime\": \"2016-04-01T23:59:59Z\"},"
	"\"contact-info\": \"sts-reporting@company-x.example\","
	"\"report-id\": \"5065427c-23d3-47ca-b6e0-946ea0e8c4be\","
	"\"policies\": [{\"policy\": {\"policy-type\": \"sts\","
	"\"policy-string\": [\"version: STSv1\",\"mode: testing\","
	"\"mx: *.mail.company-y.example\",\"max_age: 86400\"],"
	"\"policy-domain\": \"company-y.example\","
	"\"mx-host\": [\"*.mail.company-y.example\"]},"
	"\"summary\": {\"total-successful-session-count\": 5326,"
	"\"total-failure-session-count\": 303},"
	"\"failure-details\": [{\"result-type\": \"certificate-expired\","
	"\"sending-mta-ip\": \"2001:db8:abcd:0012::1\","
	"\"receiving-mx-hostname\": \"mx1.mail.company-y.example\","
	"\"failed-session-count\": 100}, {\"result-type\": \"starttls-not-supported\","
	"\"sending-mta-ip\": \"2001:db8:abcd:0013::1\","
	"\"receiving-mx-hostname\": \"mx2.mail.company-y.example\","
	"\"receiving-ip\": \"203.0.113.56\",\"failed-session-count\": 200,"
	"\"additional-information\": \"https://reports.company-x.example/"
	"report_info ? id = 5065427 c - 23 d3# StarttlsNotSupported \"},"
	"{\"result-type\": \"validation-failure\",\"sending-mta-ip\": \"198.51.100.62\","
	"\"receiving-ip\": \"203.0.113.58\",\"receiving-mx-hostname\": "
	"\"mx-backup.mail.company-y.example\",\"failed-session-count\": 3,"
	"\"receiving-mx-helo\": \"mx\",\"failure-reason-code\": \"X509_V_ERR\"}]}]}";

static struct arena arena;
static struct tls_report report;

static bool reads(struct str json)
{
	arena_fini(&arena);
	arena_init(&arena, 1024 * 1024);
	return tls_report_parse(json, &arena, &report);
}

TEST(reads_the_report_of_the_rfc)
{
	CHECK(reads(str_c(example)) && report.count == 1 && !report.is_cut);
	CHECK_STR(report.organization, STR("Company-X"));
	CHECK_STR(report.contact, STR("sts-reporting@company-x.example"));
	CHECK_STR(report.id, STR("5065427c-23d3-47ca-b6e0-946ea0e8c4be"));
	CHECK(report.begin == 1459468800 && report.end == 1459555199);
	const struct tls_report_policy *policy = &report.policies[0];

	CHECK_STR(policy->type, STR("sts"));
	CHECK_STR(policy->domain, STR("company-y.example"));
	CHECK(policy->good == 5326 && policy->bad == 303);
	CHECK(policy->line_count == 4 && policy->mx_count == 1);
	CHECK_STR(policy->lines[1], STR("mode: testing"));
	CHECK_STR(policy->mx[0], STR("*.mail.company-y.example"));
	CHECK(policy->detail_count == 3);
	const struct tls_report_detail *last = &policy->details[2];

	CHECK_STR(policy->details[0].type, STR("certificate-expired"));
	CHECK(policy->details[0].sessions == 100 && policy->details[1].sessions == 200);
	CHECK_STR(policy->details[0].sending_ip, STR("2001:db8:abcd:0012::1"));
	CHECK_STR(policy->details[1].receiving_ip, STR("203.0.113.56"));
	CHECK(str_starts(policy->details[1].more, STR("https://reports.company-x")));
	CHECK_STR(last->reason, STR("X509_V_ERR"));
	CHECK_STR(last->helo, STR("mx"));
	CHECK_STR(last->mx, STR("mx-backup.mail.company-y.example"));
}

TEST(reads_what_others_make_of_it)
{
	CHECK(reads(
		STR("\xef\xbb\xbf{\"policies\":[{\"policy\":{\"policy-string\":\"one\","
		    "\"mx-host\":\"mx.\\u00e4\"},\"summary\":{"
		    "\"total-failure-session-count\":\"12\"}}]}")));
	CHECK(report.count == 1 && report.policies[0].bad == 12);
	CHECK(report.policies[0].line_count == 1 && report.policies[0].mx_count == 1);
	CHECK_STR(report.policies[0].mx[0], STR("mx.\xc3\xa4"));
	CHECK_STR(report.organization, STR(""));
	CHECK(reads(STR("{\"policies\":[{\"failure-details\":null,\"policy\":null,"
			"\"summary\":[],\"x\":1},7,{\"policy\":{\"policy-string\":null},"
			"\"failure-details\":[1,{}]}],\"date-range\":{\"start-datetime\":"
			"\"yesterday\"},\"contact-info\":null,\"new\":{}}")));
	CHECK(report.count == 3 && report.begin == 0 &&
	      report.policies[2].detail_count == 2);
	CHECK(reads(STR("{\"policies\":[],\"date-range\":7}")) && report.count == 0);
}

TEST(refuses_what_is_no_report)
{
	CHECK(!reads(STR("")) && !reads(STR("[]")) && !reads(STR("{}")));
	CHECK(!reads(STR("{\"policies\":{}}")) && !reads(STR("{\"policies\":[]} x")));
	CHECK(!reads(STR("{\"policies\":[}")));
}

TEST(bounds_what_a_report_may_hold)
{
	SCOPED(buf_fini) struct buf json = BUF(1024 * 1024);

	buf_add(&json, STR("{\"organization-name\":\""));
	for (int i = 0; i <= TLS_REPORT_TEXT_MAX; i++)
		buf_add(&json, STR("\xc3\xa4"));
	buf_add(&json, STR("\",\"policies\":[0"));
	for (int i = 0; i < TLS_REPORT_POLICIES_MAX; i++)
		buf_add(&json, STR(",0"));
	buf_add(&json, STR("]}"));
	CHECK(reads(buf_str(&json)) && report.is_cut);
	CHECK(report.count == TLS_REPORT_POLICIES_MAX);
	CHECK(report.organization.len == TLS_REPORT_TEXT_MAX);
	buf_reset(&json);
	buf_add(&json, STR("{\"policies\":[{\"policy\":{\"mx-host\":[0"));
	for (int i = 0; i < TLS_REPORT_LINES_MAX; i++)
		buf_add(&json, STR(",0"));
	buf_add(&json, STR("]},\"failure-details\":[0"));
	for (int i = 0; i < TLS_REPORT_DETAILS_MAX; i++)
		buf_add(&json, STR(",0"));
	buf_add(&json, STR("]}]}"));
	CHECK(reads(buf_str(&json)) && report.is_cut);
	CHECK(report.policies[0].mx_count == TLS_REPORT_LINES_MAX);
	CHECK(report.policies[0].detail_count == TLS_REPORT_DETAILS_MAX);
	arena_fini(&arena);
	arena_init(&arena, 100); /* no room */
	CHECK(!tls_report_parse(buf_str(&json), &arena, &report));
}

TEST(reads_internet_time)
{
	static const struct {
		const char *text;
		int64_t at; /* -1: none */
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2016-04-01T00:00:00Z", 1459468800},
		{"2016-04-01t00:00:00.123z", 1459468800},
		{"2016-04-01 02:00:00+02:00", 1459468800},
		{"2016-03-31T20:30:00-03:30", 1459468800},
		{"2016-04-01T00:00:00", -1},
		{"2016-04-01", -1},
		{"2016-04-31T00:00:00Z", -1},
		{"2016-13-01T00:00:00Z", -1},
		{"2016-04-01T25:00:00Z", -1},
		{"2016-04-01T00:00:00.Z", -1},
		{"2016-04-01T00:00:00+24:00", -1},
		{"2016-04-01T00:00:00+0200", -1},
		{"2016-04-01T00:00:00Zx", -1},
		{"16-04-01T00:00:00Z", -1},
		{"", -1},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t at = -1;

		CHECK(tls_report_time(str_c(cases[i].text), &at) == (cases[i].at >= 0));
		CHECK(at == cases[i].at);
	}
	arena_fini(&arena);
}
