/* Who wants reports of DMARC: the rua (counts) or ruf (single mails) of a record at
 * _dmarc.DOMAIN, or of one at DOMAIN._report._dmarc.HOST, by which HOST agrees to get
 * them.  RFC 9989 §4.7, RFC 9990 §4, RFC 9991 §5.
 *
 * Leniency: URI_SIZE, the "!10m" of RFC 7489 §6.2, which is heeded. */
#pragma once

#include "base/arena.h"

enum { DMARC_RUA_MAX = 4, DMARC_RUA_HOST_MAX = 253 };

struct dmarc_rua_uri {
	struct str address;
	struct str host; /* of the address */
	uint64_t bytes_max;
};

struct dmarc_rua {
	struct dmarc_rua_uri uris[DMARC_RUA_MAX]; /* mailto: alone; malformed ones, and
						     those beyond, are left out */
	size_t count;
};

/* tag: "rua" or "ruf".  False if it is no record of DMARC.  Slices borrow text or live in
 * the arena. */
[[nodiscard]] bool dmarc_rua_parse(struct str text, const char *tag, struct arena *arena,
				   struct dmarc_rua *rua);
