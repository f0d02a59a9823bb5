/* Tells domains that ask for it of single mails in their name that failed to prove it
 * (DMARC, RFC 9991): so many an hour, after the mail's sender has the answer, one at a
 * time, at addresses that agreed.  What finds no room, or cannot be told now, is left
 * out; once it is queued it is sent like other mail. */
#pragma once

#include "report/failure.h"

struct failures;
struct store;
struct store_op;

enum { FAILURES_WAITING_MAX = 32 };

struct failures_options {
	struct store *store;
	struct dns_lookup lookup;
	struct str hostname;  /* ours */
	struct str submitter; /* the domain that reports, and signs */
	unsigned hourly_max;  /* for each domain; hourly.h has a limit for all */
	/* As of struct dmarc_ledger_options. */
	bool (*letter)(void *arg, struct str to, struct str mail, struct arena *arena,
		       struct store_op *op);
	void *arg;
};

/* Options are copied but for what they lead to. */
struct failures *failures_open(const struct failures_options *options);
/* After the last task has ended. */
void failures_close(struct failures **failures);
/* A mail that was judged for good: not one that will come again.  Copies what it needs;
 * does not suspend.  NULL does nothing. */
void failures_offer(struct failures *failures, const struct failure_event *event);
