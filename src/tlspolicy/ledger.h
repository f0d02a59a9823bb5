/* Counts what came of TLS with each domain's servers, and reports once a day to those
 * that want it (TLS-RPT, RFC 8460).  Counts gather in memory for a minute, and are then
 * added to the store:
 *
 *   t/rpt/DAY/DOMAIN   as tlspolicy/rpt.h has it
 *
 * A domain's day is reported once, whatever dies (report/journal.h).  What is posted by
 * HTTPS may come twice, under the same report id, if we die before the commit.
 */
#pragma once

#include "tlspolicy/policy.h"

struct ledger;
struct store_op;

struct ledger_options {
	struct store *store;
	struct resolver *resolver;
	struct fetch *fetch;
	struct str hostname;  /* ours */
	struct str submitter; /* the domain that reports, and signs: RFC 8460 §3 */
	unsigned interval_s;  /* a day; tests have shorter ones */
	/* Makes of a mail from <> the operation that queues it; all it leads to lives in
	 * the arena.  May suspend.  False: cannot be said now, or that address is none.
	 */
	bool (*letter)(void *arg, struct str to, struct str mail, struct arena *arena,
		       struct store_op *op);
	void *arg;
};

/* Options are copied but for what they lead to. */
struct ledger *ledger_open(const struct ledger_options *options);
/* After the last task has ended; what is still in memory is lost. */
void ledger_close(struct ledger **ledger);
/* A task's body: writes down, and reports.  Ends when canceled. */
void ledger_task(void *ledger);
/* May suspend.  What is in memory goes to the store; what is due is reported. */
void ledger_write(struct ledger *ledger);
void ledger_report(struct ledger *ledger);

/* What came of one connection that was tried for mail.  Never suspends.  Call it once a
 * connection: after TLS (or its failure, or that it was not offered), or when the demand
 * said LATER or NEVER.  Not for mail that is itself a report (RFC 8460 §3). */
struct ledger_result {
	enum tls_flaw flaw; /* NONE: good */
	struct str host;    /* the MX host */
	struct str address; /* where it was reached; or "" */
	struct str local;   /* from where; or "" */
	struct str why;     /* more in words; or "" */
};
void ledger_add(struct ledger *ledger, const struct policy_hop *hop,
		const struct tls_demand *demand, const struct ledger_result *result);
/* The policy of the hop could not be had, if so (sts_flaw).  Once a hop. */
void ledger_add_hop(struct ledger *ledger, const struct policy_hop *hop);
