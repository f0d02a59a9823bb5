/* The DNS as the others see it: questions to the resolver process, which validates with
 * DNSSEC and remembers answers; the last of them are kept here, too (resolver/cache.h).
 * Calls may suspend, up to 20 s.
 *
 * There are four answers, and the difference between the last three decides about mail:
 * NONE is a fact, BOGUS is a lie or a broken zone, UNKNOWN is no answer at all.  Nothing
 * is bounced or refused for good because of the last two.
 */
#pragma once

#include "base/arena.h"
#include "rt/task.h"
#include "wire/dns/rdata.h"

struct resolver;

enum dns_outcome {
	DNS_FOUND,
	DNS_NONE,    /* no such name, or no such records there */
	DNS_BOGUS,   /* its signatures are wrong (DNSSEC) */
	DNS_UNKNOWN, /* cannot tell now: servers do not answer or fail */
};

struct dns_answer {
	enum dns_outcome outcome;
	bool is_secure;      /* signed, and the signatures are good; of NONE as well */
	bool is_name_gone;   /* NONE: there is no such name at all (NXDOMAIN) */
	uint32_t ttl_s;      /* how long it holds */
	struct str name;     /* where the records are, behind aliases (CNAME) */
	struct str *records; /* the data of each, in wire form (wire/dns/rdata.h) */
	size_t count;
	struct str why; /* BOGUS, UNKNOWN: in words */
};

struct dns_question {
	struct str name; /* in ASCII (A-labels), with or without the final dot */
	enum dns_type type;
	deadline_t until; /* then nobody waits for the answer; NEVER: 20 s */
};

/* fd is a channel to the resolver process, owned from here on; -1: not yet. */
struct resolver *resolver_open(int fd);
void resolver_close(struct resolver **resolver);
void resolver_reconnect(struct resolver *resolver, int fd);

/* A name that cannot be a domain name is NONE.  Slices of the answer live in arena; if it
 * is too small, UNKNOWN. */
void resolver_ask_until(struct resolver *resolver, const struct dns_question *question,
			struct arena *arena, struct dns_answer *answer);
/* The same, waiting for 20 s. */
void resolver_ask(struct resolver *resolver, struct str name, enum dns_type type,
		  struct arena *arena, struct dns_answer *answer);
/* The same, if the answer is at hand: it does not suspend. */
[[nodiscard]] bool resolver_recall(struct resolver *resolver,
				   const struct dns_question *question,
				   struct arena *arena, struct dns_answer *answer);

/* "found", "none", "bogus", "unknown" */
const char *dns_outcome_name(enum dns_outcome outcome);
