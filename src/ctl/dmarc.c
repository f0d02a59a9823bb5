#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/mail_file.h"
#include "ctl/word.h"
#include "mailauth/mailauth.h"
#include "policy/exceptions.h"
#include "rt/clock.h"

static json_t *text_json(struct str text)
{
	return text.len > 0 ? ctl_json(text) : json_string("");
}

/* ---- identifiers ------------------------------------------------------------------- */

static const char *method_name(enum dmarc_method method)
{
	return method == DMARC_BY_SPF ? "SPF" : "DKIM";
}

static void say_identifier(struct ctl *ctl, const struct dmarc_identifier *one,
			   struct str author)
{
	buf_printf(&ctl->out, "%s of %.*s ", method_name(one->method),
		   STR_FMT(one->domain));
	if (!one->is_proved && !one->is_unsure) {
		buf_add_c(&ctl->out, "is not proved, so it does not count.\n");
		return;
	}
	buf_add_c(&ctl->out,
		  one->is_proved ? "is proved, and " : "cannot be told now; it ");
	switch (one->alignment) {
	case DMARC_UNALIGNED:
		buf_add_c(&ctl->out, "is not aligned");
		break;
	case DMARC_RELAXED:
		buf_add_c(&ctl->out, "is aligned (relaxed)");
		break;
	case DMARC_STRICT:
		buf_add_c(&ctl->out, "is aligned (the same domain)");
		break;
	case DMARC_UNSURE:
		buf_add_c(&ctl->out, "may be aligned or not");
		break;
	}
	buf_printf(&ctl->out, " with %.*s.\n", STR_FMT(author));
}

static json_t *identifiers_json(const struct dmarc_verdict *dmarc)
{
	json_t *list = json_array();

	for (size_t i = 0; i < dmarc->identifier_count; i++) {
		const struct dmarc_identifier *one = &dmarc->identifiers[i];

		(void)json_array_append_new(
			list,
			json_pack("{s:s,s:o,s:b,s:s}", "method",
				  one->method == DMARC_BY_SPF ? "spf" : "dkim", "domain",
				  text_json(one->domain), "proved", (int)one->is_proved,
				  "alignment", dmarc_alignment_name(one->alignment)));
	}
	return list;
}

/* ---- the policy -------------------------------------------------------------------- */

static void say_policy(struct ctl *ctl, const struct dmarc_verdict *dmarc)
{
	struct str at = dmarc->policy_domain;

	if (at.len == 0)
		return;
	buf_printf(&ctl->out, "The policy is at _dmarc.%.*s: %s=%s", STR_FMT(at),
		   dmarc_tag_name(dmarc->tag), dmarc_policy_name(dmarc->published));
	buf_add_c(&ctl->out, dmarc->record.is_testing ? ", only tested (t=y).\n" : ".\n");
	if (dmarc->organizational.len > 0)
		buf_printf(&ctl->out, "The organizational domain of %.*s is %.*s.\n",
			   STR_FMT(dmarc->author), STR_FMT(dmarc->organizational));
}

static void say_disposition(struct ctl *ctl, const struct dmarc_verdict *dmarc,
			    const struct arc_trust *trust, struct str exception)
{
	if (trust->result == ARC_TRUSTED) {
		buf_printf(&ctl->out,
			   "It is excused from what the domain wants (%s): %s passed at "
			   "%.*s, one of trust.forwarders, which sealed it.\n",
			   dmarc_policy_name(dmarc->disposition), trust->found,
			   STR_FMT(trust->sealer));
		return;
	}
	if (exception.len > 0) {
		buf_printf(&ctl->out,
			   "It is excused from what the domain wants (%s): %.*s is one "
			   "of trust.exceptions.\n",
			   dmarc_policy_name(dmarc->disposition), STR_FMT(exception));
		return;
	}
	switch (dmarc->disposition) {
	case DMARC_POLICY_NONE:
		buf_add_c(&ctl->out, "Nothing would be done about it (none).\n");
		break;
	case DMARC_POLICY_QUARANTINE:
		buf_add_c(&ctl->out, "It would be treated as suspicious (quarantine).\n");
		break;
	case DMARC_POLICY_REJECT:
		buf_add_c(&ctl->out, "It would be refused (reject).\n");
		break;
	}
}

/* RFC 9989 §7.4 */
static void say_onward(struct ctl *ctl, enum dmarc_onward onward)
{
	switch (onward) {
	case DMARC_ONWARD_FINE:
		break;
	case DMARC_ONWARD_UNSURE:
		buf_add_c(&ctl->out, "An alias would not pass it on yet: whether others "
				     "would take it cannot be told now.\n");
		break;
	case DMARC_ONWARD_FAILS:
		buf_add_c(&ctl->out,
			  "Others would not take it from us as it is: an alias that "
			  "passes it on becomes its author (forward.rewrite-from).\n");
		break;
	}
}

static void say(struct ctl *ctl, const struct mailauth_facts *facts,
		const struct mailauth_verdicts *verdicts)
{
	SCOPED(buf_fini) struct buf field = BUF(64 * 1024);
	const struct dmarc_verdict *dmarc = &verdicts->dmarc;

	buf_printf(&ctl->out, "%s: %.*s\n", dmarc_result_name(dmarc->result),
		   STR_FMT(dmarc->sentence));
	buf_printf(
		&ctl->out, "SPF says %s: %.*s\nDKIM says %s: %.*s\nARC says %s: %.*s\n",
		spf_result_name(verdicts->spf.result), STR_FMT(verdicts->spf.sentence),
		dkim_result_name(verdicts->dkim.result), STR_FMT(verdicts->dkim.sentence),
		arc_result_name(verdicts->arc.result), STR_FMT(verdicts->arc.sentence));
	for (size_t i = 0; i < dmarc->identifier_count; i++)
		say_identifier(ctl, &dmarc->identifiers[i], dmarc->author);
	say_policy(ctl, dmarc);
	say_disposition(ctl, dmarc, &verdicts->trust, verdicts->exception);
	say_onward(ctl, mailauth_onward(verdicts));
	mailauth_results_add(&field, facts, verdicts);
	ctl->json = json_pack(
		"{s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:b,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:"
		"o}",
		"result", dmarc_result_name(dmarc->result), "disposition",
		dmarc_policy_name(dmarc->disposition), "author", text_json(dmarc->author),
		"policy_domain", text_json(dmarc->policy_domain), "tag",
		dmarc_tag_name(dmarc->tag), "published",
		dmarc_policy_name(dmarc->published), "organizational",
		text_json(dmarc->organizational), "testing",
		(int)dmarc->record.is_testing, "spf",
		spf_result_name(verdicts->spf.result), "dkim",
		dkim_result_name(verdicts->dkim.result), "arc",
		arc_result_name(verdicts->arc.result), "forwarder",
		text_json(verdicts->trust.sealer), "identifiers", identifiers_json(dmarc),
		"why", text_json(dmarc->why), "sentence", text_json(dmarc->sentence),
		"field", text_json(buf_str(&field)), "onward",
		dmarc_onward_name(mailauth_onward(verdicts)), "exception",
		text_json(verdicts->exception));
}

/* ---- the command ------------------------------------------------------------------- */

/* Who brings the mail, as the options say; false, and said so, if that is missing. */
static bool read_client(struct ctl *ctl, struct mailauth_facts *facts)
{
	const char *ip = ctl_value(ctl, CTL_IP), *sender = ctl_value(ctl, CTL_MAILFROM);

	if (!ip || !sender) {
		ctl_fail(ctl, "Who brings the mail is missing.\nNothing was checked.\n"
			      "Give the client's address with --ip, and what it said in "
			      "MAIL FROM with --mailfrom.");
		return false;
	}
	if (!ip_parse(str_c(ip), &facts->ip)) {
		ctl_fail(ctl,
			 "\"%s\" is no Internet address.\nNothing was checked.\n"
			 "Addresses look like 192.0.2.1 or 2001:db8::1.",
			 ip);
		return false;
	}
	facts->sender = str_c(sender);
	if (str_starts(facts->sender, STR("<")) && str_ends(facts->sender, STR(">")))
		facts->sender =
			str_first(str_skip(facts->sender, 1), facts->sender.len - 2);
	facts->helo = str_c(ctl_value(ctl, CTL_HELO));
	facts->receiver = ctl->conf.hostname;
	facts->forwarders = ctl->conf.forwarders;
	return true;
}

static void check(struct ctl *ctl)
{
	SCOPED(mail_file_fini) struct mail_file file = {.header_len = 0};
	const struct dns_lookup *lookup = ctl_lookup(ctl, MAILAUTH_SECONDS);
	struct mailauth_facts facts = {.dkim = NULL};
	struct mailauth_verdicts verdicts;

	if (!read_client(ctl, &facts) || !mail_file_read(ctl, &file))
		return;
	facts.header = mail_file_header(&file);
	SCOPED(dkim_message_free)
	struct dkim_message *message = dkim_message_begin(facts.header, &ctl->arena);
	SCOPED(dkim_verify_free)
	struct dkim_verify *dkim = dkim_verify_begin(message, clock_s());
	SCOPED(arc_verify_free)
	struct arc_verify *arc = arc_verify_begin(message, clock_s());

	dkim_message_feed(message, mail_file_body(&file));
	facts.dkim = dkim;
	facts.arc = arc;
	mailauth_judge(&facts, lookup, &ctl->arena, &verdicts);
	if (verdicts.dmarc.result == DMARC_FAIL && verdicts.trust.result != ARC_TRUSTED)
		verdicts.exception = exceptions_find(ctl->conf.exceptions, &facts,
						     &verdicts, &ctl->arena)
					     .word;
	say(ctl, &facts, &verdicts);
}

static const struct ctl_verb verbs[] = {
	{"check", "FILE",
	 "Judge a mail as if the client given with --ip had brought it now: SPF, its "
	 "DKIM "
	 "signatures, DMARC and the ARC chain.  The first word is the verdict of DMARC: "
	 "pass, fail, "
	 "none, temperror or permerror; then come the domains that are aligned or not, "
	 "the policy, and what the domain wants to be done.",
	 1, 1, CTL_DNS | CTL_IP | CTL_MAILFROM | CTL_HELO, CTL_NEEDS_RESOLVER, check},
};

const struct ctl_word ctl_dmarc = {
	.name = "dmarc",
	.summary = "Whether a mail is from whom it says.",
	.examples = "  postrider dmarc check mail.eml --ip 192.0.2.1 "
		    "--mailfrom ann@example.org\n"
		    "  postrider dmarc check mail.eml --ip 192.0.2.1 --mailfrom \"\" "
		    "--helo mx.example.org --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
