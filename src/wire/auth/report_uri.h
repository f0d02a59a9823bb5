/* Where a domain wants reports to go: one URI of TLS-RPT (RFC 8460 §3) or of DMARC's rua
 * and ruf (RFC 9989 §4.7), where the old one of RFC 7489 §6.2 had a size behind "!". */
#pragma once

#include "base/arena.h"

enum { REPORT_URI_BYTES_MAX = 500 };

enum report_uri_kind { REPORT_URI_MAILTO, REPORT_URI_HTTPS, REPORT_URI_OTHER };

struct report_uri {
	enum report_uri_kind kind;
	struct str target; /* mailto: the address, decoded; else the whole URI */
};

/* target borrows text or lives in the arena.  A mailto: that names no address is OTHER.
 * False if it is no URI. */
[[nodiscard]] bool report_uri_parse(struct str text, struct arena *arena,
				    struct report_uri *uri);
/* Cuts "!10m" off the end; *bytes is UINT64_MAX where there is none, or none that can be
 * read. */
struct str report_uri_cut_size(struct str text, uint64_t *bytes);
