/* Whom a person at the command line asks about the DNS: many questions one after the
 * other, and none any more once it is plain that nobody answers.
 *
 * After DNS_PATIENCE_QUESTIONS in a row of which each waited DNS_PATIENCE_MS or more and
 * got no answer, all others are UNKNOWN at once.
 */
#pragma once

#include "mailauth/dns_lookup.h"

enum { DNS_PATIENCE_QUESTIONS = 2, DNS_PATIENCE_MS = 3000 };

struct dns_patience {
	struct dns_lookup lookup;
	unsigned silent; /* questions in a row that nobody answered */
};

/* Who is patient lives as long as the lookup is used; start with {.lookup = ...}. */
struct dns_lookup dns_patience_lookup(struct dns_patience *patience);
