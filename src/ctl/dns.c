#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/word.h"
#include "publish/plan.h"
#include "resolver/resolver.h"

enum { ANSWER_SECONDS = 20 }; /* one question */

/* DNSSEC's word on it. */
static const char *safety(const struct dns_answer *answer)
{
	if (answer->outcome == DNS_BOGUS || answer->outcome == DNS_UNKNOWN)
		return "";
	return answer->is_secure ? "signed" : "not signed";
}

static void lookup(struct ctl *ctl)
{
	struct dns_answer answer;
	enum dns_type type = DNS_A;

	if (ctl->word_count > 1 && !publish_find_type(ctl->words[1], &type)) {
		ctl_fail(ctl,
			 "\"%.*s\" is no type of record that is known here.\nNothing "
			 "was asked.\nKnown are A, AAAA, MX, TXT, PTR, SRV, TLSA, CNAME "
			 "and CAA.",
			 STR_FMT(ctl->words[1]));
		return;
	}
	dns_ask(ctl_lookup(ctl, ANSWER_SECONDS), ctl->words[0], type, &ctl->arena,
		&answer);
	json_t *records = json_array();

	buf_printf(&ctl->out, "%s%s%s%s%.*s\n", dns_outcome_name(answer.outcome),
		   safety(&answer)[0] || answer.why.len > 0 ? ": " : "", safety(&answer),
		   answer.is_name_gone ? ", there is no such name" : "",
		   STR_FMT(answer.why));
	for (size_t i = 0; i < answer.count; i++) {
		struct str text = publish_data(type, answer.records[i], &ctl->arena);

		buf_printf(&ctl->out, "%.*s\n", STR_FMT(text));
		(void)json_array_append_new(records,
					    json_stringn_nocheck(text.ptr, text.len));
	}
	ctl->json = json_pack(
		"{s:s,s:b,s:I,s:s%,s:s%,s:o}", "outcome",
		dns_outcome_name(answer.outcome), "secure", (int)answer.is_secure, "ttl",
		(json_int_t)answer.ttl_s, "name", answer.name.ptr ? answer.name.ptr : "",
		answer.name.len, "why", answer.why.ptr ? answer.why.ptr : "",
		answer.why.len, "records", records);
}

static const struct ctl_verb verbs[] = {
	{"lookup", "NAME [TYPE]",
	 "Ask the DNS as the server does, and print its answer: found, none, bogus (the "
	 "signatures of DNSSEC are wrong) or unknown (nobody can tell now).",
	 1, 2, CTL_DNS, CTL_NEEDS_RESOLVER, lookup},
	{"records", "DOMAIN",
	 "Print what a domain of ours should have in the DNS, ready to be pasted into "
	 "its "
	 "zone, and why each record is there.  Keys for DKIM are made if it has none.",
	 1, 1, CTL_DNS | CTL_NEXT, CTL_NEEDS_SERVER | CTL_NEEDS_RESOLVER,
	 dns_domain_records},
	{"check", "DOMAIN",
	 "Look each of them up, and say whether it is right, missing, wrong (what is "
	 "there, and what to paste), not needed, or cannot be told now.  The exit status "
	 "is 0 if nothing is to be done.",
	 1, 1, CTL_DNS | CTL_NEXT,
	 CTL_NEEDS_SERVER | CTL_NEEDS_RESOLVER | CTL_NEEDS_FETCH, dns_domain_looks},
	{"publish", "DOMAIN",
	 "Show what has to change in the zone for that, and with --yes change it by a "
	 "dynamic update (RFC 2136), then check.  Records of others stay; new keys are "
	 "published before old ones are taken away.",
	 1, 1, CTL_DNS | CTL_NEXT | CTL_SERVER | CTL_KEY | CTL_YES,
	 CTL_NEEDS_SERVER | CTL_NEEDS_RESOLVER | CTL_NEEDS_FETCH, dns_domain_publish},
	{"spf-wizard", "[DOMAIN]",
	 "Write the SPF record of a domain from a few plain questions, or from options.  "
	 "Each answer is checked, and the look-ups of the whole are counted by making "
	 "them.",
	 0, 1, CTL_DNS | CTL_HOST | CTL_INCLUDE | CTL_OTHER, CTL_NEEDS_RESOLVER,
	 dns_spf_wizard},
};

const struct ctl_word ctl_dns = {
	.name = "dns",
	.summary = "What the DNS says, and what it should say of our domains.",
	.examples = "  postrider dns lookup example.org MX\n"
		    "  postrider dns lookup _25._tcp.mx.example.org TLSA --dns "
		    "127.0.0.1:5353\n"
		    "  postrider dns records example.org\n"
		    "  postrider dns check example.org\n"
		    "  postrider dns publish example.org --server 192.0.2.53 --key "
		    "/etc/postrider/dns.key\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
