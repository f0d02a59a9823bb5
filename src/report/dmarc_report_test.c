#include "report/dmarc_report.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"

static struct arena arena;
static struct dmarc_report report;

static enum dmarc_report_read reads(struct str xml)
{
	arena_fini(&arena);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	return dmarc_report_parse(xml, &arena, &report);
}

#define META                                                                             \
	"<report_metadata><org_name>A &amp; B</org_name><email>a@example.net</email>"    \
	"<extra_contact_info lang=\"de\">hier</extra_contact_info>"                      \
	"<report_id>7</report_id><date_range><begin>100</begin>\n<end> 200 </end>"       \
	"</date_range><error>none</error><generator>g/1</generator></report_metadata>"
#define POLICY                                                                           \
	"<policy_published><domain>example.org</domain><p>reject</p><sp>none</sp>"       \
	"<np>quarantine</np><adkim>s</adkim><aspf>r</aspf><testing>y</testing>"          \
	"<discovery_method>treewalk</discovery_method><fo>1</fo></policy_published>"
#define RECORD                                                                           \
	"<record><row><source_ip>192.0.2.1</source_ip><count>12</count>"                 \
	"<policy_evaluated><disposition>reject</disposition><dkim>fail</dkim>"           \
	"<spf>pass</spf><reason><type>local_policy</type><comment>why</comment></"       \
	"reason>"                                                                        \
	"<reason><type>other</type></reason></policy_evaluated></row>"                   \
	"<identifiers><header_from>a.example.org</header_from>"                          \
	"<envelope_from>b.example.org</envelope_from><envelope_to>c</envelope_to>"       \
	"</identifiers><auth_results>"                                                   \
	"<dkim><domain>d.example</domain><selector>s</selector><result>pass</result>"    \
	"<human_result>fine</human_result></dkim>"                                       \
	"<dkim><domain>e.example</domain><result>fail</result></dkim>"                   \
	"<spf><domain>f.example</domain><scope>mfrom</scope><result>softfail</result>"   \
	"</spf></auth_results></record>"

static void check_whole(void)
{
	const struct dmarc_report_row *row = report.rows;

	CHECK_STR(report.organization, STR("A & B"));
	CHECK_STR(report.contact, STR("hier"));
	CHECK_STR(report.id, STR("7"));
	CHECK(report.begin == 100 && report.end == 200 && !report.is_cut);
	CHECK_STR(report.domain, STR("example.org"));
	CHECK_STR(report.p, STR("reject"));
	CHECK_STR(report.discovery, STR("treewalk"));
	CHECK_STR(report.testing, STR("y"));
	CHECK(report.row_count == 1 && row && row->count == 12 && !row->next);
	CHECK_STR(row->source_ip, STR("192.0.2.1"));
	CHECK_STR(row->disposition, STR("reject"));
	CHECK(dmarc_report_is_aligned(row));
	CHECK_STR(row->header_from, STR("a.example.org"));
	CHECK_STR(row->envelope_to, STR("c"));
	CHECK_STR(row->reasons->comment, STR("why"));
	CHECK_STR(row->reasons->next->type, STR("other"));
	CHECK_STR(row->dkim_results->selector, STR("s"));
	CHECK_STR(row->dkim_results->human, STR("fine"));
	CHECK_STR(row->dkim_results->next->result, STR("fail"));
	CHECK_STR(row->spf_results->result, STR("softfail"));
}

TEST(reads_reports_of_dmarc_old_and_new)
{
	CHECK(reads(STR("<?xml version=\"1.0\"?>\n<feedback>" META POLICY RECORD
			"</feedback>\n")) == DMARC_REPORT_FINE);
	check_whole();
	CHECK(reads(STR("\xef\xbb\xbf<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\""
			" xmlns:x=\"urn:x\"><version>1.0</version>" META POLICY
			"<extension><x:a>b</x:a></extension>" RECORD "</feedback>")) ==
	      DMARC_REPORT_FINE);
	check_whole();
	CHECK(reads(STR("<d:feedback "
			"xmlns:d=\"urn:x\"><d:record><d:row><d:count>4</d:count>"
			"</d:row></d:record></d:feedback>")) == DMARC_REPORT_FINE);
	CHECK(report.row_count == 1 && report.rows->count == 4);
	CHECK(!dmarc_report_is_aligned(report.rows));
	CHECK(reads(STR("<feedback><record><row><count>-1</count><source_ip><![CDATA[ "
			"192.0.2.1 ]]></source_ip></row></record></feedback>")) ==
	      DMARC_REPORT_FINE);
	CHECK(report.rows->count == 0);
	CHECK_STR(report.rows->source_ip, STR("192.0.2.1"));
}

TEST(tells_what_is_no_report_from_what_is_damaged)
{
	static const struct {
		const char *xml;
		enum dmarc_report_read outcome;
	} cases[] = {
		{"", DMARC_REPORT_OTHER},
		{"hello", DMARC_REPORT_OTHER},
		{"<html><body/></html>", DMARC_REPORT_OTHER},
		{"<feedback/>", DMARC_REPORT_OTHER},
		{"<feedback>" POLICY "</feedback>", DMARC_REPORT_FINE}, /* an empty one */
		{"<feedback>" META, DMARC_REPORT_DAMAGED},
		{"<feedback>" RECORD "<record>", DMARC_REPORT_DAMAGED},
		{"<feedback>" RECORD "<record></row></feedback>", DMARC_REPORT_DAMAGED},
		{"<feedback>" RECORD "</feedback><more/>", DMARC_REPORT_DAMAGED},
		{"<feedback><record>&unknown;</record></feedback>", DMARC_REPORT_DAMAGED},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(reads(str_c(cases[i].xml)) == cases[i].outcome);
	arena_fini(&arena);
}

TEST(refuses_bombs_and_thieves_in_xml)
{
	static const char *const bad[] = {
		"<!DOCTYPE feedback [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>"
		"<feedback><record><row><source_ip>&b;</source_ip></row></record></"
		"feedback>",
		"<!DOCTYPE feedback [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>"
		"<feedback><record><row><source_ip>&a;</source_ip></row></record></"
		"feedback>",
		"<!DOCTYPE feedback SYSTEM \"http://192.0.2.1/x.dtd\"><feedback>" RECORD
		"</feedback>",
	};
	SCOPED(buf_fini) struct buf deep = BUF(100000);

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(reads(str_c(bad[i])) == DMARC_REPORT_REFUSED);
		CHECK(report.row_count == 0);
	}
	buf_add(&deep, STR("<feedback>"));
	for (int i = 0; i < 10000; i++)
		buf_add(&deep, STR("<a>"));
	CHECK(reads(buf_str(&deep)) == DMARC_REPORT_REFUSED);
	arena_fini(&arena);
}

TEST(bounds_what_a_report_of_dmarc_may_hold)
{
	SCOPED(buf_fini) struct buf xml = BUF(DMARC_REPORT_BYTES_MAX + 100);

	buf_add(&xml, STR("<feedback>"));
	for (size_t i = 0; i <= DMARC_REPORT_ROWS_MAX; i++)
		buf_add(&xml, STR("<record><row><count>1</count></row></record>"));
	buf_add(&xml, STR("</feedback>"));
	CHECK(reads(buf_str(&xml)) == DMARC_REPORT_FINE);
	CHECK(report.row_count == DMARC_REPORT_ROWS_MAX && report.is_cut);
	buf_reset(&xml);
	buf_add(&xml, STR("<feedback><record><auth_results>"));
	for (size_t i = 0; i <= DMARC_REPORT_SIGNATURES_MAX; i++)
		buf_add(&xml, STR("<dkim><result>pass</result></dkim>"));
	buf_add(&xml, STR("</auth_results></record></feedback>"));
	CHECK(reads(buf_str(&xml)) == DMARC_REPORT_FINE && report.is_cut);
	buf_reset(&xml);
	buf_add(&xml, STR("<feedback><record><row><source_ip>"));
	while (xml.len < 1000 * 1000)
		buf_add(&xml, STR("\xc3\xa4"));
	buf_add(&xml, STR("</source_ip></row></record></feedback>"));
	CHECK(reads(buf_str(&xml)) == DMARC_REPORT_FINE && report.is_cut);
	CHECK(report.rows->source_ip.len == DMARC_REPORT_TEXT_MAX);
	arena_fini(&arena);
	arena_init(&arena, 300); /* an arena without room */
	CHECK(dmarc_report_parse(
		      STR("<feedback>" META POLICY RECORD RECORD "</feedback>"), &arena,
		      &report) == DMARC_REPORT_FINE);
	CHECK(report.is_cut);
	buf_reset(&xml);
	memset(buf_room(&xml, xml.max), '<', xml.max);
	buf_grew(&xml, xml.max);
	CHECK(reads(buf_str(&xml)) == DMARC_REPORT_REFUSED);
	arena_fini(&arena);
}
