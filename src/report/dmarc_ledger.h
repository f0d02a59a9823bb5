/* Counts what came in the name of each domain that asks for it, and reports once a day
 * (DMARC, RFC 9990).  Counts gather in memory for a minute, and are then added to the
 * store, each process its own:
 *
 *   r/dmarc/DAY/DOMAIN/SEAT   as report/dmarc_book.h has it; SEAT is the process's number
 *
 * One process reports for all, once a domain and day, whatever dies (report/journal.h).
 */
#pragma once

#include "mailauth/dns_lookup.h"
#include "report/dmarc_book.h"

struct dmarc_ledger;
struct mailauth_facts;
struct mailauth_verdicts;
struct store;
struct store_op;

enum { DMARC_SEATS_MAX = 64 };

struct dmarc_ledger_options {
	struct store *store;
	struct dns_lookup lookup;
	struct str hostname;  /* ours */
	struct str submitter; /* the domain that reports, and signs */
	unsigned interval_s;  /* a day; tests have shorter ones */
	unsigned seat;        /* below DMARC_SEATS_MAX; 0 reports */
	/* Makes of a mail from <> the operation that queues it; all it leads to lives in
	 * the arena.  May suspend.  False: cannot be said now, or that address is none.
	 */
	bool (*letter)(void *arg, struct str to, struct str mail, struct arena *arena,
		       struct store_op *op);
	void *arg;
};

/* Options are copied but for what they lead to. */
struct dmarc_ledger *dmarc_ledger_open(const struct dmarc_ledger_options *options);
/* After the last task has ended; what is still in memory is lost. */
void dmarc_ledger_close(struct dmarc_ledger **ledger);
/* A task's body: writes down, and reports.  Ends when canceled. */
void dmarc_ledger_task(void *ledger);
/* May suspend.  What is in memory goes to the store; what is due is reported. */
void dmarc_ledger_write(struct dmarc_ledger *ledger);
void dmarc_ledger_report(struct dmarc_ledger *ledger);

/* The facts of a mail whose judgement names a policy domain; false, and no facts, else.
 * Everything borrows, or lives in arena.  disposition: what was done ("none", "pass",
 * "quarantine", "reject"); override: why that is milder than the policy, or "". */
[[nodiscard]] bool dmarc_facts_of(const struct mailauth_facts *mail,
				  const struct mailauth_verdicts *verdicts,
				  struct str disposition, struct str override,
				  struct arena *arena, struct dmarc_facts *facts);
/* One mail that was judged.  Never suspends.  Not for mail that is itself a report, and
 * not where the answer was "cannot tell now": it will come again. */
void dmarc_tally(struct dmarc_ledger *ledger, const struct dmarc_facts *facts);
