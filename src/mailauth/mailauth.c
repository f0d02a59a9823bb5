#include "mailauth/mailauth.h"

#include "rt/clock.h"

/* Whom is asked, for as long as there is time. */
struct hurry {
	const struct dns_lookup *given;
	uint64_t give_up_ms;
	bool is_late;
};

static void ask_in_time(void *context, struct str name, enum dns_type type,
			struct arena *arena, struct dns_answer *answer)
{
	struct hurry *hurry = context;

	*answer = (struct dns_answer){.outcome = DNS_UNKNOWN,
				      .why = STR("it took too long")};
	if (clock_monotonic_ms() < hurry->give_up_ms)
		hurry->given->ask(hurry->given->context, name, type, arena, answer);
	else
		hurry->is_late = true;
}

static struct hurry hurry_from_now(const struct dns_lookup *lookup)
{
	return (struct hurry){
		lookup, clock_monotonic_ms() + 1000 * (uint64_t)MAILAUTH_SECONDS, false};
}

static void judge_client(const struct mailauth_facts *facts, struct hurry *hurry,
			 struct arena *arena, struct mailauth_verdicts *verdicts)
{
	const struct dns_lookup lookup = {ask_in_time, hurry};
	const struct spf_query query = {.ip = facts->ip,
					.helo = facts->helo,
					.sender = facts->sender,
					.receiver = facts->receiver};

	*verdicts = (struct mailauth_verdicts){.helo = HELO_UNKNOWN};
	/* What DMARC needs comes first. */
	spf_check(&lookup, &query, SPF_MAIL_FROM, arena, &verdicts->spf);
	verdicts->spf_helo = verdicts->spf;
	if (facts->sender.len > 0)
		spf_check(&lookup, &query, SPF_HELO, arena, &verdicts->spf_helo);
	verdicts->helo = helo_check(&lookup, &facts->ip, facts->helo);
	iprev_check(&lookup, &facts->ip, arena, &verdicts->iprev);
	verdicts->is_late |= hurry->is_late;
}

/* The verdict outlives the verification. */
static void keep_signatures(struct dkim_verdict *dkim, struct arena *arena)
{
	struct dkim_verdict_one *kept =
		ARENA_ARRAY(arena, struct dkim_verdict_one, dkim->count);

	if (kept && dkim->count > 0)
		memcpy(kept, dkim->signatures, dkim->count * sizeof *kept);
	dkim->signatures = kept;
	dkim->count = kept ? dkim->count : 0;
}

static void judge_message(const struct mailauth_facts *facts, struct hurry *hurry,
			  struct arena *arena, struct mailauth_verdicts *verdicts)
{
	const struct dns_lookup lookup = {ask_in_time, hurry};
	const struct dmarc_query query = {&verdicts->authors, &verdicts->spf,
					  &verdicts->dkim};

	verdicts->has_message = true;
	if (facts->dkim)
		dkim_verify_end(facts->dkim, &lookup, &verdicts->dkim);
	dmarc_authors_find(facts->header, arena, &verdicts->authors);
	dmarc_check(&lookup, &query, arena, &verdicts->dmarc);
	keep_signatures(&verdicts->dkim, arena);
	verdicts->arc = (struct arc_verdict){.result = ARC_NONE};
	if (facts->arc)
		arc_verify_end(facts->arc, &lookup, &verdicts->arc);
	verdicts->trust = (struct arc_trust){.result = ARC_UNTRUSTED};
	if (verdicts->dmarc.result == DMARC_FAIL)
		arc_trust_find(&verdicts->arc, facts->forwarders, &verdicts->authors,
			       arena, &verdicts->trust);
	verdicts->is_late |= hurry->is_late;
}

void mailauth_judge_client(const struct mailauth_facts *facts,
			   const struct dns_lookup *lookup, struct arena *arena,
			   struct mailauth_verdicts *verdicts)
{
	struct hurry hurry = hurry_from_now(lookup);

	judge_client(facts, &hurry, arena, verdicts);
}

void mailauth_judge_message(const struct mailauth_facts *facts,
			    const struct dns_lookup *lookup, struct arena *arena,
			    struct mailauth_verdicts *verdicts)
{
	struct hurry hurry = hurry_from_now(lookup);

	judge_message(facts, &hurry, arena, verdicts);
}

void mailauth_judge(const struct mailauth_facts *facts, const struct dns_lookup *lookup,
		    struct arena *arena, struct mailauth_verdicts *verdicts)
{
	struct hurry hurry = hurry_from_now(lookup);

	judge_client(facts, &hurry, arena, verdicts);
	judge_message(facts, &hurry, arena, verdicts);
}
