#include <jansson.h>

#include "base/mem.h"
#include "base/num.h"
#include "ctl/report_say.h"
#include "ctl/report_source.h"
#include "report/received.h"

static bool is_pass(struct str word)
{
	return str_same_nocase(word, STR("pass"));
}

/* ---- by source --------------------------------------------------------------------- */

static struct report_source source_of(const struct dmarc_report_row *row)
{
	uint64_t n = num_min(row->count, INT64_MAX);

	return (struct report_source){
		.ip = row->source_ip,
		.count = n,
		.aligned = dmarc_report_is_aligned(row) ? n : 0,
		.dkim = is_pass(row->dkim) ? n : 0,
		.spf = is_pass(row->spf) ? n : 0,
		.quarantined =
			str_same_nocase(row->disposition, STR("quarantine")) ? n : 0,
		.rejected = str_same_nocase(row->disposition, STR("reject")) ? n : 0,
	};
}

/* One a source; returns how many. */
static size_t gather(const struct dmarc_report *report, struct report_source *sources,
		     struct report_source *all)
{
	size_t rows = 0;

	for (const struct dmarc_report_row *row = report->rows; row; row = row->next) {
		sources[rows] = source_of(row);
		report_source_add(all, &sources[rows++]);
	}
	return report_sources_merge(sources, rows);
}

/* ---- for people -------------------------------------------------------------------- */

static void say_results(struct ctl *ctl, const char *what,
			const struct dmarc_report_auth *auth)
{
	for (; auth; auth = auth->next)
		buf_printf(&ctl->out, "      %s %.*s: %.*s\n", what,
			   STR_FMT(report_shown(ctl, auth->domain)),
			   STR_FMT(report_shown(ctl, auth->result)));
}

/* What failed, and whose it was instead. */
static void say_failures(struct ctl *ctl, const struct dmarc_report *report,
			 struct str ip)
{
	for (const struct dmarc_report_row *row = report->rows; row; row = row->next) {
		if (dmarc_report_is_aligned(row) || !str_same(row->source_ip, ip))
			continue;
		buf_printf(&ctl->out, "    %llu in the name of %.*s",
			   (unsigned long long)row->count,
			   STR_FMT(report_shown(ctl, row->header_from)));
		for (const struct dmarc_report_reason *r = row->reasons; r; r = r->next)
			buf_printf(&ctl->out, "; let in (%.*s)",
				   STR_FMT(report_shown(ctl, r->type)));
		buf_add(&ctl->out, STR("\n"));
		say_results(ctl, "DKIM", row->dkim_results);
		say_results(ctl, "SPF", row->spf_results);
	}
}

static void say_report(struct ctl *ctl, const struct dmarc_report *report,
		       const struct report_source *sources, size_t count,
		       const struct report_source *all)
{
	buf_printf(&ctl->out,
		   "DMARC report %.*s of %.*s <%.*s>\nfrom %.*s to %.*s (UTC)\n",
		   STR_FMT(report_shown(ctl, report->id)),
		   STR_FMT(report_shown(ctl, report->organization)),
		   STR_FMT(report_shown(ctl, report->email)),
		   STR_FMT(report_moment(ctl, (int64_t)report->begin)),
		   STR_FMT(report_moment(ctl, (int64_t)report->end)));
	buf_printf(&ctl->out,
		   "about %.*s, which publishes p=%.*s\n"
		   "%llu mails from %zu sources: %llu aligned, %llu not\n",
		   STR_FMT(report_shown(ctl, report->domain)),
		   STR_FMT(report_shown(ctl, report->p)), (unsigned long long)all->count,
		   count, (unsigned long long)all->aligned,
		   (unsigned long long)(all->count - all->aligned));
	for (size_t i = 0; i < num_min(count, REPORT_SOURCES_SHOWN); i++) {
		report_source_say(ctl, &sources[i]);
		if (sources[i].aligned < sources[i].count)
			say_failures(ctl, report, sources[i].ip);
	}
	if (count > REPORT_SOURCES_SHOWN)
		buf_printf(&ctl->out, "  and %zu sources more; --json has them all\n",
			   count - REPORT_SOURCES_SHOWN);
	if (report->error.len > 0)
		buf_printf(&ctl->out, "It adds: %.*s\n",
			   STR_FMT(report_shown(ctl, report->error)));
	if (report->is_cut)
		buf_add(&ctl->out, STR("It is longer than what is shown.\n"));
}

static void say_failure(struct ctl *ctl, const struct received_failure *failure)
{
	const struct feedback *feedback = &failure->feedback;
	const struct {
		const char *name;
		struct str value;
	} lines[] = {
		{"about", feedback->domain},
		{"failed", feedback->auth_failure},
		{"not aligned", feedback->alignment},
		{"from address", feedback->source_ip},
		{"sender", feedback->mail_from},
		{"arrived", feedback->arrival},
		{"results", feedback->results},
		{"became", feedback->delivery},
		{"DKIM domain", feedback->dkim_domain},
		{"DKIM selector", feedback->dkim_selector},
		{"SPF record", feedback->spf_dns},
		{"reported by", feedback->reporting_mta},
	};

	buf_printf(&ctl->out, "Report (%.*s) of %llu mail%s\n",
		   STR_FMT(report_shown(ctl, feedback->type)),
		   (unsigned long long)feedback->incidents,
		   feedback->incidents == 1 ? "" : "s");
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		if (lines[i].value.len > 0)
			buf_printf(&ctl->out, "  %s: %.*s\n", lines[i].name,
				   STR_FMT(report_shown(ctl, lines[i].value)));
	for (size_t i = 0; i < feedback->rcpt_count; i++)
		buf_printf(&ctl->out, "  recipient: %.*s\n",
			   STR_FMT(report_shown(ctl, feedback->rcpts[i])));
}

/* ---- as JSON ----------------------------------------------------------------------- */

static json_t *auth_json(const struct dmarc_report_auth *auth)
{
	json_t *list = json_array();

	for (; auth; auth = auth->next)
		(void)json_array_append_new(list,
					    json_pack("{s:o,s:o,s:o,s:o,s:o}", "domain",
						      ctl_json(auth->domain), "selector",
						      ctl_json(auth->selector), "scope",
						      ctl_json(auth->scope), "result",
						      ctl_json(auth->result), "human",
						      ctl_json(auth->human)));
	return list;
}

static json_t *row_json(const struct dmarc_report_row *row)
{
	json_t *reasons = json_array();

	for (const struct dmarc_report_reason *r = row->reasons; r; r = r->next)
		(void)json_array_append_new(
			reasons, json_pack("{s:o,s:o}", "type", ctl_json(r->type),
					   "comment", ctl_json(r->comment)));
	return json_pack(
		"{s:o,s:I,s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "source-ip",
		ctl_json(row->source_ip), "count", (json_int_t)row->count, "disposition",
		ctl_json(row->disposition), "aligned", (int)dmarc_report_is_aligned(row),
		"dkim", ctl_json(row->dkim), "spf", ctl_json(row->spf), "reasons",
		reasons, "header-from", ctl_json(row->header_from), "envelope-from",
		ctl_json(row->envelope_from), "envelope-to", ctl_json(row->envelope_to),
		"dkim-results", auth_json(row->dkim_results), "spf-results",
		auth_json(row->spf_results));
}

static json_t *policy_json(const struct dmarc_report *report)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "domain",
			 ctl_json(report->domain), "p", ctl_json(report->p), "sp",
			 ctl_json(report->sp), "np", ctl_json(report->np), "pct",
			 ctl_json(report->pct), "adkim", ctl_json(report->adkim), "aspf",
			 ctl_json(report->aspf), "fo", ctl_json(report->fo), "testing",
			 ctl_json(report->testing));
}

static json_t *report_json(const struct dmarc_report *report,
			   const struct report_source *all)
{
	json_t *rows = json_array();

	for (const struct dmarc_report_row *row = report->rows; row; row = row->next)
		(void)json_array_append_new(rows, row_json(row));
	return json_pack("{s:o,s:o,s:o,s:I,s:I,s:o,s:I,s:I,s:b,s:o,s:o}", "organization",
			 ctl_json(report->organization), "email", ctl_json(report->email),
			 "id", ctl_json(report->id), "begin", (json_int_t)report->begin,
			 "end", (json_int_t)report->end, "error", ctl_json(report->error),
			 "count", (json_int_t)all->count, "aligned",
			 (json_int_t)all->aligned, "cut", (int)report->is_cut, "policy",
			 policy_json(report), "rows", rows);
}

static json_t *failure_json(const struct received_failure *failure)
{
	const struct feedback *feedback = &failure->feedback;
	json_t *rcpts = json_array();

	for (size_t i = 0; i < feedback->rcpt_count; i++)
		(void)json_array_append_new(rcpts, ctl_json(feedback->rcpts[i]));
	return json_pack(
		"{s:o,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "type",
		ctl_json(feedback->type), "incidents", (json_int_t)feedback->incidents,
		"domain", ctl_json(feedback->domain), "failure",
		ctl_json(feedback->auth_failure), "alignment",
		ctl_json(feedback->alignment), "source-ip", ctl_json(feedback->source_ip),
		"sender", ctl_json(feedback->mail_from), "results",
		ctl_json(feedback->results), "delivery", ctl_json(feedback->delivery),
		"recipients", rcpts);
}

/* ---- the verb ---------------------------------------------------------------------- */

static void print(struct ctl *ctl, const struct dmarc_report *report)
{
	struct report_source *sources =
		NEW_ARRAY(struct report_source, report->row_count + 1);
	struct report_source all = {.count = 0};
	size_t count = gather(report, sources, &all);

	say_report(ctl, report, sources, count, &all);
	mem_free(sources);
	ctl->json = report_json(report, &all);
}

void report_dmarc(struct ctl *ctl)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf bytes = BUF(REPORT_FILE_MAX);
	struct str path = ctl->words[0];
	struct dmarc_report report;
	struct received_failure failure;

	arena_init(&arena, DMARC_REPORT_ARENA_MAX);
	if (!report_file(ctl, path, &bytes))
		return;
	switch (received_dmarc_read(buf_str(&bytes), &arena, &report, &failure)) {
	case RECEIVED_DMARC_REPORT:
		print(ctl, &report);
		return;
	case RECEIVED_DMARC_FAILURE:
		say_failure(ctl, &failure);
		ctl->json = failure_json(&failure);
		return;
	case RECEIVED_DMARC_OTHER:
		ctl_fail(
			ctl,
			"%.*s holds no report of DMARC.\nNothing was changed.\nIt may be "
			"such a mail, the XML in it, or that XML packed by gzip or ZIP.",
			STR_FMT(path));
		return;
	case RECEIVED_DMARC_DAMAGED:
		ctl_fail(ctl,
			 "%.*s holds a report of DMARC that cannot be read: it is cut "
			 "off, or is no XML as RFC 9990 has it.\nNothing was changed.",
			 STR_FMT(path));
		return;
	case RECEIVED_DMARC_REFUSED:
		ctl_fail(ctl,
			 "%.*s holds XML that no report of DMARC needs: it declares a "
			 "document type, or nests deeper than %d.\nIt was not read to "
			 "its end, since such files are made to do harm.",
			 STR_FMT(path), DMARC_REPORT_DEPTH_MAX);
		return;
	case RECEIVED_DMARC_LONG:
		ctl_fail(ctl,
			 "%.*s holds a report of DMARC of more than %d MiB.\nIt was not "
			 "read to its end.",
			 STR_FMT(path), DMARC_REPORT_BYTES_MAX / 1024 / 1024);
		return;
	}
}
