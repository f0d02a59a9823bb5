#include <jansson.h>

#include "ctl/report_say.h"
#include "tlspolicy/received.h"

/* ---- for people -------------------------------------------------------------------- */

static void say_detail(struct ctl *ctl, const struct tls_report_detail *detail)
{
	buf_printf(&ctl->out, "    %llu x %.*s", (unsigned long long)detail->sessions,
		   STR_FMT(report_shown(ctl, detail->type)));
	if (detail->sending_ip.len > 0)
		buf_printf(&ctl->out, " from %.*s",
			   STR_FMT(report_shown(ctl, detail->sending_ip)));
	if (detail->mx.len > 0)
		buf_printf(&ctl->out, " to %.*s", STR_FMT(report_shown(ctl, detail->mx)));
	if (detail->receiving_ip.len > 0)
		buf_printf(&ctl->out, " [%.*s]",
			   STR_FMT(report_shown(ctl, detail->receiving_ip)));
	if (detail->reason.len > 0)
		buf_printf(&ctl->out, ": %.*s",
			   STR_FMT(report_shown(ctl, detail->reason)));
	buf_add(&ctl->out, STR("\n"));
}

static void say_report(struct ctl *ctl, const struct tls_report *report)
{
	buf_printf(&ctl->out, "TLS report %.*s of %.*s <%.*s>\n",
		   STR_FMT(report_shown(ctl, report->id)),
		   STR_FMT(report_shown(ctl, report->organization)),
		   STR_FMT(report_shown(ctl, report->contact)));
	buf_printf(&ctl->out, "from %.*s to %.*s (UTC)\n",
		   STR_FMT(report_moment(ctl, report->begin)),
		   STR_FMT(report_moment(ctl, report->end)));
	for (size_t i = 0; i < report->count; i++) {
		const struct tls_report_policy *policy = &report->policies[i];

		buf_printf(&ctl->out,
			   "  %.*s, policy %.*s: %llu sessions good, %llu failed\n",
			   STR_FMT(report_shown(ctl, policy->domain)),
			   STR_FMT(report_shown(ctl, policy->type)),
			   (unsigned long long)policy->good,
			   (unsigned long long)policy->bad);
		for (size_t j = 0; j < policy->detail_count; j++)
			say_detail(ctl, &policy->details[j]);
	}
	if (report->is_cut)
		buf_add(&ctl->out, STR("It is longer than what is shown.\n"));
}

/* ---- as JSON ----------------------------------------------------------------------- */

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n); /* at most INT64_MAX */
}

static json_t *texts(const struct str *list, size_t count)
{
	json_t *made = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(made, ctl_json(list[i]));
	return made;
}

static json_t *detail_json(const struct tls_report_detail *detail)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "failure",
			 ctl_json(detail->type), "sessions", number(detail->sessions),
			 "sending-ip", ctl_json(detail->sending_ip), "receiving-mx",
			 ctl_json(detail->mx), "receiving-helo", ctl_json(detail->helo),
			 "receiving-ip", ctl_json(detail->receiving_ip), "reason",
			 ctl_json(detail->reason), "more", ctl_json(detail->more));
}

static json_t *policy_json(const struct tls_report_policy *policy)
{
	json_t *details = json_array();

	for (size_t i = 0; i < policy->detail_count; i++)
		(void)json_array_append_new(details, detail_json(&policy->details[i]));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "domain",
			 ctl_json(policy->domain), "type", ctl_json(policy->type),
			 "lines", texts(policy->lines, policy->line_count), "mx",
			 texts(policy->mx, policy->mx_count), "good",
			 number(policy->good), "failed", number(policy->bad), "failures",
			 details);
}

static json_t *report_json(const struct tls_report *report)
{
	json_t *policies = json_array();

	for (size_t i = 0; i < report->count; i++)
		(void)json_array_append_new(policies, policy_json(&report->policies[i]));
	return json_pack("{s:o,s:o,s:o,s:I,s:I,s:b,s:o}", "organization",
			 ctl_json(report->organization), "contact",
			 ctl_json(report->contact), "id", ctl_json(report->id), "begin",
			 (json_int_t)report->begin, "end", (json_int_t)report->end, "cut",
			 (int)report->is_cut, "policies", policies);
}

/* ---- the verb ---------------------------------------------------------------------- */

static void tls(struct ctl *ctl)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf bytes = BUF(REPORT_FILE_MAX);
	struct str path = ctl->words[0];
	struct tls_report report;

	arena_init(&arena, RECEIVED_ARENA_MAX);
	if (!report_file(ctl, path, &bytes))
		return;
	switch (received_read(buf_str(&bytes), &arena, &report)) {
	case RECEIVED_REPORT:
		say_report(ctl, &report);
		ctl->json = report_json(&report);
		return;
	case RECEIVED_OTHER:
		ctl_fail(ctl,
			 "%.*s holds no report of TLS.\nNothing was changed.\nIt may be "
			 "such a mail, the JSON in it, or that JSON packed by gzip.",
			 STR_FMT(path));
		return;
	case RECEIVED_DAMAGED:
		ctl_fail(ctl,
			 "%.*s holds a report of TLS that cannot be read: it is cut "
			 "off, or is no JSON as RFC 8460 has it.\nNothing was changed.",
			 STR_FMT(path));
		return;
	case RECEIVED_LONG:
		ctl_fail(ctl,
			 "%.*s holds a report of TLS of more than %d MiB.\nIt was not "
			 "read to its end.",
			 STR_FMT(path), TLS_REPORT_BYTES_MAX / 1024 / 1024);
		return;
	}
}

static const struct ctl_verb verbs[] = {
	{"tls", "FILE|-",
	 "Print what a report of TLS says that another server has sent: a mail, the JSON "
	 "in "
	 "it, or that JSON packed.",
	 1, 1, 0, 0, tls},
	{"dmarc", "FILE|-",
	 "Print what a report of DMARC says that another server has sent, by source: who "
	 "sent mail in the domain's name, and what proved it.  It may be a mail, the XML "
	 "in it, or that packed (gzip, ZIP), or a report of one mail that failed.",
	 1, 1, 0, 0, report_dmarc},
	{"keep", "FILE|-...",
	 "Keep what reports of DMARC and TLS say that are in these files, as if they had "
	 "come to report.address.",
	 1, CTL_WORDS_MAX, 0, CTL_NEEDS_SERVER, report_keep},
	{"list", "[DOMAIN]", "Print the reports that are kept, one a line.", 0, 1, 0,
	 CTL_NEEDS_SERVER, report_list},
	{"summary", "DOMAIN",
	 "Print what all reports that are kept say of the domain: by source, by week, "
	 "and of TLS.",
	 1, 1, CTL_DAYS, CTL_NEEDS_SERVER, report_summary},
	{"reject-safe", "DOMAIN",
	 "Say whether mail would have been lost if the domain had published p=reject, "
	 "whose, and what to do first.",
	 1, 1, CTL_DAYS, CTL_NEEDS_SERVER, report_reject},
};

const struct ctl_word ctl_report = {
	.name = "report",
	.summary = "What other servers report of ours.",
	.examples =
		"  postrider report tls 'example.net!example.org!1763769600!1763855999"
		".json.gz'\n  postrider report dmarc - < mail\n"
		"  postrider report keep reports/*\n"
		"  postrider report summary example.org --days 90\n"
		"  postrider report reject-safe example.org\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
