#include "ctl/report_evidence.h"

#include "base/mem.h"
#include "base/num.h"
#include "ctl/word.h"
#include "report/kept.h"
#include "rt/clock.h"

enum {
	DAY_S = 86400,
	WEEK_DAYS = 7,
	MONDAY = 3, /* days from a Monday to the first of 1970 */
};

static int64_t week_of(int64_t at)
{
	return (at / DAY_S + MONDAY) / WEEK_DAYS;
}

int64_t report_week_begin(const struct report_evidence *evidence, size_t i)
{
	return ((evidence->first_week + (int64_t)i) * WEEK_DAYS - MONDAY) * DAY_S;
}

static struct report_week *week_at(struct report_evidence *evidence, int64_t at)
{
	int64_t week = week_of(at) - evidence->first_week;

	week = week < 0 ? 0 : week;
	return &evidence->weeks[num_min((uint64_t)week, REPORT_WEEKS - 1)];
}

static struct str copy(struct report_evidence *evidence, struct str text)
{
	struct str made;

	return arena_copy(&evidence->ctl->arena, text, &made) ? made : STR("");
}

/* ---- DMARC ------------------------------------------------------------------------- */

static void add_source(struct report_evidence *evidence, const struct kept_row *row)
{
	bool is_good = kept_is_aligned(row);
	struct report_source source = {
		.ip = row->source,
		.count = row->count,
		.aligned = is_good ? row->count : 0,
		.dkim = row->is_dkim_aligned ? row->count : 0,
		.spf = row->is_spf_aligned ? row->count : 0,
		.quarantined = row->fate == KEPT_QUARANTINED ? row->count : 0,
		.rejected = row->fate == KEPT_REJECTED ? row->count : 0};

	report_source_add(&evidence->all, &source);
	if (evidence->count == REPORT_SOURCES_MAX)
		evidence->count =
			report_sources_merge(evidence->sources, evidence->count);
	if (evidence->count == REPORT_SOURCES_MAX ||
	    !arena_copy(&evidence->ctl->arena, row->source, &source.ip)) {
		evidence->other_good = report_sum(evidence->other_good, source.aligned);
		evidence->other_bad =
			report_sum(evidence->other_bad, report_source_lost(&source));
		return;
	}
	if (!is_good) {
		source.dkim_domain = copy(evidence, row->dkim);
		source.spf_domain = copy(evidence, row->spf);
		source.why = copy(evidence, row->why);
	}
	MEM_ROOM(evidence->sources, evidence->count, evidence->room);
	evidence->sources[evidence->count++] = source;
}

static void add_dmarc(struct report_evidence *evidence, const struct kept *kept)
{
	struct report_week *week = week_at(evidence, kept->begin);
	const struct report_source others = {
		.count = report_sum(kept->other_good, kept->other_bad),
		.aligned = kept->other_good};

	for (size_t i = 0; i < kept->count; i++)
		add_source(evidence, &kept->rows[i]);
	report_source_add(&evidence->all, &others);
	evidence->other_good = report_sum(evidence->other_good, kept->other_good);
	evidence->other_bad = report_sum(evidence->other_bad, kept->other_bad);
	week->mails = report_sum(week->mails, report_sum(kept->good, kept->bad));
	week->aligned = report_sum(week->aligned, kept->good);
	if (evidence->dmarc_reports++ == 0)
		evidence->begin = kept->begin; /* they come in the order of days */
	if (kept->end >= evidence->end) {
		evidence->end = kept->end;
		evidence->policy = copy(evidence, kept->policy);
	}
}

/* ---- TLS --------------------------------------------------------------------------- */

static void add_failure(struct report_evidence *evidence, struct str type,
			uint64_t sessions)
{
	size_t i = 0;

	while (i < evidence->failure_count && !str_same(evidence->failures[i].type, type))
		i++;
	if (i == evidence->failure_count) {
		if (i == REPORT_FAILURES_MAX)
			return; /* strangers' words; the sum has them */
		evidence->failures[evidence->failure_count++] =
			(struct report_failure){copy(evidence, type), 0};
	}
	evidence->failures[i].sessions =
		report_sum(evidence->failures[i].sessions, sessions);
}

static void add_tls(struct report_evidence *evidence, const struct kept *kept)
{
	struct report_week *week = week_at(evidence, kept->begin);
	uint64_t sessions = report_sum(kept->good, kept->bad);

	evidence->tls_reports++;
	evidence->sessions = report_sum(evidence->sessions, sessions);
	evidence->failed = report_sum(evidence->failed, kept->bad);
	week->sessions = report_sum(week->sessions, sessions);
	week->failed = report_sum(week->failed, kept->bad);
	for (size_t i = 0; i < kept->count; i++)
		add_failure(evidence, kept->rows[i].why, kept->rows[i].count);
}

/* ---- all --------------------------------------------------------------------------- */

static void add(void *arg, const struct kept *kept)
{
	switch (kept->kind) {
	case KEPT_DMARC:
		add_dmarc(arg, kept);
		return;
	case KEPT_TLS:
		add_tls(arg, kept);
		return;
	}
}

bool report_evidence_load(struct ctl *ctl, struct str domain,
			  struct report_evidence *evidence)
{
	uint64_t days = REPORT_DAYS;

	*evidence = (struct report_evidence){.ctl = ctl};
	if ((ctl->options & CTL_DAYS) &&
	    (!num_parse(str_c(ctl_value(ctl, CTL_DAYS)), KEPT_DAYS, &days) ||
	     days == 0)) {
		ctl_fail(ctl,
			 "\"%s\" is no number of days from 1 to %d.\nNothing was "
			 "changed.\nReports are kept for so long.",
			 ctl_value(ctl, CTL_DAYS), KEPT_DAYS);
		return false;
	}
	evidence->from = (clock_s() / DAY_S - (int64_t)days) * DAY_S;
	evidence->first_week = week_of(evidence->from);
	if (!kept_each(ctl->store, domain, evidence->from, add, evidence)) {
		ctl_fail(ctl, "The reports that are kept cannot be read now.\nNothing "
			      "was changed.\nTry again in a minute; the server's log "
			      "says why.");
		report_evidence_fini(evidence);
		return false;
	}
	evidence->count = report_sources_merge(evidence->sources, evidence->count);
	return true;
}

void report_evidence_fini(struct report_evidence *evidence)
{
	mem_free(evidence->sources);
	evidence->sources = NULL;
}
