/* The addresses that mail in a domain's name came from, as reports of DMARC have it. */
#pragma once

#include "base/str.h"

struct ctl;
struct json_t;

enum { REPORT_SOURCES_SHOWN = 200 };

struct report_source {
	struct str ip;
	uint64_t count, aligned, dkim, spf, quarantined, rejected; /* to INT64_MAX */
	/* Of those that failed: domains that were proved instead, and why a receiver let
	 * some in; "" if there is none. */
	struct str dkim_domain, spf_domain, why;
};

/* Numbers of strangers: to INT64_MAX. */
uint64_t report_sum(uint64_t a, uint64_t b);
static inline uint64_t report_source_lost(const struct report_source *source)
{
	return source->count - source->aligned;
}
void report_source_add(struct report_source *to, const struct report_source *more);
/* One for each address, those with most mails that failed first; returns how many. */
size_t report_sources_merge(struct report_source *list, size_t count);
/* A line. */
void report_source_say(struct ctl *ctl, const struct report_source *source);
struct json_t *report_source_json(const struct report_source *source);
