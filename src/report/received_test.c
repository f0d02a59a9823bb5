#include "report/received.h"

#include <zlib.h>

#include "base/codec.h"
#include "base/test.h"
#include "report/unpack.h"
#include "wire/mail/transfer.h"

static struct arena arena;
static struct dmarc_report report;
static struct received_failure failure;

static enum received_dmarc reads(struct str bytes)
{
	arena_fini(&arena);
	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	return received_dmarc_read(bytes, &arena, &report, &failure);
}

#define XML  "<feedback><record><row><count>5</count></row></record></feedback>"
#define HEAD "From: a@example.net\r\nMIME-Version: 1.0\r\n"

/* An archive of one stored file. */
static void make_zip(struct buf *out, struct str xml, size_t said)
{
	uint32_t crc = (uint32_t)crc32(0, (const Bytef *)xml.ptr, (uInt)xml.len);

	for (int i = 0; i < 2; i++) {
		buf_add(out, i == 0 ? STR("PK\3\4\24\0") : STR("PK\1\2\24\0\24\0"));
		enc_u32(out, 0); /* flags, stored */
		enc_u32(out, 0);
		enc_u32(out, crc);
		enc_u32(out, (uint32_t)said);
		enc_u32(out, (uint32_t)said);
		enc_u32(out, 5);
		if (i == 1)
			buf_add(out, STR("\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
		buf_add(out, STR("a.xml"));
		if (i == 0)
			buf_add(out, xml);
	}
	buf_add(out, STR("PK\5\6\0\0\0\0\1\0\1\0"));
	enc_u32(out, 51);
	enc_u32(out, (uint32_t)(35 + xml.len));
	enc_u16(out, 0);
}

TEST(reports_of_dmarc_are_found_in_mails_and_files)
{
	static const struct {
		const char *mail;
		enum received_dmarc outcome;
	} cases[] = {
		{XML, RECEIVED_DMARC_REPORT},
		{HEAD "Content-Type: text/xml\r\n\r\n" XML, RECEIVED_DMARC_REPORT},
		{HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n"
		      "--b\r\nContent-Type: application/xml\r\n\r\n" XML "\r\n--b--\r\n",
		 RECEIVED_DMARC_REPORT},
		{HEAD
		 "Content-Type: application/octet-stream\r\n"
		 "Content-Disposition: attachment; filename=\"a!b!1!2.xml\"\r\n\r\n" XML,
		 RECEIVED_DMARC_REPORT},
		{HEAD "Content-Type: application/octet-stream; name=x.xml\r\n\r\n" XML,
		 RECEIVED_DMARC_REPORT},
		{HEAD "Content-Type: application/octet-stream\r\n\r\n" XML,
		 RECEIVED_DMARC_OTHER},
		{HEAD "Content-Type: application/gzip\r\n\r\n\x1f\x8b no",
		 RECEIVED_DMARC_DAMAGED},
		{HEAD "Content-Type: application/zip\r\n\r\nPK\3\4 no",
		 RECEIVED_DMARC_DAMAGED},
		{HEAD "\r\nhello\r\n", RECEIVED_DMARC_OTHER},
		{HEAD "Content-Type: text/xml\r\n\r\n<html/>", RECEIVED_DMARC_OTHER},
		{"<feedback><record>", RECEIVED_DMARC_DAMAGED},
		{"<!DOCTYPE feedback []><feedback/>", RECEIVED_DMARC_REFUSED},
		{"", RECEIVED_DMARC_OTHER},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		CHECK(reads(str_c(cases[i].mail)) == cases[i].outcome);
	arena_fini(&arena);
}

TEST(packed_reports_are_read_and_damage_is_seen)
{
	SCOPED(buf_fini) struct buf gzip = BUF(65536), zip = BUF(65536);
	SCOPED(buf_fini) struct buf mail = BUF(65536);

	CHECK(pack_gzip(STR(XML), &gzip));
	CHECK(reads(buf_str(&gzip)) == RECEIVED_DMARC_REPORT);
	CHECK(report.rows->count == 5);
	make_zip(&zip, STR(XML), sizeof XML - 1);
	CHECK(reads(buf_str(&zip)) == RECEIVED_DMARC_REPORT && report.rows->count == 5);
	buf_add(&mail, STR(HEAD "Content-Type: application/x-zip-compressed\r\n"
				"Content-Transfer-Encoding: base64\r\n\r\n"));
	mail_base64_add(&mail, buf_str(&zip));
	CHECK(reads(buf_str(&mail)) == RECEIVED_DMARC_REPORT && report.rows->count == 5);
	zip.ptr[35 + 20] ^= 1; /* its sum is another */
	CHECK(reads(buf_str(&zip)) == RECEIVED_DMARC_DAMAGED);
	CHECK(reads(str_first(buf_str(&gzip), gzip.len - 9)) == RECEIVED_DMARC_DAMAGED);
	arena_fini(&arena);
}

TEST(bombs_of_gzip_and_zip_are_left_packed)
{
	SCOPED(buf_fini) struct buf zeros = BUF(2 * DMARC_REPORT_BYTES_MAX);
	SCOPED(buf_fini) struct buf gzip = BUF(4 * DMARC_REPORT_BYTES_MAX);
	SCOPED(buf_fini) struct buf zip = BUF(4 * DMARC_REPORT_BYTES_MAX);

	memset(buf_room(&zeros, zeros.max), ' ', zeros.max);
	buf_grew(&zeros, zeros.max);
	CHECK(pack_gzip(buf_str(&zeros), &gzip) && gzip.len < 100 * 1024);
	CHECK(reads(buf_str(&gzip)) == RECEIVED_DMARC_LONG);
	/* The same raw stream as a member of an archive. */
	make_zip(&zip, str_first(str_skip(buf_str(&gzip), 10), gzip.len - 18),
		 gzip.len - 18);
	zip.ptr[8] = 8; /* deflated */
	zip.ptr[35 + gzip.len - 18 + 10] = 8;
	CHECK(reads(buf_str(&zip)) == RECEIVED_DMARC_LONG);
	buf_reset(&zip);
	make_zip(&zip, buf_str(&zeros), zeros.len);
	CHECK(reads(buf_str(&zip)) == RECEIVED_DMARC_LONG);
	arena_fini(&arena);
}

TEST(reports_of_one_mail_are_read)
{
	CHECK(reads(STR(HEAD
			"Content-Type: multipart/report; report-type=feedback-report;"
			" boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n"
			"Content-Type: message/feedback-report\r\n\r\n"
			"Feedback-Type: auth-failure\r\nAuth-Failure: dmarc\r\n"
			"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
			"Subject: x\r\n\r\n--b--\r\n")) == RECEIVED_DMARC_FAILURE);
	CHECK_STR(failure.feedback.auth_failure, STR("dmarc"));
	CHECK_STR(str_trim(failure.about), STR("Subject: x"));
	CHECK(reads(STR(HEAD
			"Content-Type: multipart/report; report-type=feedback-report;"
			" boundary=b\r\n\r\n--b\r\n"
			"Content-Type: message/feedback-report\r\n\r\n"
			"x\r\n--b--\r\n")) == RECEIVED_DMARC_DAMAGED);
	arena_fini(&arena);
}
