/* "dns records" and "dns check": what a domain of ours should have in the DNS, and
 * whether it is there. */
#include "ctl/dns_domain.h"

#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/word.h"
#include "publish/facts.h"
#include "rt/file.h"
#include "tlspolicy/policy.h"

enum { PEM_MAX = 64 * 1024 };

/* ---- planning ---------------------------------------------------------------------- */

static bool read_next(struct ctl *ctl, struct str *pem)
{
	SCOPED(buf_fini) struct buf text = BUF(PEM_MAX);
	const char *path = ctl_value(ctl, CTL_NEXT);

	*pem = STR("");
	if (!path)
		return true;
	if (file_read(path, &text) == OK && arena_copy(&ctl->arena, buf_str(&text), pem))
		return true;
	ctl_fail(ctl,
		 "The file %s cannot be read.\nNothing was asked.\n--next names the "
		 "certificate that is to be used next, in PEM.",
		 path);
	return false;
}

bool dns_domain_plan(struct ctl *ctl, struct publish_facts *facts,
		     struct publish_plan *plan)
{
	struct publish_sources sources = {
		.conf = &ctl->conf,
		.directory = &ctl->directory,
		.vault = ctl->vault,
		.lookup = *ctl_lookup(ctl, LOOKUPS_SECONDS),
	};
	struct str why;

	if (!read_next(ctl, &sources.next_pem) || !domain_dkim_prepare(ctl))
		return false;
	if (publish_learn(&sources, ctl->words[0], &ctl->arena, facts, &why) != OK)
		ctl_fail(ctl, "%.*s", STR_FMT(why));
	else if (!publish_plan(facts, &ctl->arena, plan))
		ctl_fail(ctl, "This is too much for one domain.\nNothing was asked.");
	else
		return true;
	return false;
}

/* ---- records ----------------------------------------------------------------------- */

static struct str line_of(struct ctl *ctl, const struct publish_record *record)
{
	SCOPED(buf_fini) struct buf line = BUF(16 * 1024);
	struct str copy;

	publish_print(record, &line);
	return arena_copy(&ctl->arena, buf_str(&line), &copy) ? copy : STR("");
}

static const char *place_name(enum publish_place place)
{
	switch (place) {
	case PUBLISH_HERE:
		return "here";
	case PUBLISH_ELSEWHERE:
		return "elsewhere";
	case PUBLISH_LATER:
		break;
	}
	return "later";
}

static json_t *record_json(struct ctl *ctl, const struct publish_record *record)
{
	struct str line = line_of(ctl, record);

	return json_pack(
		"{s:s,s:s,s:o,s:s,s:o,s:o,s:o}", "kind", publish_kind_name(record->kind),
		"place", place_name(record->place), "name", ctl_json(record->name),
		"type", publish_type_name(record->type), "data", ctl_json(record->data),
		"line", ctl_json(str_trim(line)), "why", ctl_json(record->why));
}

static void print_records(struct ctl *ctl, const struct publish_plan *plan)
{
	struct str why = STR("");

	for (size_t i = 0; i < plan->count; i++) {
		const struct publish_record *record = &plan->records[i];

		if (record->is_over)
			continue;
		if (!str_same(why, record->why))
			buf_printf(&ctl->out, "\n; %.*s\n", STR_FMT(record->why));
		why = record->why;
		buf_printf(&ctl->out, "%s%.*s",
			   record->place == PUBLISH_HERE        ? ""
			   : record->place == PUBLISH_ELSEWHERE ? "; in another zone: "
								: "; later: ",
			   STR_FMT(line_of(ctl, record)));
	}
}

static void print_policy(struct ctl *ctl, const struct publish_plan *plan)
{
	struct str rest = plan->sts_policy;

	buf_printf(&ctl->out,
		   "\n; The policy of MTA-STS, to be served at\n"
		   "; https://mta-sts.%.*s/.well-known/mta-sts.txt as text/plain.  When "
		   "the reports of TLS\n; are good, change \"testing\" to \"enforce\":\n",
		   STR_FMT(plan->facts->domain));
	while (rest.len > 0) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		buf_printf(&ctl->out, ";   %.*s\n", STR_FMT(line));
	}
	buf_add_c(&ctl->out,
		  "\n; Before this server gets a certificate with another key, publish "
		  "that key as well:\n; \"postrider dns records DOMAIN --next FILE\" "
		  "prints both TLSA records.  Use it two\n; days later, and then take "
		  "the old record away.\n");
}

void dns_domain_records(struct ctl *ctl)
{
	struct publish_facts facts;
	struct publish_plan plan;

	if (!dns_domain_plan(ctl, &facts, &plan))
		return;
	json_t *records = json_array();

	for (size_t i = 0; i < plan.count; i++)
		if (!plan.records[i].is_over)
			(void)json_array_append_new(records,
						    record_json(ctl, &plan.records[i]));
	buf_printf(&ctl->out,
		   "; What %.*s should have in the DNS.  \"postrider dns check %.*s\" "
		   "says whether it has.\n",
		   STR_FMT(facts.domain), STR_FMT(facts.domain));
	print_records(ctl, &plan);
	print_policy(ctl, &plan);
	ctl->json =
		json_pack("{s:o,s:o,s:o}", "domain", ctl_json(facts.domain), "records",
			  records, "mta-sts-policy", ctl_json(plan.sts_policy));
}

/* ---- check ------------------------------------------------------------------------- */

bool dns_domain_check(struct ctl *ctl, const struct publish_plan *plan,
		      struct publish_report *report)
{
	const struct policy_options options = {
		.resolver = ctl->resolver,
		.fetch = ctl->fetch,
		.uses = TLS_USE_STS,
		.until = ctl_lookup(ctl, LOOKUPS_SECONDS)->until,
		.sts_port = (uint16_t)ctl->conf.mta_sts_port,
	};
	SCOPED(policy_close) struct policy *policy = policy_open(&options);
	const struct publish_asker asker = {
		.lookup = *ctl_lookup(ctl, LOOKUPS_SECONDS),
		.policy = policy,
		.hello = ctl->conf.mta_hello.len > 0 ? ctl->conf.mta_hello
						     : ctl->conf.hostname,
	};

	if (publish_check(&asker, plan, &ctl->arena, report))
		return true;
	ctl_fail(ctl, "This is too much for one domain.\nNothing was changed.");
	return false;
}

static bool is_to_do(enum publish_state state)
{
	return state == PUBLISH_MISSING || state == PUBLISH_WRONG;
}

/* What is to be pasted. */
static struct str paste_of(struct ctl *ctl, const struct publish_finding *finding)
{
	if (!finding->record || !is_to_do(finding->state))
		return STR("");
	struct publish_record record = *finding->record;

	record.data = finding->wanted;
	return str_trim(line_of(ctl, &record));
}

static json_t *finding_json(struct ctl *ctl, const struct publish_finding *finding)
{
	return json_pack("{s:s,s:s,s:o,s:s,s:o,s:o,s:o,s:o}", "kind",
			 publish_kind_name(finding->kind), "state",
			 publish_state_name(finding->state), "name",
			 ctl_json(finding->name), "type",
			 finding->record ? publish_type_name(finding->type) : "", "found",
			 ctl_json(finding->found), "wanted", ctl_json(finding->wanted),
			 "paste", ctl_json(paste_of(ctl, finding)), "sentence",
			 ctl_json(finding->sentence));
}

static void print_finding(struct ctl *ctl, const struct publish_finding *finding)
{
	struct str paste = paste_of(ctl, finding), rest = finding->found;

	buf_printf(&ctl->out, "%s: %.*s %s: %.*s\n", publish_state_name(finding->state),
		   STR_FMT(finding->name),
		   finding->record ? publish_type_name(finding->type) : "DNSSEC",
		   STR_FMT(finding->sentence));
	while (finding->state == PUBLISH_WRONG && rest.len > 0) {
		struct str line = str_cut(&rest, '\n');

		buf_printf(&ctl->out, "  is:     %.*s\n", STR_FMT(line));
	}
	if (paste.len > 0)
		buf_printf(&ctl->out, "  %s %.*s\n",
			   finding->record->place == PUBLISH_HERE ? "paste: "
								  : "ask for:",
			   STR_FMT(paste));
}

void dns_domain_say(struct ctl *ctl, const struct publish_report *report)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < report->count; i++) {
		print_finding(ctl, &report->findings[i]);
		(void)json_array_append_new(findings,
					    finding_json(ctl, &report->findings[i]));
	}
	buf_printf(&ctl->out, "%.*s\n", STR_FMT(report->verdict));
	bool is_good = report->missing + report->wrong + report->unknown == 0;

	json_decref(ctl->json);
	ctl->json = json_pack("{s:b,s:o,s:o}", "good", (int)is_good, "verdict",
			      ctl_json(report->verdict), "findings", findings);
	ctl->is_partial = true;
	if (!is_good)
		ctl->status = 1;
}

void dns_domain_looks(struct ctl *ctl)
{
	struct publish_facts facts;
	struct publish_plan plan;
	struct publish_report report;

	if (dns_domain_plan(ctl, &facts, &plan) && dns_domain_check(ctl, &plan, &report))
		dns_domain_say(ctl, &report);
}
