/* Whom the checks of a mail ask about the DNS: the resolver, or, in tests, somebody who
 * makes answers up. */
#pragma once

#include "resolver/resolver.h"
#include "wire/dns/ip.h"

enum { DNS_SCRATCH_BYTES = 512 * 1024 }; /* what an arena for one answer needs */

struct dns_lookup {
	/* As resolver_ask(); may suspend. */
	void (*ask)(void *context, struct str name, enum dns_type type,
		    struct arena *arena, struct dns_answer *answer);
	void *context;
};

struct dns_lookup dns_lookup_by(struct resolver *resolver);

/* Asks for the addresses of a name, of ip's kind; *has: the first bits of one are those
 * of ip.  NONE: there are none.  May suspend; resets scratch. */
enum dns_outcome dns_lookup_has_ip(const struct dns_lookup *lookup, struct str name,
				   const struct ip *ip, unsigned bits,
				   struct arena *scratch, bool *has);
