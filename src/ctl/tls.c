#include <jansson.h>

#include "ctl/lookups.h"
#include "ctl/word.h"
#include "resolver/resolver.h"
#include "tlspolicy/policy.h"

enum { HOSTS_MAX = 50, PORT = 25, SECONDS = 20 /* for all that is asked */ };

/* Where the domain takes mail: RFC 5321 §5.1.  False, and said, if that cannot be told.
 */
static bool find_hosts(struct ctl *ctl, struct str domain, struct str *hosts,
		       size_t *count, struct dns_answer *answer)
{
	struct dns_mx mx;

	dns_ask(ctl_lookup(ctl, SECONDS), domain, DNS_MX, &ctl->arena, answer);
	*count = 0;
	if (answer->outcome == DNS_BOGUS || answer->outcome == DNS_UNKNOWN) {
		ctl_fail(ctl,
			 "Where %.*s takes mail cannot be told: %.*s.\nMail to it would "
			 "wait.",
			 STR_FMT(domain), STR_FMT(answer->why));
		return false;
	}
	for (size_t i = 0; i < answer->count && *count < HOSTS_MAX; i++)
		if (dns_mx_read(answer->records[i], &ctl->arena, &mx) && mx.host.len > 0)
			hosts[(*count)++] = mx.host;
	if (answer->outcome == DNS_NONE)
		hosts[(*count)++] = domain;
	return true;
}

static const char *need_text(const struct tls_demand *demand)
{
	if (demand->verdict != TLS_HOST_GOOD)
		return demand->verdict == TLS_HOST_LATER ? "not used now" : "not used";
	switch (demand->need) {
	case TLS_MAY:
		return "TLS if offered";
	case TLS_MUST:
		return "TLS required";
	case TLS_MUST_BE_VERIFIED:
		break;
	}
	return "verified TLS required";
}

static json_t *say_host(struct ctl *ctl, struct str host, const struct tls_demand *demand)
{
	const char *need = need_text(demand), *flaw = tls_flaw_name(demand->flaw);

	buf_printf(&ctl->out, "%.*s: %s (%.*s)\n", STR_FMT(host), need,
		   STR_FMT(demand->reason));
	return json_pack("{s:o,s:s,s:s,s:o,s:s}", "host", ctl_json(host), "tls", need,
			 "policy", tls_policy_kind_name(demand->kind), "reason",
			 ctl_json(demand->reason), "flaw", flaw);
}

static json_t *say_domain(struct ctl *ctl, const struct policy_hop *hop)
{
	const char *sts = hop->hop.sts ? mta_sts_mode_name(hop->sts.mode) : "";
	bool is_secure = hop->hop.mx == TLS_KNOWN;

	buf_printf(&ctl->out, "%.*s: MX %s", STR_FMT(hop->hop.domain),
		   is_secure ? "signed" : "not signed");
	if (sts[0])
		buf_printf(&ctl->out, ", MTA-STS policy \"%s\"", sts);
	if (hop->sts_flaw != TLS_FLAW_NONE)
		buf_printf(&ctl->out, ", no MTA-STS policy: %s (%.*s)",
			   tls_flaw_name(hop->sts_flaw), STR_FMT(hop->sts_why));
	buf_add_byte(&ctl->out, '\n');
	return json_pack("{s:o,s:b,s:s,s:s,s:o,s:o}", "domain", ctl_json(hop->hop.domain),
			 "secure", (int)is_secure, "mta-sts", sts, "flaw",
			 tls_flaw_name(hop->sts_flaw), "why", ctl_json(hop->sts_why),
			 "hosts", json_array());
}

static void check(struct ctl *ctl)
{
	const struct policy_options options = {
		.resolver = ctl->resolver,
		.fetch = ctl->fetch,
		.uses = (ctl->conf.is_dane_heeded ? TLS_USE_DANE : 0u) |
			(ctl->conf.is_mta_sts_heeded ? TLS_USE_STS : 0u),
		.sts_port = (uint16_t)ctl->conf.mta_sts_port,
		.until = ctl_lookup(ctl, SECONDS)->until,
	};
	SCOPED(policy_close) struct policy *policy = policy_open(&options);
	struct str hosts[HOSTS_MAX + 1];
	struct dns_answer mx;
	struct policy_hop hop;
	struct tls_demand demand;
	size_t count;

	if (!find_hosts(ctl, ctl->words[0], hosts, &count, &mx))
		return;
	policy_hop(policy, ctl->words[0], mx.name,
		   mx.is_secure ? TLS_KNOWN : TLS_KNOWN_NONE, &ctl->arena, &hop);
	ctl->json = say_domain(ctl, &hop);
	for (size_t i = 0; i < count; i++) {
		policy_host(policy, &hop, hosts[i], PORT, TLS_WISH_NONE, &ctl->arena,
			    &demand);
		(void)json_array_append_new(json_object_get(ctl->json, "hosts"),
					    say_host(ctl, hosts[i], &demand));
	}
}

static const struct ctl_verb verbs[] = {
	{"check", "DOMAIN",
	 "Say what TLS mail to a domain needs, for each of its servers, and why: DANE, "
	 "MTA-STS, or neither.  Nothing that the server remembers is used or changed.",
	 1, 1, 0, CTL_NEEDS_RESOLVER | CTL_NEEDS_FETCH, check},
};

const struct ctl_word ctl_tls = {
	.name = "tls",
	.summary = "What TLS other mail servers ask for.",
	.examples = "  postrider tls check example.org\n",
	.verbs = verbs,
	.verb_count = COUNT_OF(verbs),
};
