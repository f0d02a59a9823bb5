/* Would p=reject be safe?  Answered from what reports say of mail that neither DKIM nor
 * SPF proved to be the domain's: by p=reject all of it would have been lost. */
#include <jansson.h>

#include "base/num.h"
#include "ctl/report_evidence.h"
#include "ctl/report_say.h"

enum { DAY_S = 86400, DAYS_ENOUGH = 14 };

/* Whose mail that failed probably is; in the order in which to see to them. */
enum whose {
	OURS,    /* some of what the source sends is proved */
	SERVICE, /* it is proved to be of another domain */
	PASSED,  /* receivers say that it was passed on */
	NOBODYS, /* nothing is proved */
	WHOSE_COUNT,
};

enum verdict { SAFE_YES, SAFE_PERHAPS, SAFE_NO, SAFE_UNKNOWN };

static const char *const verdict_words[] = {[SAFE_YES] = "yes",
					    [SAFE_PERHAPS] = "perhaps",
					    [SAFE_NO] = "no",
					    [SAFE_UNKNOWN] = "unknown"};

static const struct {
	const char *word, *title, *advice;
} whose_texts[WHOSE_COUNT] = {
	[OURS] = {"own", "sources that also send mail which is proved to be yours",
		  "Fix these first: have all that they send signed by DKIM in the name "
		  "of the domain."},
	[SERVICE] = {"service", "sources whose mail is proved to be another domain's",
		     "If it is a service that sends for you, give it a DKIM key of your "
		     "domain.\n  If it is a mailing list, it has to put its own address "
		     "into From."},
	[PASSED] = {"passed-on", "sources that receivers know to pass mail on",
		    "Sign by DKIM, which outlives being passed on; who changes mail must "
		    "put its own address into From."},
	[NOBODYS] = {"unproved", "sources of whose mail nothing is proved",
		     "Look whether you know one of them, and have it sign if so.  The "
		     "others are forgers:\n  their mail is what p=reject is to stop."},
};

static enum whose whose(const struct report_source *source)
{
	static const char *const passed[] = {"forwarded", "mailing_list",
					     "trusted_forwarder"};

	if (source->aligned > 0)
		return OURS;
	for (size_t i = 0; i < COUNT_OF(passed); i++)
		if (str_same_nocase(source->why, str_c(passed[i])))
			return PASSED;
	return source->dkim_domain.len + source->spf_domain.len > 0 ? SERVICE : NOBODYS;
}

struct judgement {
	struct ctl *ctl;
	const struct report_evidence *evidence;
	struct str domain;
	uint64_t lost[WHOSE_COUNT]; /* mails */
	enum verdict verdict;
	bool is_short; /* too few days */
};

static void judge(struct judgement *judgement)
{
	const struct report_evidence *evidence = judgement->evidence;
	uint64_t real = 0;

	for (size_t i = 0; i < evidence->count; i++) {
		const struct report_source *source = &evidence->sources[i];
		uint64_t *lost = &judgement->lost[whose(source)];

		*lost = report_sum(*lost, report_source_lost(source));
	}
	for (int i = OURS; i < NOBODYS; i++)
		real = report_sum(real, judgement->lost[i]);
	judgement->is_short =
		evidence->end - evidence->begin < (int64_t)DAYS_ENOUGH * DAY_S - 1;
	if (evidence->dmarc_reports == 0)
		judgement->verdict = SAFE_UNKNOWN;
	else if (real > 0)
		judgement->verdict = SAFE_NO;
	else if (judgement->is_short || evidence->all.aligned == 0)
		judgement->verdict = SAFE_UNKNOWN;
	else
		judgement->verdict = judgement->lost[NOBODYS] + evidence->other_bad > 0
					     ? SAFE_PERHAPS
					     : SAFE_YES;
}

/* ---- for people -------------------------------------------------------------------- */

static void say_unknown(const struct judgement *judgement)
{
	struct buf *out = &judgement->ctl->out;

	if (judgement->evidence->dmarc_reports == 0)
		buf_printf(
			out,
			"That cannot be told: no report of DMARC about %.*s is kept of "
			"that time.\nPublish p=none with rua=mailto: and the address "
			"of report.address, and ask again in a month.\n",
			STR_FMT(judgement->domain));
	else if (judgement->evidence->all.aligned == 0)
		buf_add(out, STR("That cannot be told: no mail of yours is in the "
				 "reports yet.\nSend some, and ask again in a "
				 "month.\n"));
	else
		buf_printf(out,
			   "That cannot be told yet: no mail of yours would have been "
			   "lost, but the reports cover less\nthan %d days, and some "
			   "senders write once a month.  Ask again later.\n",
			   DAYS_ENOUGH);
}

static void say_verdict(const struct judgement *judgement)
{
	struct buf *out = &judgement->ctl->out;

	switch (judgement->verdict) {
	case SAFE_YES:
		buf_printf(out,
			   "Yes: with p=reject no mail in the name of %.*s would have "
			   "been lost.\n",
			   STR_FMT(judgement->domain));
		return;
	case SAFE_PERHAPS:
		buf_add(out, STR("Yes, unless you know one of the sources below: all "
				 "mail that can be told to be yours is proved.\n"));
		return;
	case SAFE_NO:
		buf_add(out, STR("No: with p=reject mail would have been lost that may "
				 "well be yours.\n"));
		return;
	case SAFE_UNKNOWN:
		say_unknown(judgement);
		return;
	}
}

static void say_evidence(const struct judgement *judgement)
{
	const struct report_evidence *evidence = judgement->evidence;
	struct ctl *ctl = judgement->ctl;

	if (evidence->dmarc_reports == 0)
		return;
	buf_printf(&ctl->out,
		   "The evidence: %zu reports from %.*s to %.*s (UTC), of %llu mails; "
		   "%llu were not proved.\n",
		   evidence->dmarc_reports, STR_FMT(report_moment(ctl, evidence->begin)),
		   STR_FMT(report_moment(ctl, evidence->end)),
		   (unsigned long long)evidence->all.count,
		   (unsigned long long)report_source_lost(&evidence->all));
	if (str_same_nocase(evidence->policy, STR("reject")))
		buf_add(&ctl->out,
			STR("p=reject is published already: this mail is lost now.\n"));
}

static void say_source(const struct judgement *judgement,
		       const struct report_source *source)
{
	struct ctl *ctl = judgement->ctl;

	buf_printf(&ctl->out, "  %.*s: %llu of %llu mails",
		   STR_FMT(report_shown(ctl, source->ip)),
		   (unsigned long long)report_source_lost(source),
		   (unsigned long long)source->count);
	if (source->dkim_domain.len > 0)
		buf_printf(&ctl->out, ", signed by %.*s",
			   STR_FMT(report_shown(ctl, source->dkim_domain)));
	if (source->spf_domain.len > 0)
		buf_printf(&ctl->out, ", by SPF from %.*s",
			   STR_FMT(report_shown(ctl, source->spf_domain)));
	if (source->why.len > 0)
		buf_printf(&ctl->out, ", let in (%.*s)",
			   STR_FMT(report_shown(ctl, source->why)));
	buf_add(&ctl->out, STR("\n"));
}

static void say_group(const struct judgement *judgement, enum whose group)
{
	const struct report_evidence *evidence = judgement->evidence;
	struct ctl *ctl = judgement->ctl;
	size_t said = 0;

	if (judgement->lost[group] == 0)
		return;
	buf_printf(&ctl->out, "\n%llu mails of %s:\n",
		   (unsigned long long)judgement->lost[group], whose_texts[group].title);
	for (size_t i = 0; i < evidence->count; i++) {
		const struct report_source *source = &evidence->sources[i];

		if (report_source_lost(source) == 0 || whose(source) != group)
			continue;
		if (said++ < REPORT_SOURCES_SHOWN)
			say_source(judgement, source);
	}
	if (said > REPORT_SOURCES_SHOWN)
		buf_printf(&ctl->out, "  and %zu sources more; --json has them all\n",
			   said - REPORT_SOURCES_SHOWN);
	buf_printf(&ctl->out, "  %s\n", whose_texts[group].advice);
}

/* ---- as JSON ----------------------------------------------------------------------- */

static json_t *judgement_json(const struct judgement *judgement)
{
	const struct report_evidence *evidence = judgement->evidence;
	json_t *sources = json_array();

	for (int group = OURS; group < WHOSE_COUNT; group++) {
		for (size_t i = 0; i < evidence->count; i++) {
			const struct report_source *source = &evidence->sources[i];

			if (report_source_lost(source) == 0 ||
			    whose(source) != (enum whose)group)
				continue;
			json_t *told = report_source_json(source);

			(void)json_object_set_new(
				told, "lost",
				json_integer((json_int_t)report_source_lost(source)));
			(void)json_object_set_new(told, "whose",
						  json_string(whose_texts[group].word));
			(void)json_array_append_new(sources, told);
		}
	}
	return json_pack(
		"{s:o,s:s,s:I,s:I,s:I,s:o,s:I,s:I,s:I,s:o}", "domain",
		ctl_json(judgement->domain), "safe", verdict_words[judgement->verdict],
		"reports", (json_int_t)evidence->dmarc_reports, "begin",
		(json_int_t)evidence->begin, "end", (json_int_t)evidence->end, "policy",
		ctl_json(evidence->policy), "count", (json_int_t)evidence->all.count,
		"lost", (json_int_t)report_source_lost(&evidence->all), "other-lost",
		(json_int_t)evidence->other_bad, "sources", sources);
}

void report_reject(struct ctl *ctl)
{
	struct report_evidence evidence;
	struct judgement judgement = {
		.ctl = ctl, .evidence = &evidence, .domain = ctl->words[0]};

	if (!report_evidence_load(ctl, judgement.domain, &evidence))
		return;
	judge(&judgement);
	say_verdict(&judgement);
	say_evidence(&judgement);
	for (int group = OURS; group < WHOSE_COUNT; group++)
		say_group(&judgement, (enum whose)group);
	if (evidence.other_bad > 0)
		buf_printf(&ctl->out, "\n%llu mails of sources that no report names.\n",
			   (unsigned long long)evidence.other_bad);
	ctl->json = judgement_json(&judgement);
	report_evidence_fini(&evidence);
}
