#include "mailauth/tls_policy.h"

#include "base/arena.h"

const char *tls_policy_kind_name(enum tls_policy_kind kind)
{
	switch (kind) {
	case TLS_POLICY_NONE:
		return "no-policy-found";
	case TLS_POLICY_STS:
		return "sts";
	case TLS_POLICY_TLSA:
		break;
	}
	return "tlsa";
}

static bool is_alias(const struct tls_host *host)
{
	return host->expanded.len > 0 && !str_same(host->expanded, host->name);
}

size_t tls_host_bases(const struct tls_hop *hop, const struct tls_host *host,
		      struct str bases[2])
{
	if (hop->mx != TLS_KNOWN)
		return 0; /* anybody might have named the host (RFC 7672 §2.2.1) */
	if (!is_alias(host)) {
		bases[0] = host->name;
		return host->address == TLS_KNOWN;
	}
	if (host->address == TLS_KNOWN) {
		bases[0] = host->expanded;
		bases[1] = host->name;
		return 2;
	}
	bases[0] = host->name;
	return host->alias == TLS_KNOWN;
}

/* ---- what a demand may come to ----------------------------------------------------- */

static void refuse(struct tls_demand *demand, enum tls_verdict verdict,
		   enum tls_flaw flaw, const char *status, struct str reason)
{
	demand->verdict = verdict;
	demand->flaw = flaw;
	demand->status = status;
	demand->reason = reason;
}

static void add_name(struct tls_peer *peer, struct str name)
{
	for (size_t i = 0; i < peer->name_count; i++)
		if (str_same(peer->names[i], name))
			return;
	if (name.len > 0 && peer->name_count < TLS_NAMES_MAX)
		peer->names[peer->name_count++] = name;
}

static void verify_name(struct tls_demand *demand, const struct tls_host *host,
			struct str reason)
{
	demand->need = TLS_MUST_BE_VERIFIED;
	demand->peer = (struct tls_peer){.check = TLS_CHECK_NAME, .is_binding = true};
	add_name(&demand->peer, host->name);
	demand->status = "4.7.5";
	demand->reason = reason;
}

/* ---- DANE -------------------------------------------------------------------------- */

/* Something that might be a forgery, or might hide a policy: RFC 7672 §2.1.2. */
static bool stops(struct tls_demand *demand, const struct tls_host *host,
		  enum tls_known known, const char *what, struct arena *arena)
{
	bool is_bogus = known == TLS_KNOWN_BOGUS;

	if (!is_bogus && known != TLS_KNOWN_NOT_NOW)
		return false;
	refuse(demand, TLS_HOST_LATER, is_bogus ? TLS_FLAW_DNSSEC : TLS_FLAW_NONE,
	       is_bogus ? "4.7.5" : "4.4.3",
	       arena_printf(arena, "%s %.*s %s", what, STR_FMT(host->name),
			    is_bogus ? "is signed wrongly (DNSSEC)"
				     : "cannot be looked up now"));
	return true;
}

static size_t usable_records(const struct tls_host *host)
{
	size_t count = 0;

	for (size_t i = 0; i < host->record_count; i++)
		count += tls_can_use(&host->records[i]);
	return count;
}

static void verify_dane(const struct tls_hop *hop, const struct tls_host *host,
			struct arena *arena, struct tls_demand *demand)
{
	demand->kind = TLS_POLICY_TLSA;
	demand->status = "4.7.5";
	demand->peer.names[0] = host->base;
	demand->peer.name_count = 1;
	if (usable_records(host) == 0) {
		/* RFC 7672 §2.2: by TLS, but authentication is not required. */
		demand->need = TLS_MUST;
		demand->flaw = TLS_FLAW_TLSA;
		demand->reason =
			arena_printf(arena, "DANE: no TLSA record of %.*s can be used",
				     STR_FMT(host->base));
		return;
	}
	demand->need = TLS_MUST_BE_VERIFIED;
	demand->peer.check = TLS_CHECK_DANE;
	demand->peer.is_binding = true;
	demand->peer.records = host->records;
	demand->peer.record_count = host->record_count;
	add_name(&demand->peer, hop->domain); /* RFC 7672 §3.2.2 */
	add_name(&demand->peer, hop->expanded);
	demand->reason =
		arena_printf(arena, "DANE: TLSA records of %.*s", STR_FMT(host->base));
}

/* True if DANE has decided. */
static bool try_dane(const struct tls_hop *hop, const struct tls_host *host,
		     struct arena *arena, struct tls_demand *demand)
{
	struct str bases[2];

	if (stops(demand, host, hop->mx, "the MX record that names", arena) ||
	    stops(demand, host, host->address, "the address of", arena))
		return true;
	if (hop->mx == TLS_KNOWN && is_alias(host) && host->address == TLS_KNOWN_NONE &&
	    stops(demand, host, host->alias, "the alias record of", arena))
		return true;
	if (tls_host_bases(hop, host, bases) == 0)
		return false;
	if (stops(demand, host, host->tlsa, "the TLSA record of", arena)) {
		demand->kind = TLS_POLICY_TLSA;
		return true;
	}
	if (host->tlsa != TLS_KNOWN || host->record_count == 0)
		return false;
	verify_dane(hop, host, arena, demand);
	return true;
}

/* ---- MTA-STS ----------------------------------------------------------------------- */

/* Wanted, verified and reported, but it stops nothing. */
static void unbind(struct tls_demand *demand)
{
	demand->need = TLS_MAY;
	demand->peer.is_binding = false;
	demand->status = "";
}

static bool try_sts(const struct tls_hop *hop, const struct tls_host *host,
		    struct arena *arena, struct tls_demand *demand)
{
	const struct mta_sts_policy *sts = hop->sts;

	if (!sts || sts->mode == MTA_STS_NONE)
		return false;
	bool is_testing = sts->mode == MTA_STS_TESTING;

	demand->kind = TLS_POLICY_STS;
	verify_name(demand, host,
		    arena_printf(arena, "MTA-STS: %.*s has the policy \"%s\"",
				 STR_FMT(hop->domain), mta_sts_mode_name(sts->mode)));
	if (is_testing)
		unbind(demand);
	if (mta_sts_has_mx(sts, host->name))
		return true;
	demand->flaw = TLS_FLAW_VALIDATION;
	demand->reason = arena_printf(
		arena, "MTA-STS: %.*s is not in the policy \"%s\" of %.*s",
		STR_FMT(host->name), mta_sts_mode_name(sts->mode), STR_FMT(hop->domain));
	if (!is_testing)
		refuse(demand, TLS_HOST_LATER, demand->flaw, "4.7.5", demand->reason);
	return true;
}

/* ---- the mail's own wish ----------------------------------------------------------- */

/* RFC 8689 §4.2.1: the list of hosts is signed, or the host is in an MTA-STS policy. */
static bool is_host_proven(const struct tls_hop *hop, const struct tls_host *host,
			   unsigned uses)
{
	return hop->mx == TLS_KNOWN ||
	       ((uses & TLS_USE_STS) && hop->sts && hop->sts->mode != MTA_STS_NONE &&
		mta_sts_has_mx(hop->sts, host->name));
}

static void require(const struct tls_hop *hop, const struct tls_host *host, unsigned uses,
		    struct arena *arena, struct tls_demand *demand)
{
	demand->is_requiretls = true;
	if (demand->verdict != TLS_HOST_GOOD)
		return;
	if (hop->mx == TLS_KNOWN_NOT_NOW || hop->mx == TLS_KNOWN_BOGUS) {
		refuse(demand, TLS_HOST_LATER, TLS_FLAW_NONE, "4.7.10",
		       STR("REQUIRETLS: whether the list of hosts is signed cannot be "
			   "told now"));
		return;
	}
	if (!is_host_proven(hop, host, uses)) {
		refuse(demand, TLS_HOST_NEVER, demand->flaw, "5.7.10",
		       arena_printf(arena,
				    "REQUIRETLS: nothing proves that %.*s takes mail for "
				    "%.*s (neither DNSSEC nor MTA-STS)",
				    STR_FMT(host->name), STR_FMT(hop->domain)));
		return;
	}
	if (demand->need != TLS_MUST_BE_VERIFIED)
		verify_name(demand, host,
			    arena_printf(arena, "REQUIRETLS: for %.*s by its name",
					 STR_FMT(host->name)));
	demand->status = "5.7.10";
}

void tls_policy_decide(const struct tls_hop *hop, const struct tls_host *host,
		       enum tls_wish wish, unsigned uses, struct arena *arena,
		       struct tls_demand *demand)
{
	*demand = (struct tls_demand){.status = "",
				      .reason = STR("no policy: opportunistic TLS")};
	add_name(&demand->peer, host->name);
	/* RFC 8461 §2: what DANE says, MTA-STS does not override. */
	if (!(uses & TLS_USE_DANE) || !try_dane(hop, host, arena, demand))
		if (uses & TLS_USE_STS)
			(void)try_sts(hop, host, arena, demand);
	switch (wish) {
	case TLS_WISH_NONE:
		break;
	case TLS_WISH_REQUIRED:
		require(hop, host, uses, arena, demand);
		break;
	case TLS_WISH_OPTIONAL:
		/* RFC 8689 §4.2.2: follow the policy, but do not fail. */
		unbind(demand);
		demand->verdict = TLS_HOST_GOOD;
		demand->reason = arena_printf(arena, "TLS-Required: No; else %.*s",
					      STR_FMT(demand->reason));
		break;
	}
}
