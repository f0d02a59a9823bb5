/* What is kept of reports about one domain, summed up for the verbs that tell of it. */
#pragma once

#include "ctl/report_source.h"

struct ctl;

enum {
	REPORT_DAYS = 30,  /* that are looked at, unless --days says another number */
	REPORT_WEEKS = 60, /* 400 days and a bit */
	REPORT_FAILURES_MAX = 32,
	REPORT_SOURCES_MAX = 100000,
};

struct report_week {
	uint64_t mails, aligned, sessions, failed;
};

/* TLS sessions that failed alike. */
struct report_failure {
	struct str type;
	uint64_t sessions;
};

struct report_evidence {
	struct ctl *ctl;
	int64_t from; /* what is older is not looked at */
	size_t dmarc_reports, tls_reports;
	int64_t begin, end; /* of the first and of the last report of DMARC */
	struct str policy;  /* that the last of them found */
	struct report_source *sources, all;
	size_t count, room;
	uint64_t other_good, other_bad; /* mails of no source that is told */
	struct report_week weeks[REPORT_WEEKS];
	int64_t first_week; /* number of weeks[0] */
	uint64_t sessions, failed;
	struct report_failure failures[REPORT_FAILURES_MAX];
	size_t failure_count;
};

/* False, and said: the store cannot be read, or --days is no number.  May suspend. */
bool report_evidence_load(struct ctl *ctl, struct str domain,
			  struct report_evidence *evidence);
void report_evidence_fini(struct report_evidence *evidence);
/* The Monday that weeks[i] begins with, as seconds since 1970. */
int64_t report_week_begin(const struct report_evidence *evidence, size_t i);
