/* Counts that are reported once a day to those that they are about: how they are kept as
 * small pairs of the store, when they are due, and that each is reported once, whatever
 * dies.  TLS-RPT (tlspolicy/ledger.h) and DMARC (report/dmarc_ledger.h) count in
 * different words; the rest is here.
 *
 *   PREFIX DAY/NAME   DAY in days since 1970, six digits; NAME begins with the domain
 *
 * The mails are queued and the pairs are deleted by one commit, whose key is made of
 * prefix, day and name.
 */
#pragma once

#include "store/store.h"

enum { JOURNAL_KEEP_DAYS = 2 /* a report that nobody takes: RFC 8460 §5.5 */ };

struct journal {
	struct store *store;
	struct str prefix;   /* "t/rpt/" */
	struct str hostname; /* ours; spreads the reports of the world */
	uint64_t interval_s; /* a day; tests have shorter ones */
};

/* A day that is over, of one name. */
struct journal_due {
	struct str key, value, name;
	int64_t day;
	int64_t begin, end; /* first and last second */
	uint64_t number;    /* the same for this day and name for ever */
	struct str id;      /* of the report: "DAY.NUMBER" */
	struct arena *arena;
};

enum journal_fate {
	JOURNAL_SENT,    /* journal_sent() was called */
	JOURNAL_USELESS, /* nobody wants it, or it cannot be read: it goes */
	JOURNAL_LATER,   /* tried again for JOURNAL_KEEP_DAYS */
};

int64_t journal_today(const struct journal *journal);
/* False once a day is reported: what is counted later is not. */
bool journal_is_open(const struct journal *journal, int64_t day);
struct str journal_key(const struct journal *journal, int64_t day, struct str name,
		       struct arena *arena);
/* May suspend.  True if there was one. */
bool journal_read(const struct journal *journal, struct str key, struct arena *arena,
		  struct str *value);
/* May suspend.  If it fails it is logged, and what was counted meanwhile is lost. */
void journal_write(const struct journal *journal, struct str key, struct str value);
/* May suspend.  Calls report for each that is due. */
void journal_report(const struct journal *journal,
		    enum journal_fate (*report)(void *arg, const struct journal_due *due),
		    void *arg);
/* May suspend.  Commits the mails, and the deletion of the pairs that they tell of; ops
 * has room for key_count more.  name is what is reported once. */
bool journal_sent(const struct journal *journal, int64_t day, struct str name,
		  struct store_op *ops, size_t op_count, const struct str *keys,
		  size_t key_count, struct arena *arena);
/* A task's body: calls write(arg) once a minute, report(arg) once an hour, as far as the
 * interval is a day.  Ends when canceled. */
void journal_run(const struct journal *journal, void (*write)(void *arg),
		 void (*report)(void *arg), void *arg);
