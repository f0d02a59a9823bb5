/* Whether the name that a client gives itself in HELO or EHLO leads anywhere, and to it.
 * RFC 5321 §2.3.5, §4.1.4: that it does not is no reason to refuse a mail, only one to
 * think less of it. */
#pragma once

#include "mailauth/dns_lookup.h"

enum helo {
	HELO_OWN,       /* one of its addresses is the client's; or the literal is */
	HELO_OTHER,     /* it has addresses, all of others; or the literal is another's */
	HELO_NOWHERE,   /* there is no such name, or it has no address */
	HELO_MALFORMED, /* neither a domain name of two labels nor an address literal */
	HELO_UNKNOWN,   /* cannot tell now */
};
/* "own", "other", "nowhere", "malformed", "unknown" */
const char *helo_name(enum helo helo);

/* name is in A-labels.  May suspend, for as long as two questions take. */
enum helo helo_check(const struct dns_lookup *lookup, const struct ip *ip,
		     struct str name);
