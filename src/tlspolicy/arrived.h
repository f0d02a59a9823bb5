/* A report that somebody else sent, of either kind, as it is kept (report/kept.h):
 * whoever gets files that may be one asks here. */
#pragma once

#include "report/kept.h"

enum arrived {
	ARRIVED_REPORT,
	ARRIVED_OTHER, /* no report, or one of a single mail */
	ARRIVED_BAD,   /* it was one, but cannot be read, or is too long */
};

/* Reports of TLS may tell of several domains: one of the list for each.  It lives in the
 * arena (of DMARC_REPORT_ARENA_MAX), and borrows bytes.  Takes up to a second of a
 * report that is as long as may be; does not suspend. */
enum arrived arrived_read(struct str bytes, struct arena *arena, struct kept **list,
			  size_t *count);
