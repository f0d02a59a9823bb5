#include "wire/auth/tls_rpt.h"

#include "wire/auth/report_uri.h"
#include "wire/auth/tls_record.h"

#define VERSION STR("v=TLSRPTv1")

bool tls_rpt_is_record(struct str text)
{
	return tls_record_is(text, VERSION);
}

static bool take_uri(struct str text, struct arena *arena, struct tls_rpt *rpt)
{
	struct report_uri uri;

	if (!report_uri_parse(text, arena, &uri))
		return false;
	if (rpt->count < TLS_RPT_URIS_MAX && uri.kind != REPORT_URI_OTHER)
		rpt->uris[rpt->count++] =
			(struct tls_rpt_uri){uri.kind == REPORT_URI_HTTPS, uri.target};
	return true;
}

bool tls_rpt_parse(struct str text, struct arena *arena, struct tls_rpt *rpt)
{
	struct tls_rpt found = {.count = 0};
	struct str uris;

	if (!tls_record_find(text, VERSION, STR("rua"), &uris))
		return false;
	do {
		if (!take_uri(tls_trim_wsp(str_cut(&uris, ',')), arena, &found))
			return false;
	} while (uris.len > 0);
	*rpt = found;
	return found.count > 0;
}
