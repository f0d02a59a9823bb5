#include "report/dmarc_book.h"

#include <stdio.h>

#include "base/test.h"
#include "report/received.h"
#include "report/unpack.h"

static struct dmarc_facts facts_of(unsigned source)
{
	struct dmarc_facts facts = {
		.policy_domain = STR("example.org"),
		.is_wanted = true,
		.p = STR("quarantine"),
		.sp = STR("reject"),
		.is_spf_strict = true,
		.fo = STR("1"),
		.disposition = STR("none"),
		.override = STR("mailing_list"),
		.comment = STR("arc=pass as[1].d=<d>"),
		.header_from = STR("example.org"),
		.envelope_from = STR("lists.example.net"),
		.spf_domain = STR("lists.example.net"),
		.spf_result = STR("pass"),
		.signatures = {{STR("<evil>&\"\x01\xff"), STR("s"), STR("fail")}},
		.signature_count = 1,
	};
	char text[40];

	(void)snprintf(text, sizeof text, "2001:db8::%x", source);
	CHECK(ip_parse(str_c(text), &facts.source));
	return facts;
}

static const struct dmarc_book_head head = {.domain = STR("example.org"),
					    .submitter = STR("mx.example.net"),
					    .id = STR("20414.00000000000000ff"),
					    .begin = 1763769600,
					    .end = 1763855999};

static struct arena arena;
static struct dmarc_report report;

/* Through XML, gzip and a mail, and back. */
static bool comes_back(const struct dmarc_book *book)
{
	SCOPED(buf_fini) struct buf xml = BUF(2000000), gzip = BUF(2000000);
	SCOPED(buf_fini) struct buf mail = BUF(2000000);
	struct received_failure failure;

	dmarc_book_xml(&xml, &head, book);
	CHECK(buf_ok(&xml) && pack_gzip(buf_str(&xml), &gzip));
	dmarc_book_mail(&mail, &head, STR("rua@example.org"), buf_str(&gzip), 1763856000);
	CHECK(buf_ok(&mail));
	arena_fini(&arena);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	return received_dmarc_read(buf_str(&mail), &arena, &report, &failure) ==
	       RECEIVED_DMARC_REPORT;
}

TEST(our_own_report_of_dmarc_is_read_back)
{
	SCOPED(dmarc_book_fini) struct dmarc_book book;
	struct dmarc_facts facts = facts_of(1);

	dmarc_book_init(&book, 1);
	dmarc_book_add(&book, &facts);
	dmarc_book_add(&book, &facts);
	facts.is_dkim_aligned = true;
	facts.disposition = STR("pass");
	facts.override = STR("");
	dmarc_book_add(&book, &facts);
	CHECK(book.count == 2 && comes_back(&book));
	CHECK_STR(report.id, STR("20414.00000000000000ff@mx.example.net"));
	CHECK_STR(report.domain, STR("example.org"));
	CHECK_STR(report.p, STR("quarantine"));
	CHECK_STR(report.sp, STR("reject"));
	CHECK_STR(report.np, STR(""));
	CHECK_STR(report.aspf, STR("s"));
	CHECK_STR(report.adkim, STR("r"));
	CHECK_STR(report.testing, STR("n"));
	CHECK_STR(report.error, STR(""));
	CHECK(report.begin == 1763769600 && report.row_count == 2);
	const struct dmarc_report_row *row = report.rows;

	CHECK(row->count == 2 && row->next->count == 1);
	CHECK_STR(row->source_ip, STR("2001:db8::1"));
	CHECK_STR(row->disposition, STR("none"));
	CHECK_STR(row->reasons->type, STR("mailing_list"));
	CHECK_STR(row->reasons->comment, STR("arc=pass as[1].d=<d>"));
	CHECK_STR(row->dkim_results->domain, STR("<evil>&\"??"));
	CHECK_STR(row->dkim_results->result, STR("fail"));
	CHECK_STR(row->spf_results->scope, STR("mfrom"));
	CHECK(!dmarc_report_is_aligned(row) && dmarc_report_is_aligned(row->next));
	arena_fini(&arena);
}

TEST(counts_of_dmarc_are_kept_and_added_up)
{
	SCOPED(dmarc_book_fini) struct dmarc_book book;
	SCOPED(dmarc_book_fini) struct dmarc_book again;
	SCOPED(buf_fini) struct buf value = BUF(32 * 1024);
	struct dmarc_facts facts = facts_of(1);

	dmarc_book_init(&book, 1);
	dmarc_book_init(&again, 1);
	for (unsigned i = 0; i < 3; i++) {
		facts = facts_of(i);
		dmarc_book_add(&book, &facts);
	}
	dmarc_book_encode(&value, &book);
	facts = facts_of(1);
	facts.p = STR("reject");
	dmarc_book_add(&again, &facts);
	CHECK(dmarc_book_decode(buf_str(&value), &again));
	CHECK(dmarc_book_decode(buf_str(&value), &again));
	CHECK(again.count == 3 && comes_back(&again));
	CHECK_STR(report.p, STR("reject")); /* the newest of the day */
	CHECK(report.rows->count == 3 && report.rows->next->count == 2);
	for (size_t len = 0; len < value.len; len++)
		CHECK(!dmarc_book_decode(str_first(buf_str(&value), len), &again));
	arena_fini(&arena);
}

TEST(what_is_counted_of_dmarc_is_bounded_and_says_so)
{
	SCOPED(dmarc_book_fini) struct dmarc_book book;
	SCOPED(buf_fini) struct buf value = BUF(32 * 1024);
	uint64_t listed = 0;

	dmarc_book_init(&book, 1);
	for (unsigned i = 0; i < 5000; i++) {
		struct dmarc_facts facts = facts_of(i);

		facts.p = i % 2 ? STR("none") : STR("reject");
		dmarc_book_add(&book, &facts);
	}
	dmarc_book_encode(&value, &book);
	CHECK(buf_ok(&value) && value.len < 32 * 1024);
	CHECK(book.others > 0 && comes_back(&book));
	for (const struct dmarc_report_row *row = report.rows; row; row = row->next)
		listed += row->count;
	CHECK(listed + book.others == 5000);
	CHECK(str_find(report.error, STR("more mails are not listed")) <
	      report.error.len);
	arena_fini(&arena);
}
