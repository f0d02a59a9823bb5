/* "dns spf-wizard": an SPF record from a few plain questions, or from options. */
#include <stdio.h>

#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/word.h"
#include "directory/name.h"
#include "publish/plan.h"
#include "publish/spf_draft.h"

enum { ANSWER_MAX = 2000, TRIES_MAX = 5 };

/* One line of standard input, "" at its end; what is not said is the usual one. */
static struct str ask(struct ctl *ctl, const char *question, const char *usual)
{
	char line[ANSWER_MAX];
	struct str answer;

	(void)fprintf(stderr, "%s [%s] ", question, usual);
	if (!fgets(line, sizeof line, stdin))
		return str_c(usual);
	answer = str_trim(str_c(line));
	if (answer.len == 0 || !arena_copy(&ctl->arena, answer, &answer))
		return str_c(usual);
	return answer;
}

enum step { HOSTS, INCLUDES, OTHER, STEPS };

static const struct {
	const char *question, *usual, *like;
	enum ctl_option option;
} steps[STEPS] = {
	[HOSTS] = {"Which servers send mail of this domain?  Names, addresses or "
		   "networks; \"this\" is where its mail comes to.",
		   "this", "mail.example.org, 192.0.2.1, 2001:db8::/32 or this",
		   CTL_HOST},
	[INCLUDES] = {"Which providers send mail of it as well?  The names that they "
		      "want to be included.",
		      "none", "_spf.example.net", CTL_INCLUDE},
	[OTHER] = {"What should become of such mail from elsewhere?  hard: it is "
		   "refused; soft: it is suspicious; neutral: nothing.",
		   "hard", "hard, soft or neutral", CTL_OTHER},
};

static bool take(struct spf_draft *draft, enum step step, struct str answer,
		 struct str *wrong)
{
	*wrong = answer;
	switch (step) {
	case HOSTS:
		return spf_draft_hosts(draft, answer, wrong);
	case INCLUDES:
		return spf_draft_includes(
			draft, str_same(answer, STR("none")) ? STR("") : answer, wrong);
	case OTHER:
		return spf_draft_other(draft, answer);
	case STEPS:
		break;
	}
	return false;
}

/* By options if there is any, else by questions, each until its answer can be. */
static bool fill(struct ctl *ctl, struct spf_draft *draft)
{
	bool is_asking = !(ctl->options & (CTL_HOST | CTL_INCLUDE | CTL_OTHER));

	for (enum step step = HOSTS; step < STEPS; step++) {
		const char *value = ctl_value(ctl, steps[step].option);
		struct str wrong = STR("");
		bool is_good = false;

		for (int i = 0; !is_good && i < (is_asking ? TRIES_MAX : 1); i++) {
			struct str answer =
				is_asking ? ask(ctl, steps[step].question,
						steps[step].usual)
					  : str_c(value ? value : steps[step].usual);

			is_good = take(draft, step, answer, &wrong);
			if (!is_good && is_asking)
				(void)fprintf(stderr,
					      "\"%.*s\" cannot be; it is like %s.\n",
					      STR_FMT(wrong), steps[step].like);
		}
		if (is_good)
			continue;
		ctl_fail(ctl, "\"%.*s\" cannot be.\nNothing was written.\nIt is like %s.",
			 STR_FMT(wrong), steps[step].like);
		return false;
	}
	return true;
}

static void print(struct ctl *ctl, const struct spf_draft *draft, struct str text,
		  const struct spf_verdict *verdict)
{
	const struct publish_record record = {.kind = PUBLISH_SPF,
					      .type = DNS_TXT,
					      .name = draft->domain,
					      .data = text};

	publish_print(&record, &ctl->out);
	buf_printf(&ctl->out, "; It needs %u of at most %d look-ups.\n", verdict->lookups,
		   SPF_LOOKUP_TERMS_MAX);
	ctl->json = json_pack("{s:o,s:o,s:i,s:i}", "name", ctl_json(draft->domain),
			      "record", ctl_json(text), "lookups", (int)verdict->lookups,
			      "lookups-max", (int)SPF_LOOKUP_TERMS_MAX);
}

void dns_spf_wizard(struct ctl *ctl)
{
	struct spf_draft draft = {
		.domain = ctl->word_count > 0 ? ctl->words[0] : ctl->conf.default_domain};
	struct spf_verdict verdict;

	if (!name_domain(draft.domain, &ctl->arena, &draft.domain)) {
		ctl_fail(ctl, "\"%.*s\" is no domain name.\nNothing was written.",
			 STR_FMT(draft.domain));
		return;
	}
	if (!fill(ctl, &draft))
		return;
	struct str text = spf_draft_text(&draft, &ctl->arena);

	spf_draft_try(&draft, text, ctl_lookup(ctl, SPF_SECONDS), &ctl->arena, &verdict);
	if (verdict.result == SPF_PERMERROR)
		ctl_fail(ctl,
			 "The record \"%.*s\" would not count: %.*s.\nNothing was "
			 "written.\nName fewer providers, or addresses in the place of "
			 "names.",
			 STR_FMT(text), STR_FMT(verdict.why));
	else if (verdict.result == SPF_TEMPERROR)
		ctl_fail(ctl,
			 "Whether the record \"%.*s\" would count cannot be told now: "
			 "%.*s.\nNothing was written.\nTry again.",
			 STR_FMT(text), STR_FMT(verdict.why));
	else
		print(ctl, &draft, text, &verdict);
}
