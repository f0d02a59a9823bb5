/* Whether a domain lets a client send its mail: check_host() of SPF (RFC 7208 §4), for
 * the name in HELO and for the sender in MAIL FROM.
 *
 * What cannot be told now is SPF_TEMPERROR and decides nothing.  That is also so for
 * answers whose DNSSEC signatures are wrong: a validating server answers SERVFAIL for
 * them (RFC 4035 §5.5), which is a temperror (RFC 7208 §4.4, §5).
 */
#pragma once

#include "mailauth/dns_lookup.h"
#include "wire/auth/spf.h"

enum {
	SPF_LOOKUP_TERMS_MAX = 10, /* RFC 7208 §4.6.4 */
	SPF_VOIDS_MAX = 2,         /* RFC 7208 §4.6.4; each term counts once */
	SPF_HOSTS_MAX = 10,        /* of one "mx"; RFC 7208 §4.6.4 */
	SPF_SECONDS = 20, /* then nothing is asked any more; RFC 7208 §4.6.4: at least */
};

enum spf_identity { SPF_HELO, SPF_MAIL_FROM };

struct spf_query {
	struct ip ip;
	struct str helo;     /* as the client said it */
	struct str sender;   /* the reverse-path without brackets, its domain in A-labels;
				"" is the null one, for which HELO stands in (RFC 7208
				§2.4) */
	struct str receiver; /* our name; "" is "unknown" */
};

struct spf_verdict {
	enum spf_result result;
	struct str domain;      /* that was asked about, without a final dot */
	struct str record_of;   /* whose record decided: another after "redirect"; "" */
	struct str mechanism;   /* that matched, as written: "-all"; "" if none did */
	struct str explanation; /* of FAIL, by the domain: plain ASCII, a stranger's
				   words; "" if it gave none */
	struct str why;         /* of NONE, TEMPERROR and PERMERROR, in words */
	unsigned lookups;       /* terms evaluated that ask the DNS (RFC 7208 §4.6.4) */
	struct str sentence;    /* the verdict for people */
};

/* Slices live in arena or borrow from query.  May suspend, for SPF_SECONDS. */
void spf_check(const struct dns_lookup *lookup, const struct spf_query *query,
	       enum spf_identity identity, struct arena *arena,
	       struct spf_verdict *verdict);
