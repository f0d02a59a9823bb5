#include "mailauth/dns_lookup.h"

static void ask_resolver(void *context, struct str name, enum dns_type type,
			 struct arena *arena, struct dns_answer *answer)
{
	resolver_ask(context, name, type, arena, answer);
}

struct dns_lookup dns_lookup_by(struct resolver *resolver)
{
	return (struct dns_lookup){ask_resolver, resolver};
}

enum dns_outcome dns_lookup_has_ip(const struct dns_lookup *lookup, struct str name,
				   const struct ip *ip, unsigned bits,
				   struct arena *scratch, bool *has)
{
	struct dns_answer answer;
	struct ip found;

	arena_reset(scratch);
	*has = false;
	lookup->ask(lookup->context, name, ip->len == IP4_BYTES ? DNS_A : DNS_AAAA,
		    scratch, &answer);
	if (answer.outcome != DNS_FOUND)
		return answer.outcome;
	for (size_t i = 0; i < answer.count; i++)
		*has |= ip_read(answer.records[i], &found) &&
			ip_same_prefix(&found, ip, bits);
	return DNS_FOUND;
}
