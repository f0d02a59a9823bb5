#include "mailauth/spf.h"

#include "mailauth/iprev.h"
#include "mailauth/spf_say.h"
#include "rt/clock.h"
#include "wire/auth/spf_macro.h"

/* For each level of "include" and "redirect" one record, and the names it makes. */
enum { RECORDS_BYTES = 4 * 1024 * 1024 };

struct check {
	struct dns_lookup lookup;
	struct arena *arena;  /* of the verdict */
	struct arena records; /* until the end of the check */
	struct arena scratch; /* one answer */
	struct spf_macros macros;
	unsigned terms, voids;
	struct iprev iprev;
	bool has_iprev;
	struct spf_verdict *verdict;
};

enum step { STEP_NO_MATCH, STEP_MATCH, STEP_TEMPERROR, STEP_PERMERROR };

/* ---- asking ------------------------------------------------------------------------ */

/* One that cannot be asked for is not there. */
static void ask(struct check *check, struct str name, enum dns_type type,
		struct dns_answer *answer)
{
	arena_reset(&check->scratch);
	dns_ask(&check->lookup, name, type, &check->scratch, answer);
}

static enum step unknown(struct check *check, struct str name, struct str why)
{
	check->verdict->why =
		arena_printf(check->arena, "the DNS gave no answer for %.*s%s%.*s",
			     STR_FMT(name), why.len > 0 ? ": " : "", STR_FMT(why));
	return STEP_TEMPERROR;
}

static enum step wrong(struct check *check, const char *what, struct str text)
{
	check->verdict->why = arena_printf(check->arena, "%s%.*s", what,
					   STR_FMT(spf_printable(check->arena, text)));
	return STEP_PERMERROR;
}

static enum step count_term(struct check *check, struct str text)
{
	if (++check->terms > SPF_LOOKUP_TERMS_MAX)
		return wrong(check, "more than 10 of its terms ask the DNS, up to ",
			     text);
	return STEP_NO_MATCH;
}

/* A term that found nothing where it asked. */
static enum step count_void(struct check *check, struct str name)
{
	if (++check->voids > SPF_VOIDS_MAX)
		return wrong(check,
			     "more than 2 of its terms name what is not there, up to ",
			     name);
	return STEP_NO_MATCH;
}

/* ---- names ------------------------------------------------------------------------- */

static const struct iprev *names_of_client(struct check *check)
{
	if (!check->has_iprev)
		iprev_check(&check->lookup, &check->macros.ip, &check->records,
			    &check->iprev);
	check->has_iprev = true;
	return &check->iprev;
}

static bool is_subdomain(struct str name, struct str domain)
{
	size_t ahead = name.len - domain.len;

	return name.len > domain.len && name.ptr[ahead - 1] == '.' &&
	       str_same_nocase(str_skip(name, ahead), domain);
}

/* The "p" macro: the domain itself, else a name within it, else any.  RFC 7208 §7.3. */
static struct str validated_name(struct check *check)
{
	const struct iprev *iprev = names_of_client(check);
	struct str domain = check->macros.domain;

	for (size_t i = 0; i < iprev->count; i++)
		if (str_same_nocase(iprev->names[i], domain))
			return iprev->names[i];
	for (size_t i = 0; i < iprev->count; i++)
		if (is_subdomain(iprev->names[i], domain))
			return iprev->names[i];
	return iprev->count > 0 ? iprev->names[0] : STR("unknown");
}

static void expand(struct check *check, struct str text, struct buf *out)
{
	if (spf_macro_has(text, 'p'))
		check->macros.validated = validated_name(check);
	spf_macro_expand(text, &check->macros, out);
}

/* target-name; without a domain-spec it is the domain.  "" where it would be too long.
 * RFC 7208 §4.8. */
static struct str target_name(struct check *check, struct str domain_spec)
{
	SCOPED(buf_fini) struct buf name = BUF(SPF_EXPANDED_MAX);
	struct str copy;

	if (domain_spec.len == 0)
		return check->macros.domain;
	expand(check, domain_spec, &name);
	if (!buf_ok(&name) ||
	    !arena_copy(&check->records, spf_fit_name(buf_str(&name)), &copy))
		return STR("");
	return copy;
}

/* ---- mechanisms -------------------------------------------------------------------- */

/* Whether the client's address is one of the name's; *is_void if it has none. */
static enum step match_host(struct check *check, struct str name,
			    const struct spf_directive *directive, bool *is_void)
{
	const struct ip *ip = &check->macros.ip;
	unsigned bits = ip->len == IP4_BYTES ? directive->bits4 : directive->bits6;
	bool has;

	switch (dns_lookup_has_ip(&check->lookup, name, ip, bits, &check->scratch,
				  &has)) {
	case DNS_FOUND:
		*is_void = false;
		return has ? STEP_MATCH : STEP_NO_MATCH;
	case DNS_NONE:
		*is_void = true;
		return STEP_NO_MATCH;
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		break;
	}
	return unknown(check, name, STR("")); /* of a host: its addresses */
}

/* RFC 7208 §5.3 */
static enum step on_a(struct check *check, const struct spf_directive *directive,
		      struct str name)
{
	bool is_void = false;
	enum step step = match_host(check, name, directive, &is_void);

	return is_void ? count_void(check, name) : step;
}

/* RFC 7208 §5.4: no implicit MX.  RFC 7505: the null MX is no host. */
static enum step on_mx(struct check *check, const struct spf_directive *directive,
		       struct str name)
{
	struct str hosts[SPF_HOSTS_MAX];
	struct dns_answer answer;
	bool is_void = true, is_host_void;
	size_t count = 0;
	struct dns_mx mx;

	ask(check, name, DNS_MX, &answer);
	if (answer.outcome == DNS_BOGUS || answer.outcome == DNS_UNKNOWN)
		return unknown(check, name, answer.why);
	if (answer.count > SPF_HOSTS_MAX)
		return wrong(check, "there are more than 10 MX records of ", name);
	for (size_t i = 0; i < answer.count; i++) {
		if (!dns_mx_read(answer.records[i], &check->records, &mx))
			continue;
		is_void &= mx.host.len > 0;
		if (mx.host.len > 0)
			hosts[count++] = mx.host;
	}
	for (size_t i = 0; i < count; i++) {
		enum step step = match_host(check, hosts[i], directive, &is_host_void);

		if (step != STEP_NO_MATCH)
			return step;
		is_void &= is_host_void;
	}
	return is_void ? count_void(check, name) : STEP_NO_MATCH;
}

/* RFC 7208 §5.5: errors of the DNS are no match. */
static enum step on_ptr(struct check *check, const struct spf_directive *directive,
			struct str name)
{
	const struct iprev *iprev = names_of_client(check);

	(void)directive;
	for (size_t i = 0; i < iprev->count; i++)
		if (str_same_nocase(iprev->names[i], name) ||
		    is_subdomain(iprev->names[i], name))
			return STEP_MATCH;
	return iprev->result == IPREV_PERMERROR ? count_void(check, name) : STEP_NO_MATCH;
}

/* RFC 7208 §5.7: A records, also for IPv6. */
static enum step on_exists(struct check *check, const struct spf_directive *directive,
			   struct str name)
{
	struct dns_answer answer;

	(void)directive;
	ask(check, name, DNS_A, &answer);
	switch (answer.outcome) {
	case DNS_FOUND:
		return STEP_MATCH;
	case DNS_NONE:
		return count_void(check, name);
	case DNS_BOGUS:
	case DNS_UNKNOWN:
		break;
	}
	return unknown(check, name, answer.why);
}

static enum spf_result check_host(struct check *check, struct str domain, unsigned depth);

/* The table of RFC 7208 §5.2. */
static enum step on_include(struct check *check, const struct spf_directive *directive,
			    struct str name, unsigned depth)
{
	struct str domain = check->macros.domain;
	enum spf_result result = check_host(check, name, depth + 1);

	check->macros.domain = domain;
	switch (result) {
	case SPF_PASS:
		return STEP_MATCH;
	case SPF_FAIL:
	case SPF_SOFTFAIL:
	case SPF_NEUTRAL:
		return STEP_NO_MATCH;
	case SPF_TEMPERROR:
		return STEP_TEMPERROR;
	case SPF_PERMERROR:
		return STEP_PERMERROR;
	case SPF_NONE:
		break;
	}
	return wrong(check, "there is no SPF record for ", directive->text);
}

/* A name that nobody can ask for matches nothing, which RFC 7208 §4.8 leaves open. */
static enum step try_lookup(struct check *check, const struct spf_directive *directive,
			    unsigned depth)
{
	enum step step = count_term(check, directive->text);

	if (step != STEP_NO_MATCH)
		return step;
	struct str name = target_name(check, directive->domain_spec);

	if (directive->mechanism == SPF_INCLUDE)
		return on_include(check, directive, name, depth);
	if (directive->mechanism == SPF_PTR)
		return on_ptr(check, directive, name);
	if (!dns_name_is_askable(name))
		return STEP_NO_MATCH;
	if (directive->mechanism == SPF_A)
		return on_a(check, directive, name);
	return directive->mechanism == SPF_MX ? on_mx(check, directive, name)
					      : on_exists(check, directive, name);
}

static enum step try_directive(struct check *check, const struct spf_directive *directive,
			       unsigned depth)
{
	bool is_match = false;

	switch (directive->mechanism) {
	case SPF_ALL:
		return STEP_MATCH;
	case SPF_IP4:
		is_match = ip_same_prefix(&directive->network, &check->macros.ip,
					  directive->bits4);
		break;
	case SPF_IP6:
		is_match = ip_same_prefix(&directive->network, &check->macros.ip,
					  directive->bits6);
		break;
	case SPF_INCLUDE:
	case SPF_A:
	case SPF_MX:
	case SPF_PTR:
	case SPF_EXISTS:
		return try_lookup(check, directive, depth);
	}
	return is_match ? STEP_MATCH : STEP_NO_MATCH;
}

/* ---- the explanation --------------------------------------------------------------- */

static bool is_printable(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return false;
	return true;
}

/* Whatever is wrong with it, it is as if there were none; it counts for no limit.
 * RFC 7208 §6.2. */
static void explain(struct check *check, struct str domain_spec)
{
	SCOPED(buf_fini) struct buf out = BUF(SPF_EXPANDED_MAX);
	struct str name = target_name(check, domain_spec), text;
	struct dns_answer answer;

	if (!dns_name_is_askable(name))
		return;
	ask(check, name, DNS_TXT, &answer);
	if (answer.outcome != DNS_FOUND || answer.count != 1 ||
	    !dns_txt_read(answer.records[0], &check->records, &text) ||
	    !spf_explain_string_is_valid(text))
		return;
	expand(check, text, &out);
	if (buf_ok(&out) && is_printable(buf_str(&out)))
		(void)arena_copy(check->arena, buf_str(&out),
				 &check->verdict->explanation); /* else it is "" */
}

/* ---- check_host() ------------------------------------------------------------------ */

/* A domain name of two labels or more; an address literal is none.  RFC 7208 §4.3. */
static bool is_domain(struct str name)
{
	if (!dns_name_is_askable(name) || name.ptr[0] == '[')
		return false;
	return str_find_byte(name, '.') + 1 < name.len;
}

static struct str without_dot(struct str name)
{
	return str_ends(name, STR(".")) ? str_first(name, name.len - 1) : name;
}

/* RFC 7208 §4.5.  NO_MATCH: there is none. */
static enum step select_record(struct check *check, const struct dns_answer *answer,
			       struct str domain, struct str *record)
{
	enum step step = STEP_NO_MATCH;
	struct str text;

	for (size_t i = 0; i < answer->count; i++) {
		if (!dns_txt_read(answer->records[i], &check->scratch, &text) ||
		    !spf_is_record(text))
			continue;
		if (step == STEP_MATCH)
			return wrong(check, "there is more than one SPF record of ",
				     domain);
		if (!arena_copy(&check->records, text, record))
			return wrong(check, "there is too much in the record of ",
				     domain);
		step = STEP_MATCH;
	}
	return step;
}

/* RFC 7208 §4.3 to §4.6.  NO_MATCH: there is none. */
static enum step fetch(struct check *check, struct str domain, struct spf_record *record)
{
	struct str text, term;
	struct dns_answer answer;

	if (!is_domain(domain)) {
		check->verdict->why = STR("there is no domain name to ask about");
		return STEP_NO_MATCH;
	}
	ask(check, domain, DNS_TXT, &answer);
	if (answer.outcome == DNS_BOGUS || answer.outcome == DNS_UNKNOWN)
		return unknown(check, domain, answer.why);
	enum step step = select_record(check, &answer, domain, &text);

	if (step == STEP_NO_MATCH)
		check->verdict->why = arena_printf(check->arena, "%.*s has no SPF record",
						   STR_FMT(domain));
	if (step != STEP_MATCH)
		return step;
	if (spf_record_parse(text, &check->records, record, &term))
		return STEP_MATCH;
	struct str where = arena_printf(check->arena, "%.*s: \"%.*s\"", STR_FMT(domain),
					STR_FMT(spf_printable(check->arena, term)));

	return wrong(check, "SPF has no such term as in the record of ", where);
}

/* RFC 7208 §4.6.2: from left to right. */
static enum step evaluate(struct check *check, const struct spf_record *record,
			  unsigned depth, enum spf_result *result)
{
	enum step step = STEP_NO_MATCH;

	for (size_t i = 0; i < record->directive_count && step == STEP_NO_MATCH; i++) {
		const struct spf_directive *directive = &record->directives[i];

		step = try_directive(check, directive, depth);
		if (step != STEP_MATCH)
			continue;
		*result = directive->result;
		if (depth > 0)
			break; /* what the includer says counts; RFC 7208 §6.2 */
		check->verdict->mechanism =
			arena_printf(check->arena, "%.*s", STR_FMT(directive->text));
		if (*result == SPF_FAIL && record->explanation.len > 0)
			explain(check, record->explanation);
	}
	return step;
}

static enum spf_result result_of(enum step step, enum spf_result otherwise)
{
	switch (step) {
	case STEP_TEMPERROR:
		return SPF_TEMPERROR;
	case STEP_PERMERROR:
		return SPF_PERMERROR;
	case STEP_MATCH:
	case STEP_NO_MATCH:
		break;
	}
	return otherwise;
}

/* One record after the other, as "redirect" leads.  Each costs a term, so this ends. */
static enum spf_result check_host(struct check *check, struct str domain, unsigned depth)
{
	enum spf_result otherwise = SPF_NONE, result = SPF_NEUTRAL;
	struct spf_record record;

	ASSERT(depth <= SPF_LOOKUP_TERMS_MAX);
	for (;;) {
		check->macros.domain = without_dot(domain);
		enum step step = fetch(check, check->macros.domain, &record);

		if (step != STEP_MATCH)
			return result_of(step, otherwise);
		if (depth == 0)
			check->verdict->record_of = arena_printf(
				check->arena, "%.*s", STR_FMT(check->macros.domain));
		step = evaluate(check, &record, depth, &result);
		if (step != STEP_NO_MATCH)
			return result_of(step, result);
		if (record.redirect.len == 0 || record.has_all)
			return SPF_NEUTRAL; /* RFC 7208 §4.7 */
		step = count_term(check, record.redirect);
		if (step != STEP_NO_MATCH)
			return result_of(step, SPF_PERMERROR);
		domain = target_name(check, record.redirect);
		otherwise = SPF_PERMERROR; /* RFC 7208 §6.1 */
	}
}

/* The sender, with the local part that it may lack.  RFC 7208 §2.4, §4.3. */
static void set_sender(struct check *check, const struct spf_query *query,
		       enum spf_identity identity)
{
	bool is_helo = identity == SPF_HELO || query->sender.len == 0;
	struct str sender = is_helo ? query->helo : query->sender;
	size_t at = str_rfind_byte(sender, '@');
	struct spf_macros *macros = &check->macros;
	bool has_local = !is_helo && at < sender.len;

	macros->sender_domain = has_local ? str_skip(sender, at + 1) : sender;
	macros->local = has_local && at > 0 ? str_first(sender, at) : STR("postmaster");
	macros->sender = has_local && at > 0
				 ? sender
				 : arena_printf(&check->records, "postmaster@%.*s",
						STR_FMT(macros->sender_domain));
}

void spf_check(const struct dns_lookup *lookup, const struct spf_query *query,
	       enum spf_identity identity, struct arena *arena,
	       struct spf_verdict *verdict)
{
	struct check check = {
		.lookup = dns_lookup_within(lookup, SPF_SECONDS),
		.arena = arena,
		.macros = {.ip = query->ip,
			   .helo = query->helo,
			   .validated = STR("unknown"),
			   .receiver = query->receiver.len > 0 ? query->receiver
							       : STR("unknown"),
			   .now_s = clock_s()},
		.verdict = verdict,
	};

	*verdict = (struct spf_verdict){.result = SPF_NONE};
	arena_init(&check.records, RECORDS_BYTES);
	arena_init(&check.scratch, DNS_SCRATCH_BYTES);
	set_sender(&check, query, identity);
	verdict->domain = without_dot(check.macros.sender_domain);
	verdict->result = check_host(&check, verdict->domain, 0);
	if (verdict->result != SPF_NONE && verdict->result != SPF_TEMPERROR &&
	    verdict->result != SPF_PERMERROR)
		verdict->why = STR("");
	verdict->lookups = check.terms;
	verdict->sentence = spf_sentence(verdict, &query->ip, arena);
	arena_fini(&check.scratch);
	arena_fini(&check.records);
}
