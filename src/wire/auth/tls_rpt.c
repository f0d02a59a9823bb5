#include "wire/auth/tls_rpt.h"

#include "base/num.h"
#include "wire/auth/tls_record.h"
#include "wire/smtp/path.h"

#define VERSION STR("v=TLSRPTv1")

bool tls_rpt_is_record(struct str text)
{
	return tls_record_is(text, VERSION);
}

/* URI of RFC 3986, as far as it concerns us: printable, nothing that ends it. */
static bool is_uri(struct str uri)
{
	for (size_t i = 0; i < uri.len; i++)
		if (uri.ptr[i] <= ' ' || uri.ptr[i] >= 127 ||
		    memchr("!,;\"<>\\^`{|}", uri.ptr[i], 12))
			return false;
	return uri.len > 0 && uri.len <= TLS_RPT_URI_BYTES_MAX;
}

/* "%40" and the like (RFC 6068 §2). */
static bool decode(struct str text, struct arena *arena, struct str *decoded)
{
	char *room = arena_alloc(arena, text.len + 1, 1);
	size_t len = 0;

	if (!room)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			int high = i + 2 < text.len ? num_hex(text.ptr[i + 1]) : -1;
			int low = i + 2 < text.len ? num_hex(text.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		room[len++] = c;
	}
	*decoded = (struct str){room, len};
	return true;
}

/* One address; header fields behind it ("?subject=") are not ours to set. */
static bool take_mailto(struct str rest, struct arena *arena, struct tls_rpt_uri *uri)
{
	struct smtp_path path;

	rest = str_first(rest, str_find_byte(rest, '?'));
	return decode(rest, arena, &uri->target) &&
	       smtp_mailbox_parse(uri->target, SMTP_ASCII, &path);
}

/* A host must follow. */
static bool is_https(struct str uri)
{
	return str_starts_nocase(uri, STR("https://")) && uri.len > 8 &&
	       uri.ptr[8] != '/' && uri.ptr[8] != ':';
}

static bool take_uri(struct str uri, struct arena *arena, struct tls_rpt *rpt)
{
	struct tls_rpt_uri found = {.is_https = is_https(uri), .target = uri};

	if (!is_uri(uri))
		return false;
	if (rpt->count < TLS_RPT_URIS_MAX &&
	    (found.is_https || (str_starts_nocase(uri, STR("mailto:")) &&
				take_mailto(str_skip(uri, 7), arena, &found))))
		rpt->uris[rpt->count++] = found;
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
