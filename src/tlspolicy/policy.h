/* What TLS is wanted where, asked and remembered: TLSA records (DANE) and MTA-STS
 * policies, which are fetched and kept in the system account's small pairs.  The decision
 * itself is src/mailauth/tls_policy.h; what came of it is counted by tlspolicy/ledger.h.
 *
 *   t/sts/DOMAIN   u8 version 1, string id, u64 fetched at, string text: a policy
 */
#pragma once

#include "mailauth/tls_policy.h"
#include "rt/task.h"

struct fetch;
struct policy;
struct resolver;
struct store;

struct policy_options {
	struct store *store; /* NULL: nothing is remembered */
	struct resolver *resolver;
	struct fetch *fetch; /* NULL: MTA-STS is not heeded */
	unsigned uses;       /* enum tls_use */
	uint16_t sts_port;   /* 443 */
	deadline_t until;    /* then nobody waits any more; 0: as below */
};

struct policy *policy_open(const struct policy_options *options);
/* After the tasks that use it have ended. */
void policy_close(struct policy **policy);

/* What is asked once for a next hop; slices live in the arena. */
struct policy_hop {
	struct tls_hop hop; /* hop.sts leads to the next, so this must not move */
	struct mta_sts_policy sts;
	struct str sts_text;    /* as it was fetched; "" without one */
	enum tls_flaw sts_flaw; /* of fetching it: for the report */
	struct str sts_why;
};
/* May suspend, up to 80 s when an MTA-STS policy must be fetched first.  mx is KNOWN if
 * the list of hosts, or that there is none, was signed.  expanded: what the domain is an
 * alias of. */
void policy_hop(struct policy *policy, struct str domain, struct str expanded,
		enum tls_known mx, struct arena *arena, struct policy_hop *hop);
/* May suspend (DNS).  Ask before connecting to each host, with the port it will be. */
void policy_host(struct policy *policy, const struct policy_hop *hop, struct str host,
		 uint16_t port, enum tls_wish wish, struct arena *arena,
		 struct tls_demand *demand);
