#include "publish/plan.h"

#include <openssl/evp.h>

#include "wire/auth/spf.h"

enum { STS_ID_BYTES = 10, SHA256_BYTES = 32, RECORD_TEXT_MAX = 4096 };

struct maker {
	const struct publish_facts *facts;
	struct arena *arena;
	struct publish_plan *plan;
	bool is_full;
};

const char *publish_kind_name(enum publish_kind kind)
{
	switch (kind) {
	case PUBLISH_MX:
		return "mx";
	case PUBLISH_ADDRESS:
		return "address";
	case PUBLISH_PTR:
		return "ptr";
	case PUBLISH_SPF:
		return "spf";
	case PUBLISH_DKIM:
		return "dkim";
	case PUBLISH_DMARC:
		return "dmarc";
	case PUBLISH_TLSA:
		return "tlsa";
	case PUBLISH_MTA_STS:
		return "mta-sts";
	case PUBLISH_TLS_RPT:
		return "tls-rpt";
	case PUBLISH_SRV:
		return "srv";
	case PUBLISH_CAA:
		return "caa";
	case PUBLISH_AUTOCONFIG:
		return "autoconfig";
	case PUBLISH_DNSSEC:
		break;
	}
	return "dnssec";
}

struct str publish_version(enum publish_kind kind)
{
	switch (kind) {
	case PUBLISH_SPF:
		return STR("v=spf1");
	case PUBLISH_DMARC:
		return STR("v=DMARC1");
	case PUBLISH_MTA_STS:
		return STR("v=STSv1");
	case PUBLISH_TLS_RPT:
		return STR("v=TLSRPTv1");
	case PUBLISH_MX:
	case PUBLISH_ADDRESS:
	case PUBLISH_PTR:
	case PUBLISH_DKIM:
	case PUBLISH_TLSA:
	case PUBLISH_SRV:
	case PUBLISH_CAA:
	case PUBLISH_AUTOCONFIG:
	case PUBLISH_DNSSEC:
		break;
	}
	return STR("");
}

/* ---- making records ---------------------------------------------------------------- */

static struct publish_record *add(struct maker *maker, enum publish_kind kind,
				  enum dns_type type, struct str name, struct str data,
				  const char *why)
{
	static struct publish_record nowhere;
	struct publish_plan *plan = maker->plan;

	if (plan->count == PUBLISH_RECORDS_MAX || name.len == 0 || data.len == 0) {
		maker->is_full = true;
		return &nowhere;
	}
	struct publish_record *record = &plan->records[plan->count++];

	*record = (struct publish_record){.kind = kind,
					  .type = type,
					  .name = name,
					  .data = data,
					  .why = str_c(why)};
	return record;
}

/* "PREFIXdomain" */
static struct str below(const struct maker *maker, const char *prefix)
{
	return arena_printf(maker->arena, "%s%.*s", prefix,
			    STR_FMT(maker->facts->domain));
}

static struct str host_dot(const struct maker *maker)
{
	return arena_printf(maker->arena, "%.*s.", STR_FMT(maker->facts->host));
}

/* Names of the mail host, which may belong to another domain. */
static enum publish_place host_place(const struct maker *maker)
{
	return publish_is_within(maker->facts->host, maker->facts->domain)
		       ? PUBLISH_HERE
		       : PUBLISH_ELSEWHERE;
}

static void add_mx(struct maker *maker)
{
	(void)add(maker, PUBLISH_MX, DNS_MX, maker->facts->domain,
		  arena_printf(maker->arena, "10 %.*s.", STR_FMT(maker->facts->host)),
		  "mail to this domain comes to this server");
}

static void add_reverse(struct maker *maker, const struct ip *ip)
{
	SCOPED(buf_fini) struct buf name = BUF(DNS_NAME_MAX);
	struct str copy;

	ip_add_reverse_name(ip, &name);
	if (!arena_copy(maker->arena, buf_str(&name), &copy)) {
		maker->is_full = true;
		return;
	}
	struct publish_record *record =
		add(maker, PUBLISH_PTR, DNS_PTR, copy, host_dot(maker),
		    "whoever lends you the address sets it; many servers refuse mail "
		    "from addresses without it");

	record->place = PUBLISH_ELSEWHERE;
	record->ip = ip;
}

static bool is_among(const struct ip *ip, const struct ip *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ip_same(ip, &all[i]))
			return true;
	return false;
}

static void add_addresses(struct maker *maker)
{
	const struct publish_facts *facts = maker->facts;
	char text[IP_TEXT_BYTES];

	for (size_t i = 0; i < facts->address_count; i++) {
		const struct ip *ip = &facts->addresses[i];
		struct publish_record *record = add(
			maker, PUBLISH_ADDRESS, ip->len == IP4_BYTES ? DNS_A : DNS_AAAA,
			facts->host,
			arena_printf(maker->arena, "%.*s", STR_FMT(ip_text(ip, text))),
			"where this server is");

		record->place = host_place(maker);
		record->ip = ip;
	}
	if (facts->address_count == 0)
		add(maker, PUBLISH_ADDRESS, DNS_A, facts->host, STR("ADDRESS"),
		    "put the public address of this server in the place of ADDRESS; it "
		    "could not be found out")
			->place = PUBLISH_LATER;
	for (size_t i = 0; i < facts->address_count; i++)
		add_reverse(maker, &facts->addresses[i]);
	for (size_t i = 0; i < facts->source_count; i++)
		if (!is_among(&facts->sources[i], facts->addresses, facts->address_count))
			add_reverse(maker, &facts->sources[i]);
}

/* ---- SPF --------------------------------------------------------------------------- */

/* The terms that permit us: RFC 7208 §5. */
static void print_own_terms(const struct publish_facts *facts, struct buf *out)
{
	char text[IP_TEXT_BYTES];

	buf_add_c(out, " mx");
	for (size_t i = 0; i < facts->source_count; i++)
		if (!is_among(&facts->sources[i], facts->addresses, facts->address_count))
			buf_printf(out, " ip%c:%.*s",
				   facts->sources[i].len == IP4_BYTES ? '4' : '6',
				   STR_FMT(ip_text(&facts->sources[i], text)));
	if (facts->relay.len > 0)
		buf_printf(out, " a:%.*s", STR_FMT(facts->relay));
}

static struct str finish(struct buf *out, struct arena *arena)
{
	struct str text = STR("");

	return buf_ok(out) && arena_copy(arena, buf_str(out), &text) ? text : STR("");
}

struct str publish_spf(const struct publish_facts *facts, struct arena *arena)
{
	SCOPED(buf_fini) struct buf out = BUF(RECORD_TEXT_MAX);

	buf_add_c(&out, "v=spf1");
	print_own_terms(facts, &out);
	buf_add_c(&out, " -all");
	return finish(&out, arena);
}

struct str publish_spf_with(struct str record, const struct publish_facts *facts,
			    struct arena *arena)
{
	SCOPED(buf_fini) struct buf out = BUF(RECORD_TEXT_MAX);
	struct spf_record parsed;
	struct str wrong;

	if (!spf_is_record(record) || !spf_record_parse(record, arena, &parsed, &wrong))
		return publish_spf(facts, arena);
	struct str rest = record;
	struct str version = str_cut(&rest, ' ');

	buf_add(&out, version);
	print_own_terms(facts, &out);
	while (rest.len > 0) {
		struct str term = str_cut(&rest, ' ');

		if (term.len > 0 && !str_same_nocase(term, STR("mx")))
			buf_printf(&out, " %.*s", STR_FMT(term));
	}
	return finish(&out, arena);
}

/* ---- the others -------------------------------------------------------------------- */

static void add_dkim(struct maker *maker)
{
	for (size_t i = 0; i < maker->facts->key_count; i++) {
		const struct publish_key *key = &maker->facts->keys[i];
		const char *why = key->is_retired
					  ? "a DKIM key that signs no more; mail that it "
					    "signed is still on its way"
					  : "the key by which others check that our mail "
					    "is ours (DKIM)";

		add(maker, PUBLISH_DKIM, DNS_TXT,
		    arena_printf(maker->arena, "%.*s._domainkey.%.*s",
				 STR_FMT(key->selector), STR_FMT(maker->facts->domain)),
		    key->record, why)
			->is_over = key->is_over;
	}
}

static void add_dmarc(struct maker *maker)
{
	(void)add(maker, PUBLISH_DMARC, DNS_TXT, below(maker, "_dmarc."),
		  arena_printf(maker->arena,
			       "v=DMARC1; p=none; rua=mailto:postmaster@%.*s",
			       STR_FMT(maker->facts->domain)),
		  "begin with p=none and read the reports; then p=quarantine, then "
		  "p=reject");
}

/* RFC 7672 §3.1: DANE-EE(3) SPKI(1) SHA2-256(1). */
static void add_tlsa(struct maker *maker)
{
	const struct publish_facts *facts = maker->facts;
	char hex[2 * SHA256_BYTES + 1];

	for (size_t i = 0; i < facts->pin_count; i++) {
		for (size_t at = 0; at < SHA256_BYTES; at++)
			(void)snprintf(hex + 2 * at, 3, "%02x", facts->pins[i][at]);
		add(maker, PUBLISH_TLSA, DNS_TLSA,
		    arena_printf(maker->arena, "_25._tcp.%.*s", STR_FMT(facts->host)),
		    arena_printf(maker->arena, "3 1 1 %s", hex),
		    i == 0 ? "the key of this server's certificate (DANE; heeded where "
			     "the zone is signed)"
			   : "the key of the next certificate: it must be there two days "
			     "before that is used")
			->place = host_place(maker);
	}
}

static struct str sts_id(struct maker *maker, struct str policy)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	char hex[2 * STS_ID_BYTES + 1];

	ASSERT(EVP_Digest(policy.ptr, policy.len, digest, NULL, EVP_sha256(), NULL) == 1);
	for (size_t i = 0; i < STS_ID_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return arena_printf(maker->arena, "%s", hex);
}

/* RFC 8461 §3.1, §3.2.  The id follows from the policy, so that it changes with it. */
static void add_mta_sts(struct maker *maker)
{
	struct str policy = arena_printf(
		maker->arena,
		"version: STSv1\r\nmode: testing\r\nmx: %.*s\r\nmax_age: 604800\r\n",
		STR_FMT(maker->facts->host));

	maker->plan->sts_policy = policy;
	(void)add(maker, PUBLISH_MTA_STS, DNS_TXT, below(maker, "_mta-sts."),
		  arena_printf(maker->arena, "v=STSv1; id=%.*s",
			       STR_FMT(sts_id(maker, policy))),
		  "says that there is a policy that mail comes over verified TLS "
		  "(MTA-STS); change the id when the policy changes");
	(void)add(maker, PUBLISH_MTA_STS, DNS_CNAME, below(maker, "mta-sts."),
		  host_dot(maker), "the web server that the policy is fetched from");
	(void)add(maker, PUBLISH_TLS_RPT, DNS_TXT, below(maker, "_smtp._tls."),
		  arena_printf(maker->arena, "v=TLSRPTv1; rua=mailto:postmaster@%.*s",
			       STR_FMT(maker->facts->domain)),
		  "others report once a day how TLS with this server went (TLS-RPT)");
}

/* RFC 6186 §3, RFC 8314 §5.1: TLS from the start is preferred. */
static void add_services(struct maker *maker)
{
	for (size_t i = 0; i < maker->facts->service_count; i++) {
		const struct publish_service *service = &maker->facts->services[i];
		bool is_tls_first = str_ends(str_c(service->name), STR("s"));

		(void)add(maker, PUBLISH_SRV, DNS_SRV,
			  arena_printf(maker->arena, "%s._tcp.%.*s", service->name,
				       STR_FMT(maker->facts->domain)),
			  arena_printf(maker->arena, "%d 1 %u %.*s.",
				       is_tls_first ? 0 : 10, service->port,
				       STR_FMT(maker->facts->host)),
			  "mail programs find this server by it");
	}
}

static void add_later(struct maker *maker)
{
	static const char *const names[] = {"autoconfig.", "autodiscover."};
	static const char why[] = "once a web server answers there: some mail programs "
				  "fetch their settings from it";

	add(maker, PUBLISH_CAA, DNS_CAA, maker->facts->host,
	    STR("0 issue \"letsencrypt.org\""),
	    "only this authority may certify this server; put the name of yours there")
		->place = PUBLISH_LATER;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		add(maker, PUBLISH_AUTOCONFIG, DNS_CNAME, below(maker, names[i]),
		    host_dot(maker), why)
			->place = PUBLISH_LATER;
}

bool publish_plan(const struct publish_facts *facts, struct arena *arena,
		  struct publish_plan *plan)
{
	struct maker maker = {facts, arena, plan, false};

	*plan = (struct publish_plan){
		.facts = facts,
		.records = ARENA_ARRAY(arena, struct publish_record, PUBLISH_RECORDS_MAX),
	};
	if (!plan->records)
		return false;
	add_mx(&maker);
	add_addresses(&maker);
	(void)add(&maker, PUBLISH_SPF, DNS_TXT, facts->domain, publish_spf(facts, arena),
		  "only these servers may send mail of this domain (SPF)");
	add_dkim(&maker);
	add_dmarc(&maker);
	add_tlsa(&maker);
	add_mta_sts(&maker);
	add_services(&maker);
	add_later(&maker);
	return !maker.is_full;
}
