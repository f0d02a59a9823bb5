#include "tlspolicy/policy.h"

#include "base/arena.h"
#include "base/mem.h"
#include "resolver/resolver.h"
#include "tlspolicy/sts.h"

struct policy {
	struct policy_options options;
	struct sts *sts;
};

struct policy *policy_open(const struct policy_options *options)
{
	struct policy *policy = NEW(struct policy);

	policy->options = *options;
	if (policy->options.until == 0)
		policy->options.until = NEVER;
	policy->sts = sts_open(&policy->options);
	return policy;
}

void policy_close(struct policy **policy)
{
	if (!*policy)
		return;
	sts_close(&(*policy)->sts);
	mem_free(*policy);
	*policy = NULL;
}

void policy_hop(struct policy *policy, struct str domain, struct str expanded,
		enum tls_known mx, struct arena *arena, struct policy_hop *hop)
{
	*hop = (struct policy_hop){
		.hop = {.domain = domain, .expanded = expanded, .mx = mx}};
	if ((policy->options.uses & TLS_USE_STS) && policy->options.fetch)
		sts_find(policy->sts, domain, arena, hop);
}

static void ask(const struct policy *policy, struct str name, enum dns_type type,
		struct arena *arena, struct dns_answer *answer)
{
	const struct dns_question question = {name, type, policy->options.until};

	resolver_ask_until(policy->options.resolver, &question, arena, answer);
}

static enum tls_known known(const struct dns_answer *answer)
{
	switch (answer->outcome) {
	case DNS_FOUND:
		return answer->is_secure ? TLS_KNOWN : TLS_KNOWN_NONE;
	case DNS_NONE:
		return TLS_KNOWN_NONE;
	case DNS_BOGUS:
		return TLS_KNOWN_BOGUS;
	case DNS_UNKNOWN:
		break;
	}
	return TLS_KNOWN_NOT_NOW;
}

/* Both kinds of address; what was found counts before what could not be. */
static void ask_addresses(struct policy *policy, struct arena *arena,
			  struct tls_host *host)
{
	static const enum dns_type types[] = {DNS_A, DNS_AAAA};
	bool is_found = false;

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct dns_answer answer;

		ask(policy, host->name, types[i], arena, &answer);
		if (answer.outcome == DNS_FOUND) {
			bool is_first = !is_found;

			is_found = true;
			host->expanded = answer.name;
			if (is_first || !answer.is_secure)
				host->address = known(&answer);
		} else if (!is_found && host->address != TLS_KNOWN_BOGUS) {
			host->address = known(&answer);
		}
	}
}

/* RFC 7672 §2.1.3: the resolver says only whether the whole chain is signed. */
static void ask_alias(struct policy *policy, struct arena *arena, struct tls_host *host)
{
	struct dns_answer answer;

	if (host->address != TLS_KNOWN_NONE || host->expanded.len == 0 ||
	    str_same(host->expanded, host->name))
		return;
	ask(policy, host->name, DNS_CNAME, arena, &answer);
	host->alias = known(&answer);
}

static void take_records(const struct dns_answer *answer, struct arena *arena,
			 struct tls_host *host)
{
	struct dns_tlsa *records = ARENA_ARRAY(arena, struct dns_tlsa, TLS_RECORDS_MAX);

	for (size_t i = 0; records && i < answer->count; i++)
		if (host->record_count < TLS_RECORDS_MAX &&
		    dns_tlsa_read(answer->records[i], &records[host->record_count]))
			host->record_count++;
	host->records = records;
	host->tlsa = host->record_count > 0 ? TLS_KNOWN : TLS_KNOWN_NOT_NOW;
}

/* The first base domain that has signed records, or an answer that stops us. */
static void ask_tlsa(struct policy *policy, const struct tls_hop *hop, uint16_t port,
		     struct arena *arena, struct tls_host *host)
{
	struct str bases[2];
	size_t count = tls_host_bases(hop, host, bases);

	for (size_t i = 0; i < count && host->tlsa == TLS_KNOWN_NONE; i++) {
		struct dns_answer answer;
		struct str name =
			arena_printf(arena, "_%u._tcp.%.*s", port, STR_FMT(bases[i]));

		ask(policy, name, DNS_TLSA, arena, &answer);
		host->base = bases[i];
		host->tlsa = known(&answer);
		if (host->tlsa == TLS_KNOWN)
			take_records(&answer, arena, host);
	}
}

void policy_host(struct policy *policy, const struct policy_hop *hop, struct str name,
		 uint16_t port, enum tls_wish wish, struct arena *arena,
		 struct tls_demand *demand)
{
	struct tls_host host = {.name = name};

	if ((policy->options.uses & TLS_USE_DANE) && hop->hop.mx == TLS_KNOWN) {
		ask_addresses(policy, arena, &host);
		ask_alias(policy, arena, &host);
		ask_tlsa(policy, &hop->hop, port, arena, &host);
	}
	tls_policy_decide(&hop->hop, &host, wish, policy->options.uses, arena, demand);
}
