#include "mailauth/mailauth.h"

#include "rt/clock.h"

/* One mail while it is judged.  What its errands fill does not overlap. */
struct judging {
	const struct mailauth_facts *facts;
	struct dns_lookup lookup;
	struct arena *arena;
	struct spf_query spf;
	struct dmarc_tree tree;
	struct mailauth_verdicts *verdicts;
};

/* ---- what can be asked at a time --------------------------------------------------- */

static void judge_sender(void *arg)
{
	struct judging *j = arg;

	spf_check(&j->lookup, &j->spf, SPF_MAIL_FROM, j->arena, &j->verdicts->spf);
}

static void judge_helo(void *arg)
{
	struct judging *j = arg;

	if (j->facts->sender.len > 0)
		spf_check(&j->lookup, &j->spf, SPF_HELO, j->arena,
			  &j->verdicts->spf_helo);
}

static void judge_name(void *arg)
{
	struct judging *j = arg;

	j->verdicts->helo = helo_check(&j->lookup, &j->facts->ip, j->facts->helo);
}

static void judge_address(void *arg)
{
	struct judging *j = arg;

	iprev_check(&j->lookup, &j->facts->ip, j->arena, &j->verdicts->iprev);
}

static void judge_signatures(void *arg)
{
	struct judging *j = arg;

	if (j->facts->dkim)
		dkim_verify_end(j->facts->dkim, &j->lookup, &j->verdicts->dkim);
}

static void judge_chain(void *arg)
{
	struct judging *j = arg;

	if (j->facts->arc)
		arc_verify_end(j->facts->arc, &j->lookup, &j->verdicts->arc);
}

static void find_policies(void *arg)
{
	struct judging *j = arg;

	dmarc_foresee(&j->verdicts->authors, &j->tree);
}

static void judge_parts(struct judging *j, const struct dns_lookup *within)
{
	struct errand list[] = {
		{.run = judge_sender, .arg = j},     {.run = judge_helo, .arg = j},
		{.run = judge_name, .arg = j},       {.run = judge_address, .arg = j},
		{.run = judge_signatures, .arg = j}, {.run = judge_chain, .arg = j},
		{.run = find_policies, .arg = j},
	};
	struct errands errands = {.list = list, .count = COUNT_OF(list)};
	struct dns_errands dns = {within, &errands};

	j->lookup = dns_errands_lookup(&dns);
	errands_run(&errands);
	j->lookup = *within;
}

/* ---- the whole --------------------------------------------------------------------- */

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

void mailauth_judge(const struct mailauth_facts *facts, const struct dns_lookup *lookup,
		    struct arena *arena, struct mailauth_verdicts *verdicts)
{
	const struct dns_lookup within = dns_lookup_within(lookup, MAILAUTH_SECONDS);
	struct judging j = {.facts = facts,
			    .arena = arena,
			    .spf = {.ip = facts->ip,
				    .helo = facts->helo,
				    .sender = facts->sender,
				    .receiver = facts->receiver},
			    .verdicts = verdicts};
	const struct dmarc_query dmarc = {&verdicts->authors, &verdicts->spf,
					  &verdicts->dkim, &j.tree};

	*verdicts = (struct mailauth_verdicts){.helo = HELO_UNKNOWN,
					       .arc = {.result = ARC_NONE},
					       .trust = {.result = ARC_UNTRUSTED}};
	dmarc_authors_find(facts->header, arena, &verdicts->authors);
	dmarc_tree_init(&j.tree, &j.lookup, arena);
	judge_parts(&j, &within);
	if (facts->sender.len == 0)
		verdicts->spf_helo = verdicts->spf;
	dmarc_check(&j.lookup, &dmarc, arena, &verdicts->dmarc);
	keep_signatures(&verdicts->dkim, arena);
	if (verdicts->dmarc.result == DMARC_FAIL)
		arc_trust_find(&verdicts->arc, facts->forwarders, &verdicts->authors,
			       arena, &verdicts->trust);
	verdicts->is_late = clock_monotonic_ms() >= within.until;
}

bool mailauth_is_excused(const struct mailauth_verdicts *verdicts)
{
	return verdicts->trust.result == ARC_TRUSTED || verdicts->exception.len > 0;
}

enum dmarc_onward mailauth_onward(const struct mailauth_verdicts *verdicts)
{
	enum dmarc_onward onward = verdicts->dmarc.onward;

	switch (verdicts->dmarc.result) {
	case DMARC_PASS:
		return onward;
	case DMARC_FAIL:
		return mailauth_is_excused(verdicts) ? onward : DMARC_ONWARD_FINE;
	case DMARC_TEMPERROR:
		return onward == DMARC_ONWARD_FINE ? DMARC_ONWARD_FINE
						   : DMARC_ONWARD_UNSURE;
	case DMARC_NONE:
	case DMARC_PERMERROR:
		break;
	}
	return DMARC_ONWARD_FINE;
}
