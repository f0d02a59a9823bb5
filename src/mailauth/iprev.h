/* The names of an address that lead back to it: iprev (RFC 8601 §3), and what SPF's "ptr"
 * and "%{p}" go by (RFC 7208 §5.5). */
#pragma once

#include "mailauth/dns_lookup.h"

enum { IPREV_NAMES_MAX = 10 }; /* RFC 7208 §4.6.4; the others are not looked at */

/* RFC 8601 §2.7.3 */
enum iprev_result {
	IPREV_PASS,
	IPREV_FAIL,      /* it has names, and none leads back */
	IPREV_TEMPERROR, /* cannot tell now */
	IPREV_PERMERROR, /* it has no name */
};
const char *iprev_result_name(enum iprev_result result);

struct iprev {
	enum iprev_result result;
	struct str names[IPREV_NAMES_MAX]; /* that lead back; in the DNS's order */
	size_t count;
};

/* Names live in arena.  May suspend, for as long as eleven questions take. */
void iprev_check(const struct dns_lookup *lookup, const struct ip *ip,
		 struct arena *arena, struct iprev *iprev);
