/* Whether what a domain should have in the DNS is there, record by record. */
#pragma once

#include "mailauth/dns_lookup.h"
#include "publish/plan.h"

struct policy;

enum publish_state {
	PUBLISH_RIGHT,
	PUBLISH_MISSING,
	PUBLISH_WRONG,    /* something else is there */
	PUBLISH_UNKNOWN,  /* cannot tell now */
	PUBLISH_OPTIONAL, /* not there, and not needed */
};
/* "right", "missing", "wrong", "cannot tell now", "not needed" */
const char *publish_state_name(enum publish_state state);

struct publish_finding {
	enum publish_kind kind;
	enum publish_state state;
	struct str name;
	struct str found;    /* what is there, as in a zone file; "" */
	struct str wanted;   /* what should be, likewise */
	enum dns_type type;  /* of both */
	struct str sentence; /* for people */
	/* What to paste; NULL if nothing is. */
	const struct publish_record *record;
};

struct publish_report {
	struct publish_finding *findings;
	size_t count;
	unsigned right, missing, wrong, unknown;
	struct str verdict; /* one sentence */
};

struct publish_asker {
	struct dns_lookup lookup;
	struct policy *policy; /* fetches the policy of MTA-STS; NULL: nobody does */
	struct str hello;      /* how this server calls itself when it sends */
};

/* Asks for all of it at a time; may suspend, as long as the lookup and the policy do.
 * Slices live in arena, or borrow from the plan.  False: the arena is full. */
[[nodiscard]] bool publish_check(const struct publish_asker *asker,
				 const struct publish_plan *plan, struct arena *arena,
				 struct publish_report *report);
