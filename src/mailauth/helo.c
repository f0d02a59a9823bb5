#include "mailauth/helo.h"

#include "wire/smtp/domain.h"

const char *helo_name(enum helo helo)
{
	switch (helo) {
	case HELO_OWN:
		return "own";
	case HELO_OTHER:
		return "other";
	case HELO_NOWHERE:
		return "nowhere";
	case HELO_MALFORMED:
		return "malformed";
	case HELO_UNKNOWN:
		break;
	}
	return "unknown";
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" */
static enum helo check_literal(struct str name, const struct ip *ip)
{
	struct str inside = str_first(str_skip(name, 1), name.len - 2);
	struct cursor c = cur_over(name);
	struct ip own;

	if (!smtp_literal_take(&c) || !cur_done(c))
		return HELO_MALFORMED;
	if (str_starts_nocase(inside, STR("IPv6:")))
		inside = str_skip(inside, 5);
	if (!ip_parse(inside, &own))
		return HELO_MALFORMED; /* "[192.0.2.01]", which SMTP lets pass */
	return ip_same(&own, ip) ? HELO_OWN : HELO_OTHER;
}

static bool is_domain(struct str name)
{
	struct cursor c = cur_over(name);

	return smtp_domain_take(&c, SMTP_ASCII) && cur_done(c) &&
	       str_find_byte(name, '.') < name.len;
}

/* What an answer about addresses of one kind comes to. */
static enum helo helo_of(enum dns_outcome outcome, bool has)
{
	switch (outcome) {
	case DNS_FOUND:
		return has ? HELO_OWN : HELO_OTHER;
	case DNS_NONE:
		return HELO_NOWHERE;
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		break;
	}
	return HELO_UNKNOWN;
}

enum helo helo_check(const struct dns_lookup *lookup, const struct ip *ip,
		     struct str name)
{
	const struct ip other_kind = {.len = ip->len == IP4_BYTES ? IP6_BYTES
								  : IP4_BYTES};
	SCOPED(arena_fini) struct arena scratch;
	enum dns_outcome outcome;
	bool has;

	arena_init(&scratch, DNS_SCRATCH_BYTES);
	if (str_starts(name, STR("[")))
		return check_literal(name, ip);
	if (!is_domain(name))
		return HELO_MALFORMED;
	outcome = dns_lookup_has_ip(lookup, name, ip, (unsigned)ip->len * 8, &scratch,
				    &has);
	if (outcome != DNS_NONE)
		return helo_of(outcome, has);
	outcome = dns_lookup_has_ip(lookup, name, &other_kind, 0, &scratch, &has);
	return helo_of(outcome, false);
}
