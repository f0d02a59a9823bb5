#include "report/received.h"

#include "report/unpack.h"

enum { START = 1024 };

static enum received_dmarc read_xml(enum unpack unpacked, struct str xml,
				    struct arena *arena, struct dmarc_report *report)
{
	switch (unpacked) {
	case UNPACK_DONE:
		break;
	case UNPACK_OTHER:
		return RECEIVED_DMARC_OTHER;
	case UNPACK_DAMAGED:
		return RECEIVED_DMARC_DAMAGED;
	case UNPACK_LONG:
		return RECEIVED_DMARC_LONG;
	}
	switch (dmarc_report_parse(xml, arena, report)) {
	case DMARC_REPORT_FINE:
		return RECEIVED_DMARC_REPORT;
	case DMARC_REPORT_OTHER:
		break;
	case DMARC_REPORT_DAMAGED:
		return RECEIVED_DMARC_DAMAGED;
	case DMARC_REPORT_REFUSED:
		return RECEIVED_DMARC_REFUSED;
	}
	return RECEIVED_DMARC_OTHER;
}

/* RFC 9990 §3.5.2 has application/gzip and text/xml; RFC 7489 §7.2.1.1 gzip too; some
 * send ZIP, and some call either octets: then its name must say what it is. */
static bool is_report_part(const struct mime_part *part, const struct mime_part *root)
{
	static const char *const types[][2] = {
		{"application", "gzip"}, {"application", "x-gzip"},
		{"application", "zip"},  {"application", "x-zip-compressed"},
		{"application", "xml"},  {"text", "xml"},
	};
	static const char *const ends[] = {".xml", ".xml.gz", ".zip", ".gz"};
	struct str name = mail_param_plain(&part->disposition.params, STR("filename"));

	(void)root; /* "No specific MIME message structure is required" */
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (mime_is(part, types[i][0], types[i][1]))
			return true;
	if (name.len == 0)
		name = mail_param_plain(&part->params, STR("name"));
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (mime_is(part, "application", "octet-stream") &&
		    str_ends(name, str_c(ends[i])))
			return true;
	return false;
}

static bool is_feedback_part(const struct mime_part *part, const struct mime_part *root)
{
	return unpack_is_report(root, STR("feedback-report")) &&
	       mime_is(part, "message", "feedback-report");
}

/* What the report is about: RFC 5965 §2. */
static struct str find_about(struct str mail, struct arena *arena)
{
	struct mime mime = mime_parse_within(arena, mail, 100, 2);

	for (struct mime_part *part = mime.root; part; part = mime_next(part))
		if (mime_is(part, "message", "rfc822") ||
		    mime_is(part, "text", "rfc822-headers"))
			return str_first(str_skip(mail, part->body_at), part->body_len);
	return STR("");
}

static enum received_dmarc read_mail(struct str mail, struct arena *arena,
				     struct dmarc_report *report,
				     struct received_failure *failure)
{
	struct str found;

	if (unpack_mail(mail, is_feedback_part, DMARC_REPORT_BYTES_MAX, arena, &found) ==
	    UNPACK_DONE) {
		failure->about = find_about(mail, arena);
		return feedback_parse(found, arena, &failure->feedback)
			       ? RECEIVED_DMARC_FAILURE
			       : RECEIVED_DMARC_DAMAGED;
	}
	enum unpack unpacked =
		unpack_mail(mail, is_report_part, DMARC_REPORT_BYTES_MAX, arena, &found);

	return read_xml(unpacked, found, arena, report);
}

enum received_dmarc received_dmarc_read(struct str bytes, struct arena *arena,
					struct dmarc_report *report,
					struct received_failure *failure)
{
	struct str start = str_trim(str_first(bytes, START)), xml;
	bool is_xml =
		str_starts(start, STR("<")) || str_starts(start, STR("\xef\xbb\xbf<"));

	*failure = (struct received_failure){.about = STR("")};
	if (!is_xml && !unpack_is_packed(bytes))
		return read_mail(bytes, arena, report, failure);
	return read_xml(unpack_file(bytes, DMARC_REPORT_BYTES_MAX, arena, &xml), xml,
			arena, report);
}
