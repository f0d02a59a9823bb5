#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/word.h"
#include "mailauth/spf.h"

static json_t *verdict_json(const struct spf_verdict *verdict)
{
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "result",
			 spf_result_name(verdict->result), "domain",
			 ctl_json(verdict->domain), "record",
			 ctl_json(verdict->record_of), "mechanism",
			 ctl_json(verdict->mechanism), "explanation",
			 ctl_json(verdict->explanation), "why", ctl_json(verdict->why),
			 "sentence", ctl_json(verdict->sentence));
}

static void say(struct ctl *ctl, const char *identity, const struct spf_verdict *verdict)
{
	buf_printf(&ctl->out, "%s: %s\n  %.*s\n", identity,
		   spf_result_name(verdict->result), STR_FMT(verdict->sentence));
	if (verdict->explanation.len > 0)
		buf_printf(&ctl->out, "  %.*s explains: %.*s\n", STR_FMT(verdict->domain),
			   STR_FMT(verdict->explanation));
}

/* "<ann@example.org>" is "ann@example.org". */
static struct str without_brackets(struct str path)
{
	if (str_starts(path, STR("<")) && str_ends(path, STR(">")) && path.len > 1)
		return str_first(str_skip(path, 1), path.len - 2);
	return path;
}

/* Of one of the two names. */
struct asking {
	struct dns_lookup lookup;
	const struct spf_query *query;
	enum spf_identity identity;
	struct arena *arena;
	struct spf_verdict verdict;
};

static void ask(void *arg)
{
	struct asking *asking = arg;

	spf_check(&asking->lookup, asking->query, asking->identity, asking->arena,
		  &asking->verdict);
}

/* They wait together for the DNS. */
static void ask_both(struct ctl *ctl, const struct spf_query *query,
		     struct spf_verdict *sender, struct spf_verdict *helo)
{
	struct errand list[2];
	struct errands errands = {.list = list, .count = COUNT_OF(list)};
	struct dns_errands dns = {ctl_lookup(ctl, SPF_SECONDS), &errands};
	const struct dns_lookup lookup = dns_errands_lookup(&dns);
	struct asking askings[] = {
		{.lookup = lookup, query, SPF_MAIL_FROM, &ctl->arena},
		{.lookup = lookup, query, SPF_HELO, &ctl->arena},
	};

	for (size_t i = 0; i < COUNT_OF(list); i++)
		list[i] = (struct errand){.run = ask, .arg = &askings[i]};
	errands_run(&errands);
	*sender = askings[0].verdict;
	*helo = askings[1].verdict;
}

static void check(struct ctl *ctl)
{
	struct spf_query query = {.helo = ctl->words[1],
				  .sender = without_brackets(ctl->words[2]),
				  .receiver = ctl->conf.hostname};
	struct spf_verdict sender, helo;

	if (!ip_parse(ctl->words[0], &query.ip)) {
		ctl_fail(
			ctl,
			"\"%.*s\" is no Internet address.\nNothing was asked.\nAddresses "
			"look like 192.0.2.1 or 2001:db8::1.",
			STR_FMT(ctl->words[0]));
		return;
	}
	ask_both(ctl, &query, &sender, &helo);
	buf_printf(&ctl->out, "%s\n", spf_result_name(sender.result));
	say(ctl, query.sender.len > 0 ? "MAIL FROM" : "MAIL FROM, which is empty: HELO",
	    &sender);
	if (query.sender.len > 0)
		say(ctl, "HELO", &helo);
	ctl->json =
		json_pack("{s:s,s:o,s:o}", "result", spf_result_name(sender.result),
			  "mailfrom", verdict_json(&sender), "helo", verdict_json(&helo));
}

static const struct ctl_verb verbs[] = {
	{"", "IP HELO MAILFROM",
	 "Say whether the sender's domain lets the client with that address send its "
	 "mail "
	 "(SPF), and which part of its record says so; then the same for the name that "
	 "the "
	 "client says in HELO.  The first word is the verdict on the sender: pass, fail, "
	 "softfail, neutral, none, temperror or permerror.",
	 3, 3, CTL_DNS, CTL_NEEDS_RESOLVER, check},
};

const struct ctl_word ctl_spf = {
	.name = "spf",
	.summary = "Who may send a domain's mail.",
	.examples = "  postrider spf 192.0.2.1 mail.example.org ann@example.org\n"
		    "  postrider spf 2001:db8::1 mail.example.org \"\" --json\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
