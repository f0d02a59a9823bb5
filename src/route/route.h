/* Where a recipient leads.  A pure decision: it changes nothing.  May suspend. */
#pragma once

#include "base/arena.h"
#include "store/types.h"

struct directory;

enum route {
	ROUTE_LOCAL,   /* only mailboxes of ours */
	ROUTE_REMOTE,  /* somebody else's domain, named by the recipient itself */
	ROUTE_MIXED,   /* an alias that leads out as well */
	ROUTE_NOBODY,  /* our domain, but no such mailbox */
	ROUTE_UNKNOWN, /* cannot tell just now */
	ROUTE_LOOP,    /* an alias that never ends, or of too many */
	ROUTE_BACK,    /* to the sender of a mail that we passed on: for reports only */
	ROUTE_FORGED,  /* looks like such an address, and we did not make it */
	ROUTE_EXPIRED, /* we did, too long ago */
};

enum { ROUTE_TARGETS_MAX = 1000, ROUTE_ALIAS_DEPTH_MAX = 10 };

struct route_target {
	enum queue_kind kind;
	struct str address; /* after aliases */
	account_t account;  /* local */
};

/* Follows aliases to the end; each account or remote address once.  The slices live in
 * arena. */
enum route route_find(const struct directory *directory, struct str local,
		      struct str domain, struct arena *arena,
		      struct route_target **targets, size_t *count);
