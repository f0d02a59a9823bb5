/* The record that says who wants reports of TLS: _smtp._tls.DOMAIN.  RFC 8460 §3. */
#pragma once

#include "base/arena.h"

enum { TLS_RPT_URIS_MAX = 4 };

struct tls_rpt_uri {
	bool is_https;
	struct str target; /* mailto: the address, decoded; https: the whole URI */
};
struct tls_rpt {
	struct tls_rpt_uri uris[TLS_RPT_URIS_MAX]; /* those of other schemes, and those
						      beyond, are left out */
	size_t count;
};

/* True for a TXT record that begins as one of TLS-RPT. */
bool tls_rpt_is_record(struct str text);
/* Slices live in arena or borrow text.  False if it does not follow the grammar, or no
 * URI is one we know how to use. */
[[nodiscard]] bool tls_rpt_parse(struct str text, struct arena *arena,
				 struct tls_rpt *rpt);
