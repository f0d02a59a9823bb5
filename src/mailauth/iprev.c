#include "mailauth/iprev.h"

const char *iprev_result_name(enum iprev_result result)
{
	switch (result) {
	case IPREV_PASS:
		return "pass";
	case IPREV_FAIL:
		return "fail";
	case IPREV_TEMPERROR:
		return "temperror";
	case IPREV_PERMERROR:
		break;
	}
	return "permerror";
}

/* The first of the names it says to have. */
static enum dns_outcome claimed_names(const struct dns_lookup *lookup,
				      const struct ip *ip, struct arena *arena,
				      struct arena *scratch, struct str *names,
				      size_t *count)
{
	SCOPED(buf_fini) struct buf reverse = BUF(DNS_NAME_MAX);
	struct dns_answer answer;

	ip_add_reverse_name(ip, &reverse);
	dns_ask(lookup, buf_str(&reverse), DNS_PTR, scratch, &answer);
	for (size_t i = 0; i < answer.count && i < IPREV_NAMES_MAX; i++)
		if (dns_host_read(answer.records[i], arena, &names[*count]))
			++*count;
	return answer.outcome;
}

void iprev_check(const struct dns_lookup *lookup, const struct ip *ip,
		 struct arena *arena, struct iprev *iprev)
{
	SCOPED(arena_fini) struct arena scratch;
	struct str claimed[IPREV_NAMES_MAX];
	size_t count = 0;
	bool is_unsure = false, has;

	*iprev = (struct iprev){.result = IPREV_PERMERROR};
	arena_init(&scratch, DNS_SCRATCH_BYTES);
	enum dns_outcome outcome =
		claimed_names(lookup, ip, arena, &scratch, claimed, &count);

	if (outcome == DNS_BOGUS || outcome == DNS_UNKNOWN)
		iprev->result = IPREV_TEMPERROR;
	if (outcome != DNS_FOUND)
		return;
	for (size_t i = 0; i < count; i++) {
		outcome = dns_lookup_has_ip(lookup, claimed[i], ip, (unsigned)ip->len * 8,
					    &scratch, &has);
		is_unsure |= outcome == DNS_BOGUS || outcome == DNS_UNKNOWN;
		if (has)
			iprev->names[iprev->count++] = claimed[i];
	}
	iprev->result = iprev->count > 0 ? IPREV_PASS
			: is_unsure      ? IPREV_TEMPERROR
					 : IPREV_FAIL;
}
