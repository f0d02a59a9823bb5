/* Whom the checks of a mail ask about the DNS: the resolver, or, in tests, somebody who
 * makes answers up. */
#pragma once

#include "resolver/resolver.h"
#include "rt/errands.h"
#include "wire/dns/ip.h"

enum { DNS_SCRATCH_BYTES = 512 * 1024 }; /* what an arena for one answer needs */

struct dns_lookup {
	/* As resolver_ask_until(); may suspend. */
	void (*ask)(void *context, const struct dns_question *question,
		    struct arena *arena, struct dns_answer *answer);
	void *context;
	/* As resolver_recall(), which does not; NULL: nothing is at hand. */
	bool (*recall)(void *context, const struct dns_question *question,
		       struct arena *arena, struct dns_answer *answer);
	/* Then nothing is asked any more, and nobody waits: what is not at hand is
	 * UNKNOWN.  0: no bound of its own. */
	deadline_t until;
};

struct dns_lookup dns_lookup_by(struct resolver *resolver);
/* The same, for so many seconds from now at most. */
struct dns_lookup dns_lookup_within(const struct dns_lookup *lookup, unsigned seconds);

/* As the lookup has it, within its time. */
void dns_ask(const struct dns_lookup *lookup, struct str name, enum dns_type type,
	     struct arena *arena, struct dns_answer *answer);

/* For errands: the same lookup, but whoever has to wait for an answer lets the other
 * errands begin. It and what it leads to live until the errands have ended. */
struct dns_errands {
	const struct dns_lookup *given;
	struct errands *errands;
};
struct dns_lookup dns_errands_lookup(struct dns_errands *dns);

/* Asks for the addresses of a name, of ip's kind; *has: the first bits of one are those
 * of ip.  NONE: there are none.  May suspend; resets scratch. */
enum dns_outcome dns_lookup_has_ip(const struct dns_lookup *lookup, struct str name,
				   const struct ip *ip, unsigned bits,
				   struct arena *scratch, bool *has);
