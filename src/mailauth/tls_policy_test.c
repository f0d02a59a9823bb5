#include "mailauth/tls_policy.h"

#include "base/arena.h"
#include "base/test.h"

/* One word a case: what the DNS said.  s signed, - none or unsigned, b bogus, ? no
 * answer. */
static enum tls_known known(char c)
{
	return c == 's'   ? TLS_KNOWN
	       : c == 'b' ? TLS_KNOWN_BOGUS
	       : c == '?' ? TLS_KNOWN_NOT_NOW
			  : TLS_KNOWN_NONE;
}

#define DIGEST "0123456789abcdef0123456789abcdef"

static const struct dns_tlsa good = {3, 1, 1, {DIGEST, 32}};
static const struct dns_tlsa anchor = {2, 0, 1, {DIGEST, 32}};
static const struct dns_tlsa pkix = {1, 1, 1, {DIGEST, 32}};
static const struct dns_tlsa cut = {3, 1, 1, {DIGEST, 31}};
static const struct dns_tlsa unknown = {3, 1, 9, {DIGEST, 32}};
static const struct dns_tlsa no_der = {3, 0, 0, {DIGEST, 32}};

/* The records of a case, by letters. */
static size_t fill(const char *letters, struct dns_tlsa *records)
{
	size_t count = 0;

	for (; *letters; letters++)
		records[count++] = *letters == 'g'   ? good
				   : *letters == 'a' ? anchor
				   : *letters == 'p' ? pkix
				   : *letters == 'c' ? cut
				   : *letters == 'f' ? no_der
						     : unknown;
	return count;
}

enum { BOTH = TLS_USE_DANE | TLS_USE_STS };

struct one {
	const char *name;
	const char *dns;     /* MX, address, alias, TLSA */
	const char *records; /* letters */
	const char *sts;     /* "" none, else mode letter n t e and the pattern */
	enum tls_wish wish;
	unsigned uses;
	enum tls_verdict verdict;
	enum tls_need need;
	enum tls_check check;
	enum tls_policy_kind kind;
	enum tls_flaw flaw;
};

/* Shorthands for the right half. */
#define GOOD(need, check, kind, flaw)                                                    \
	TLS_HOST_GOOD, TLS_##need, TLS_CHECK_##check, TLS_POLICY_##kind, flaw
#define MAY_PLAIN         GOOD(MAY, NOTHING, NONE, 0)
#define DANE_HOLDS        GOOD(MUST_BE_VERIFIED, DANE, TLSA, 0)
#define DANE_BLIND        GOOD(MUST, NOTHING, TLSA, TLS_FLAW_TLSA)
#define STS_HOLDS         GOOD(MUST_BE_VERIFIED, NAME, STS, 0)
#define STS_TESTED        GOOD(MAY, NAME, STS, 0)
#define NAME_HOLDS        GOOD(MUST_BE_VERIFIED, NAME, NONE, 0)
#define LATER(kind, flaw) TLS_HOST_LATER, TLS_MAY, TLS_CHECK_NOTHING, kind, flaw
#define UNLISTED                                                                         \
	TLS_HOST_LATER, TLS_MUST_BE_VERIFIED, TLS_CHECK_NAME, TLS_POLICY_STS,            \
		TLS_FLAW_VALIDATION

static const struct one cases[] = {
	{"nothing is published", "----", "", "", 0, BOTH, MAY_PLAIN},
	{"all is signed, no records", "ss--", "", "", 0, BOTH, MAY_PLAIN},
	{"DANE-EE", "ss-s", "g", "", 0, BOTH, DANE_HOLDS},
	{"DANE-TA", "ss-s", "a", "", 0, BOTH, DANE_HOLDS},
	{"unsigned list of hosts", "-s-s", "g", "", 0, BOTH, MAY_PLAIN},
	{"unsigned address", "s--s", "g", "", 0, BOTH, MAY_PLAIN},
	{"unsigned records", "ss--", "g", "", 0, BOTH, MAY_PLAIN},
	{"DANE is not heeded", "ss-s", "g", "", 0, TLS_USE_STS, MAY_PLAIN},
	{"PKIX-EE only", "ss-s", "p", "", 0, BOTH, DANE_BLIND},
	{"a digest cut short", "ss-s", "c", "", 0, BOTH, DANE_BLIND},
	{"an unknown digest", "ss-s", "u", "", 0, BOTH, DANE_BLIND},
	{"a whole certificate that is none", "ss-s", "f", "", 0, BOTH, DANE_BLIND},
	{"usable among unusable", "ss-s",
	 "pcuf"
	 "g",
	 "", 0, BOTH, DANE_HOLDS},
	{"bogus TLSA", "ss-b", "", "", 0, BOTH, LATER(TLS_POLICY_TLSA, TLS_FLAW_DNSSEC)},
	{"no answer about TLSA", "ss-?", "", "", 0, BOTH,
	 LATER(TLS_POLICY_TLSA, TLS_FLAW_NONE)},
	{"bogus address", "sb--", "", "", 0, BOTH,
	 LATER(TLS_POLICY_NONE, TLS_FLAW_DNSSEC)},
	{"bogus list of hosts", "bs--", "", "", 0, BOTH,
	 LATER(TLS_POLICY_NONE, TLS_FLAW_DNSSEC)},
	{"bogus TLSA where nobody asks", "-s-b", "", "", 0, BOTH, MAY_PLAIN},
	{"no answer about TLSA of an unsigned host", "s--?", "", "", 0, BOTH, MAY_PLAIN},
	{"a downgrade: TLSA withheld, policy there", "ss-?", "", "e*.example.org", 0,
	 BOTH, LATER(TLS_POLICY_TLSA, TLS_FLAW_NONE)},
	{"enforce", "----", "", "emx.example.org", 0, BOTH, STS_HOLDS},
	{"enforce, wildcard", "----", "", "e*.example.org", 0, BOTH, STS_HOLDS},
	{"enforce, a wildcard is one label", "----", "", "e*.org", 0, BOTH, UNLISTED},
	{"enforce, another host", "----", "", "emx2.example.org", 0, BOTH, UNLISTED},
	{"enforce, a redirected MX", "-s--", "", "emx.example.com", 0, BOTH, UNLISTED},
	{"testing", "----", "", "tmx.example.org", 0, BOTH, STS_TESTED},
	{"testing, another host", "----", "", "tmx2.example.org", 0, BOTH, TLS_HOST_GOOD,
	 TLS_MAY, TLS_CHECK_NAME, TLS_POLICY_STS, TLS_FLAW_VALIDATION},
	{"mode none", "----", "", "nmx2.example.org", 0, BOTH, MAY_PLAIN},
	{"MTA-STS is not heeded", "----", "", "emx2.example.org", 0, TLS_USE_DANE,
	 MAY_PLAIN},
	{"signed, but no records: MTA-STS", "ss--", "", "e*.example.org", 0, BOTH,
	 STS_HOLDS},
	{"DANE before MTA-STS", "ss-s", "g", "e*.example.org", 0, BOTH, DANE_HOLDS},
	{"DANE before MTA-STS that forbids", "ss-s", "g", "emx2.example.org", 0, BOTH,
	 DANE_HOLDS},
	{"REQUIRETLS by DANE", "ss-s", "g", "", TLS_WISH_REQUIRED, BOTH, DANE_HOLDS},
	{"REQUIRETLS by a signed MX", "ss--", "", "", TLS_WISH_REQUIRED, BOTH,
	 NAME_HOLDS},
	{"REQUIRETLS, unusable TLSA", "ss-s", "p", "", TLS_WISH_REQUIRED, BOTH,
	 TLS_HOST_GOOD, TLS_MUST_BE_VERIFIED, TLS_CHECK_NAME, TLS_POLICY_TLSA,
	 TLS_FLAW_TLSA},
	{"REQUIRETLS by MTA-STS", "----", "", "e*.example.org", TLS_WISH_REQUIRED, BOTH,
	 STS_HOLDS},
	{"REQUIRETLS by MTA-STS in testing", "----", "", "t*.example.org",
	 TLS_WISH_REQUIRED, BOTH, STS_HOLDS},
	{"REQUIRETLS, nothing proves the host", "----", "", "", TLS_WISH_REQUIRED, BOTH,
	 TLS_HOST_NEVER, TLS_MAY, TLS_CHECK_NOTHING, TLS_POLICY_NONE, 0},
	{"REQUIRETLS, testing and another host", "----", "", "tmx2.example.org",
	 TLS_WISH_REQUIRED, BOTH, TLS_HOST_NEVER, TLS_MAY, TLS_CHECK_NAME, TLS_POLICY_STS,
	 TLS_FLAW_VALIDATION},
	{"REQUIRETLS, bogus", "ss-b", "", "", TLS_WISH_REQUIRED, BOTH,
	 LATER(TLS_POLICY_TLSA, TLS_FLAW_DNSSEC)},
	{"REQUIRETLS, DANE is not heeded and the MX bogus", "bs--", "", "",
	 TLS_WISH_REQUIRED, TLS_USE_STS, LATER(TLS_POLICY_NONE, TLS_FLAW_NONE)},
	{"TLS-Required: No and DANE", "ss-s", "g", "", TLS_WISH_OPTIONAL, BOTH,
	 TLS_HOST_GOOD, TLS_MAY, TLS_CHECK_DANE, TLS_POLICY_TLSA, 0},
	{"TLS-Required: No and bogus", "ss-b", "", "", TLS_WISH_OPTIONAL, BOTH,
	 TLS_HOST_GOOD, TLS_MAY, TLS_CHECK_NOTHING, TLS_POLICY_TLSA, TLS_FLAW_DNSSEC},
	{"TLS-Required: No and MTA-STS", "----", "", "emx2.example.org",
	 TLS_WISH_OPTIONAL, BOTH, TLS_HOST_GOOD, TLS_MAY, TLS_CHECK_NAME, TLS_POLICY_STS,
	 TLS_FLAW_VALIDATION},
};

/* What every demand keeps to. */
static void check_sense(const struct tls_demand *demand)
{
	CHECK(demand->peer.name_count > 0 && demand->reason.len > 0);
	CHECK(demand->peer.is_binding == (demand->need == TLS_MUST_BE_VERIFIED));
	CHECK(demand->need != TLS_MUST_BE_VERIFIED ||
	      demand->peer.check != TLS_CHECK_NOTHING);
	CHECK((demand->verdict == TLS_HOST_GOOD && demand->need == TLS_MAY) ==
	      (demand->status[0] == 0));
	CHECK((demand->verdict == TLS_HOST_NEVER) <= (demand->status[0] == '5'));
}

TEST(each_case_has_its_demand)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct one *c = &cases[i];
		SCOPED(arena_fini) struct arena arena;
		struct dns_tlsa records[8];
		const struct str pattern = str_c(c->sts[0] ? c->sts + 1 : "");
		const struct mta_sts_policy sts = {
			.mode = c->sts[0] == 'e'   ? MTA_STS_ENFORCE
				: c->sts[0] == 't' ? MTA_STS_TESTING
						   : MTA_STS_NONE,
			.mx = &pattern,
			.mx_count = 1,
		};
		const struct tls_hop hop = {.domain = STR("example.org"),
					    .mx = known(c->dns[0]),
					    .sts = c->sts[0] ? &sts : NULL};
		const struct tls_host host = {.name = STR("mx.example.org"),
					      .expanded = STR("mx.example.org"),
					      .address = known(c->dns[1]),
					      .alias = known(c->dns[2]),
					      .base = STR("mx.example.org"),
					      .tlsa = known(c->dns[3]),
					      .records = records,
					      .record_count = fill(c->records, records)};
		struct tls_demand demand;

		arena_init(&arena, 10000);
		tls_policy_decide(&hop, &host, c->wish, c->uses, &arena, &demand);
		bool is_right = demand.verdict == c->verdict && demand.need == c->need &&
				demand.peer.check == c->check && demand.kind == c->kind &&
				demand.flaw == c->flaw;

		if (!is_right)
			test_failed(__FILE__, __LINE__, c->name);
		CHECK(demand.is_requiretls == (c->wish == TLS_WISH_REQUIRED));
		check_sense(&demand);
	}
}

/* RFC 7672 §2.2.2: where the TLSA records of an alias are. */
TEST(the_records_of_an_alias_are_looked_for_in_order)
{
	static const struct {
		char mx, address, alias;
		const char *expanded, *first, *second;
	} rows[] = {
		{'s', 's', '-', "mx.example.org", "mx.example.org", NULL},
		{'s', '-', '-', "mx.example.org", NULL, NULL},
		{'s', 's', 's', "host.example.net", "host.example.net", "mx.example.org"},
		{'s', '-', 's', "host.example.net", "mx.example.org", NULL},
		{'s', '-', '-', "host.example.net", NULL, NULL},
		{'-', 's', 's', "host.example.net", NULL, NULL},
		{'-', 's', 's', "mx.example.org", NULL, NULL},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct tls_hop hop = {.mx = known(rows[i].mx)};
		const struct tls_host host = {.name = STR("mx.example.org"),
					      .expanded = str_c(rows[i].expanded),
					      .address = known(rows[i].address),
					      .alias = known(rows[i].alias)};
		struct str bases[2] = {STR(""), STR("")};
		size_t count = tls_host_bases(&hop, &host, bases);

		CHECK(count ==
		      (size_t)(rows[i].first != NULL) + (size_t)(rows[i].second != NULL));
		CHECK(count < 1 || str_same(bases[0], str_c(rows[i].first)));
		CHECK(count < 2 || str_same(bases[1], str_c(rows[i].second)));
	}
}

TEST(an_alias_whose_record_is_bogus_or_silent_waits)
{
	SCOPED(arena_fini) struct arena arena;
	const struct tls_hop hop = {.domain = STR("example.org"), .mx = TLS_KNOWN};
	struct tls_host host = {.name = STR("mx.example.org"),
				.expanded = STR("host.example.net"),
				.alias = TLS_KNOWN_BOGUS};
	struct tls_demand demand;

	arena_init(&arena, 10000);
	tls_policy_decide(&hop, &host, TLS_WISH_NONE, BOTH, &arena, &demand);
	CHECK(demand.verdict == TLS_HOST_LATER && demand.flaw == TLS_FLAW_DNSSEC);
	host.alias = TLS_KNOWN_NOT_NOW;
	tls_policy_decide(&hop, &host, TLS_WISH_NONE, BOTH, &arena, &demand);
	CHECK(demand.verdict == TLS_HOST_LATER && demand.flaw == TLS_FLAW_NONE);
	CHECK_STR(demand.reason,
		  STR("the alias record of mx.example.org cannot be looked up now"));
}

/* RFC 7672 §3.2.2: the base domain first, then the next hop, then what it is an alias
 * of. */
TEST(names_are_accepted_in_order)
{
	SCOPED(arena_fini) struct arena arena;
	const struct tls_hop hop = {.domain = STR("exchange.example.org"),
				    .expanded = STR("example.com"),
				    .mx = TLS_KNOWN};
	const struct tls_host host = {.name = STR("mx20.example.com"),
				      .expanded = STR("mxbackup.example.net"),
				      .address = TLS_KNOWN,
				      .base = STR("mxbackup.example.net"),
				      .tlsa = TLS_KNOWN,
				      .records = &anchor,
				      .record_count = 1};
	struct tls_demand demand;

	arena_init(&arena, 10000);
	tls_policy_decide(&hop, &host, TLS_WISH_NONE, BOTH, &arena, &demand);
	CHECK(demand.peer.name_count == 3);
	CHECK_STR(demand.peer.names[0], STR("mxbackup.example.net"));
	CHECK_STR(demand.peer.names[1], STR("exchange.example.org"));
	CHECK_STR(demand.peer.names[2], STR("example.com"));
}
