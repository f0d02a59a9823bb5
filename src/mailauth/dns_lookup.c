#include "mailauth/dns_lookup.h"

#include "base/num.h"
#include "rt/clock.h"

/* ---- the resolver ------------------------------------------------------------------ */

static void ask_resolver(void *context, const struct dns_question *question,
			 struct arena *arena, struct dns_answer *answer)
{
	resolver_ask_until(context, question, arena, answer);
}

static bool recall_resolver(void *context, const struct dns_question *question,
			    struct arena *arena, struct dns_answer *answer)
{
	return resolver_recall(context, question, arena, answer);
}

struct dns_lookup dns_lookup_by(struct resolver *resolver)
{
	return (struct dns_lookup){ask_resolver, resolver, recall_resolver, 0};
}

/* ---- in time ----------------------------------------------------------------------- */

struct dns_lookup dns_lookup_within(const struct dns_lookup *lookup, unsigned seconds)
{
	deadline_t until = clock_monotonic_ms() + 1000 * (uint64_t)seconds;
	struct dns_lookup within = *lookup;

	within.until = within.until == 0 ? until : num_min(within.until, until);
	return within;
}

void dns_ask(const struct dns_lookup *lookup, struct str name, enum dns_type type,
	     struct arena *arena, struct dns_answer *answer)
{
	const struct dns_question question = {name, type,
					      lookup->until == 0 ? NEVER : lookup->until};

	if (lookup->recall && lookup->recall(lookup->context, &question, arena, answer))
		return;
	if (clock_monotonic_ms() < question.until) {
		lookup->ask(lookup->context, &question, arena, answer);
		return;
	}
	*answer = (struct dns_answer){.outcome = DNS_UNKNOWN,
				      .why = STR("there was no time left to ask")};
}

/* ---- with others ------------------------------------------------------------------- */

static void ask_with_others(void *context, const struct dns_question *question,
			    struct arena *arena, struct dns_answer *answer)
{
	const struct dns_errands *dns = context;

	errands_spread(dns->errands);
	dns->given->ask(dns->given->context, question, arena, answer);
}

static bool recall_given(void *context, const struct dns_question *question,
			 struct arena *arena, struct dns_answer *answer)
{
	const struct dns_errands *dns = context;

	return dns->given->recall &&
	       dns->given->recall(dns->given->context, question, arena, answer);
}

struct dns_lookup dns_errands_lookup(struct dns_errands *dns)
{
	return (struct dns_lookup){ask_with_others, dns, recall_given, dns->given->until};
}

/* ---- addresses --------------------------------------------------------------------- */

enum dns_outcome dns_lookup_has_ip(const struct dns_lookup *lookup, struct str name,
				   const struct ip *ip, unsigned bits,
				   struct arena *scratch, bool *has)
{
	struct dns_answer answer;
	struct ip found;

	arena_reset(scratch);
	*has = false;
	dns_ask(lookup, name, ip->len == IP4_BYTES ? DNS_A : DNS_AAAA, scratch, &answer);
	if (answer.outcome != DNS_FOUND)
		return answer.outcome;
	for (size_t i = 0; i < answer.count; i++)
		*has |= ip_read(answer.records[i], &found) &&
			ip_same_prefix(&found, ip, bits);
	return DNS_FOUND;
}
