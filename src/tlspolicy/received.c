#include "tlspolicy/received.h"

#include "report/unpack.h"

enum { START = 1024 };

static enum received read_json(enum unpack unpacked, struct str json, struct arena *arena,
			       struct tls_report *report)
{
	switch (unpacked) {
	case UNPACK_DONE:
		break;
	case UNPACK_OTHER:
		return RECEIVED_OTHER;
	case UNPACK_DAMAGED:
		return RECEIVED_DAMAGED;
	case UNPACK_LONG:
		return RECEIVED_LONG;
	}
	return tls_report_parse(json, arena, report) ? RECEIVED_REPORT : RECEIVED_OTHER;
}

/* RFC 8460 §5.3.  Some send the right part under a name that other programs know: then
 * the whole must call itself such a report. */
static bool is_report_part(const struct mime_part *part, const struct mime_part *root)
{
	if (mime_is(part, "application", "tlsrpt+gzip") ||
	    mime_is(part, "application", "tlsrpt+json"))
		return true;
	return unpack_is_report(root, STR("tlsrpt")) &&
	       (mime_is(part, "application", "gzip") ||
		mime_is(part, "application", "x-gzip") ||
		mime_is(part, "application", "json") ||
		mime_is(part, "application", "octet-stream"));
}

static enum received read_mail(struct str mail, struct arena *arena,
			       struct tls_report *report)
{
	struct str json;
	enum unpack unpacked =
		unpack_mail(mail, is_report_part, TLS_REPORT_BYTES_MAX, arena, &json);
	enum received read = read_json(unpacked, json, arena, report);

	return unpacked == UNPACK_DONE && read == RECEIVED_OTHER ? RECEIVED_DAMAGED
								 : read;
}

enum received received_read(struct str bytes, struct arena *arena,
			    struct tls_report *report)
{
	struct str start = str_trim(str_first(bytes, START)), json;
	bool is_json =
		str_starts(start, STR("{")) || str_starts(start, STR("\xef\xbb\xbf"));

	if (!is_json && !unpack_is_packed(bytes))
		return read_mail(bytes, arena, report);
	return read_json(unpack_file(bytes, TLS_REPORT_BYTES_MAX, arena, &json), json,
			 arena, report);
}
