/* What came in the name of other domains, for the reports of report/dmarc_ledger.h and
 * report/failures.h: both, with mails that go into the queue. */
#pragma once

#include "report/dmarc_ledger.h"
#include "report/failures.h"

struct directory;
struct dkim_mailer;

struct tally_options {
	struct store *store;
	const struct directory *directory;
	const struct dkim_mailer *mailer; /* signs the reports */
	struct dns_lookup lookup;
	struct str hostname;
	bool is_reported;             /* dmarc.report */
	unsigned interval_s;          /* dmarc.report-interval */
	unsigned seat;                /* which deliverd we are; 0 reports */
	unsigned failures_hourly_max; /* dmarc.failure-reports; 0: nobody is told */
};

/* NULL if reports are not wanted.  *options and what it leads to must stay as long as the
 * ledger; its task is the caller's to start (dmarc_ledger_task), and then to close it. */
struct dmarc_ledger *dmarc_tally_open(const struct tally_options *options);
/* Likewise, but its tasks start by themselves. */
struct failures *failures_tally_open(const struct tally_options *options);
