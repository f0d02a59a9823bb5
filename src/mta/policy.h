/* What TLS is wanted where, asked and remembered: TLSA records (DANE), MTA-STS policies
 * (fetched, and kept in the system account's small pairs), and what came of it (TLS-RPT,
 * src/mta/tls_report.h).  The decision itself is src/mailauth/tls_policy.h.
 */
#pragma once

#include "mailauth/tls_policy.h"

struct fetch;
struct policy;
struct resolver;
struct store;

struct policy_options {
	struct store *store;
	struct resolver *resolver;
	struct fetch *fetch; /* NULL: nothing is fetched, and MTA-STS is not heeded */
	unsigned uses;       /* enum tls_use */
	bool is_reporting;   /* results are counted, and reported once a day */
	struct str hostname; /* ours */
};

/* Options are copied but for the slices, which must stay. */
struct policy *policy_open(const struct policy_options *options);
/* After the tasks that use it have ended. */
void policy_close(struct policy **policy);

/* What is asked once for a next hop; slices live in the arena. */
struct policy_hop {
	struct tls_hop hop;
	struct mta_sts_policy sts;
	struct str sts_text; /* as it was fetched, for the report; "" without one */
};
/* May suspend, up to 80 s when an MTA-STS policy must be fetched first.  is_mx_secure:
 * the list of hosts, or that there is none, was signed. */
void policy_hop(struct policy *policy, struct str domain, struct str expanded,
		bool is_mx_secure, struct arena *arena, struct policy_hop *hop);
/* May suspend (DNS).  Ask before connecting to each host, with the port it will be. */
void policy_host(struct policy *policy, const struct policy_hop *hop, struct str host,
		 uint16_t port, enum tls_wish wish, struct arena *arena,
		 struct tls_demand *demand);

/* What came of one connection that was tried for it; nothing is waited for.  Call it
 * once a connection: after TLS (or its failure, or that it was not offered), or when the
 * demand said LATER or NEVER. */
struct policy_result {
	enum tls_flaw flaw; /* demand->flaw, or the outcome's, or NOT_OFFERED */
	struct str host;    /* the MX host */
	struct str address; /* where it was reached; or "" */
	struct str local;   /* from where; or "" */
	struct str why;     /* more in words; or "" */
};
void policy_result(struct policy *policy, const struct policy_hop *hop,
		   const struct tls_demand *demand, const struct policy_result *result);
