#include <jansson.h>

#include "base/num.h"
#include "ctl/report_evidence.h"
#include "ctl/report_say.h"

static struct str day(struct ctl *ctl, int64_t at)
{
	return str_first(report_moment(ctl, at), 10);
}

static void say_nothing(struct ctl *ctl, struct str domain)
{
	buf_printf(&ctl->out,
		   "No report about %.*s is kept of that time.\nThey come if its _dmarc "
		   "and _smtp._tls records ask for them (rua), and are kept\nif that "
		   "address is report.address, or by \"postrider report keep\".\n",
		   STR_FMT(domain));
}

static void say_sources(struct ctl *ctl, const struct report_evidence *evidence)
{
	const struct report_source *all = &evidence->all;

	buf_printf(&ctl->out,
		   "DMARC: %zu reports, from %.*s to %.*s, of p=%.*s\n"
		   "%llu mails from %zu sources: %llu aligned, %llu not\n",
		   evidence->dmarc_reports, STR_FMT(day(ctl, evidence->begin)),
		   STR_FMT(day(ctl, evidence->end)),
		   STR_FMT(report_shown(ctl, evidence->policy)),
		   (unsigned long long)all->count, evidence->count,
		   (unsigned long long)all->aligned,
		   (unsigned long long)report_source_lost(all));
	for (size_t i = 0; i < num_min(evidence->count, REPORT_SOURCES_SHOWN); i++)
		report_source_say(ctl, &evidence->sources[i]);
	if (evidence->count > REPORT_SOURCES_SHOWN)
		buf_printf(&ctl->out, "  and %zu sources more; --json has them all\n",
			   evidence->count - REPORT_SOURCES_SHOWN);
	if (evidence->other_good + evidence->other_bad > 0)
		buf_printf(&ctl->out, "  other sources: %llu mails aligned, %llu not\n",
			   (unsigned long long)evidence->other_good,
			   (unsigned long long)evidence->other_bad);
}

static void say_weeks(struct ctl *ctl, const struct report_evidence *evidence)
{
	buf_add(&ctl->out, STR("By week, from each Monday:\n"));
	for (size_t i = 0; i < REPORT_WEEKS; i++) {
		const struct report_week *week = &evidence->weeks[i];

		if (week->mails == 0 && week->sessions == 0)
			continue;
		buf_printf(&ctl->out,
			   "  %.*s: %llu mails, %llu not aligned; %llu sessions of TLS, "
			   "%llu failed\n",
			   STR_FMT(day(ctl, report_week_begin(evidence, i))),
			   (unsigned long long)week->mails,
			   (unsigned long long)(week->mails - week->aligned),
			   (unsigned long long)week->sessions,
			   (unsigned long long)week->failed);
	}
}

static void say_tls(struct ctl *ctl, const struct report_evidence *evidence)
{
	buf_printf(&ctl->out, "TLS: %zu reports; %llu sessions good, %llu failed\n",
		   evidence->tls_reports,
		   (unsigned long long)(evidence->sessions - evidence->failed),
		   (unsigned long long)evidence->failed);
	for (size_t i = 0; i < evidence->failure_count; i++)
		buf_printf(&ctl->out, "  %llu x %.*s\n",
			   (unsigned long long)evidence->failures[i].sessions,
			   STR_FMT(report_shown(ctl, evidence->failures[i].type)));
}

/* ---- as JSON ----------------------------------------------------------------------- */

static json_t *weeks_json(const struct report_evidence *evidence)
{
	json_t *list = json_array();

	for (size_t i = 0; i < REPORT_WEEKS; i++) {
		const struct report_week *week = &evidence->weeks[i];

		if (week->mails > 0 || week->sessions > 0)
			(void)json_array_append_new(
				list,
				json_pack("{s:I,s:I,s:I,s:I,s:I}", "begin",
					  (json_int_t)report_week_begin(evidence, i),
					  "count", (json_int_t)week->mails, "aligned",
					  (json_int_t)week->aligned, "sessions",
					  (json_int_t)week->sessions, "failed",
					  (json_int_t)week->failed));
	}
	return list;
}

static json_t *tls_json(const struct report_evidence *evidence)
{
	json_t *failures = json_array();

	for (size_t i = 0; i < evidence->failure_count; i++)
		(void)json_array_append_new(
			failures,
			json_pack("{s:o,s:I}", "failure",
				  ctl_json(evidence->failures[i].type), "sessions",
				  (json_int_t)evidence->failures[i].sessions));
	return json_pack("{s:I,s:I,s:I,s:o}", "reports",
			 (json_int_t)evidence->tls_reports, "good",
			 (json_int_t)(evidence->sessions - evidence->failed), "failed",
			 (json_int_t)evidence->failed, "failures", failures);
}

static json_t *summary_json(const struct report_evidence *evidence, struct str domain)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < evidence->count; i++)
		(void)json_array_append_new(sources,
					    report_source_json(&evidence->sources[i]));
	json_t *dmarc = json_pack(
		"{s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:I,s:o}", "reports",
		(json_int_t)evidence->dmarc_reports, "begin", (json_int_t)evidence->begin,
		"end", (json_int_t)evidence->end, "policy", ctl_json(evidence->policy),
		"count", (json_int_t)evidence->all.count, "aligned",
		(json_int_t)evidence->all.aligned, "other-aligned",
		(json_int_t)evidence->other_good, "other-failed",
		(json_int_t)evidence->other_bad, "sources", sources);

	return json_pack("{s:o,s:o,s:o,s:o}", "domain", ctl_json(domain), "dmarc", dmarc,
			 "tls", tls_json(evidence), "weeks", weeks_json(evidence));
}

void report_summary(struct ctl *ctl)
{
	struct str domain = ctl->words[0];
	struct report_evidence evidence;

	if (!report_evidence_load(ctl, domain, &evidence))
		return;
	if (evidence.dmarc_reports + evidence.tls_reports == 0)
		say_nothing(ctl, domain);
	if (evidence.dmarc_reports > 0)
		say_sources(ctl, &evidence);
	if (evidence.tls_reports > 0)
		say_tls(ctl, &evidence);
	if (evidence.dmarc_reports + evidence.tls_reports > 0)
		say_weeks(ctl, &evidence);
	ctl->json = summary_json(&evidence, domain);
	report_evidence_fini(&evidence);
}
