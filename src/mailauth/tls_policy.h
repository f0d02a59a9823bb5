/* What TLS an outgoing mail wants from one mail host of the next hop: DANE (RFC 7672),
 * MTA-STS (RFC 8461), REQUIRETLS and TLS-Required (RFC 8689).
 *
 * A pure decision from answers that somebody else has got (src/mta/policy.h asks).  DANE
 * goes before MTA-STS (RFC 8461 §2); without either, TLS is opportunistic (RFC 7435):
 * tried, unverified, and clear text if it fails.  Names are A-labels in lower case
 * without the final dot.  Slices of a demand borrow from what was given, or live in the
 * arena.
 */
#pragma once

#include "net/tls.h"
#include "wire/auth/mta_sts.h"

/* What was learnt by one question to the DNS. */
enum tls_known {
	TLS_KNOWN_NONE,    /* there is no such thing, or only without signatures */
	TLS_KNOWN,         /* signed, and the signatures are good */
	TLS_KNOWN_BOGUS,   /* the signatures are wrong */
	TLS_KNOWN_NOT_NOW, /* no answer */
};

/* The next hop, the same for all of its hosts. */
struct tls_hop {
	struct str domain;   /* of the recipient, or the relay that was set */
	struct str expanded; /* what it is an alias of, if that was signed; or "" */
	enum tls_known mx;   /* the list of hosts: TLS_KNOWN if it was signed */
	const struct mta_sts_policy *sts; /* NULL: there is none that holds */
};

struct tls_host {
	struct str name;        /* as the MX record has it; without one, the domain */
	struct str expanded;    /* where its addresses are, behind aliases */
	enum tls_known address; /* its addresses, all aliases included */
	enum tls_known alias;   /* if it is one: its own CNAME record */
	struct str base;        /* the TLSA base domain, whose records these are: */
	enum tls_known tlsa;    /* at _25._tcp.BASE */
	const struct dns_tlsa *records;
	size_t record_count;
};

/* The TLSA base domains to ask at, best first; 0 if DANE does not apply.  Looks at the
 * fields before base only.  RFC 7672 §2.2.2, §2.2.3. */
size_t tls_host_bases(const struct tls_hop *hop, const struct tls_host *host,
		      struct str bases[2]);

/* What the message itself wants. */
enum tls_wish {
	TLS_WISH_NONE,     /* also of notifications (<>) that would have REQUIRETLS: it
			      must not stop them (RFC 8689 §5) */
	TLS_WISH_REQUIRED, /* REQUIRETLS */
	TLS_WISH_OPTIONAL, /* TLS-Required: No */
};
enum tls_use { TLS_USE_DANE = 1, TLS_USE_STS = 2 }; /* settings: what is heeded */

enum tls_verdict {
	TLS_HOST_GOOD,  /* connect, and heed the rest */
	TLS_HOST_LATER, /* not this host now: go on to the next, or try again later */
	TLS_HOST_NEVER, /* not this mail to this host: if to none, it comes back */
};
enum tls_need {
	TLS_MAY,  /* try; clear text if it is not offered or fails */
	TLS_MUST, /* nothing is said without; the certificate does not matter */
	TLS_MUST_BE_VERIFIED /* and only if the certificate is verified */
};
enum tls_policy_kind { TLS_POLICY_NONE, TLS_POLICY_STS, TLS_POLICY_TLSA };
/* "no-policy-found", "sts", "tlsa": RFC 8460 §4.4. */
const char *tls_policy_kind_name(enum tls_policy_kind kind);

struct tls_demand {
	enum tls_verdict verdict;
	enum tls_need need;
	/* For conn_starttls_peer(); it says what was wrong, and fails only if need is
	 * TLS_MUST_BE_VERIFIED.  Checked also where it binds nobody (testing,
	 * TLS-Required: No), for the report. */
	struct tls_peer peer;
	bool is_requiretls; /* it must offer REQUIRETLS after TLS, and MAIL says it;
			       without: 5.7.30 (RFC 8689 §4.2.1) */
	enum tls_policy_kind kind; /* for the report */
	enum tls_flaw flaw;        /* what is wrong already: LATER, NEVER, or testing */
	const char *status; /* LATER, NEVER, and when need cannot be met: "4.7.5" ... */
	struct str reason;  /* in words, for the log and the queue */
};

void tls_policy_decide(const struct tls_hop *hop, const struct tls_host *host,
		       enum tls_wish wish, unsigned uses, struct arena *arena,
		       struct tls_demand *demand);
