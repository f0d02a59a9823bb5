/* What the texts mean that say who may send, and how mail is to come. */
#include "publish/judge.h"

#include "mailauth/spf.h"
#include "tlspolicy/policy.h"
#include "wire/auth/dmarc.h"
#include "wire/auth/tls_rpt.h"

/* ---- SPF --------------------------------------------------------------------------- */

static void ask_spf(struct judge *judge, const struct ip *ip, struct spf_verdict *verdict)
{
	const struct publish_facts *facts = judge->plan->facts;
	const struct spf_query query = {
		.ip = *ip,
		.helo = facts->host,
		.sender = arena_printf(judge->arena, "postmaster@%.*s",
				       STR_FMT(facts->domain)),
		.receiver = facts->host,
	};

	spf_check(&judge->asker->lookup, &query, SPF_MAIL_FROM, judge->arena, verdict);
}

/* False, and said, unless the address may send. */
static bool permits(struct judge *judge, const struct ip *ip)
{
	struct spf_verdict verdict;
	char text[IP_TEXT_BYTES];

	ask_spf(judge, ip, &verdict);
	if (verdict.result == SPF_PASS)
		return true;
	if (verdict.result == SPF_TEMPERROR)
		judge_say(judge, PUBLISH_UNKNOWN, verdict.sentence);
	else
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "It does not let this server send from %.*s: "
				       "%.*s",
				       STR_FMT(ip_text(ip, text)),
				       STR_FMT(verdict.sentence)));
	return false;
}

/* Asks all of it: nobody has that address (RFC 5737). */
static void judge_others(struct judge *judge)
{
	struct spf_verdict verdict;
	struct ip nobody;

	if (!ip_parse(STR("192.0.2.255"), &nobody))
		return;
	ask_spf(judge, &nobody, &verdict);
	if (verdict.result == SPF_PASS)
		judge_say(judge, PUBLISH_WRONG, STR("It lets everybody send."));
	else if (verdict.result == SPF_PERMERROR)
		judge_say(judge, PUBLISH_WRONG, verdict.sentence);
	else if (verdict.result == SPF_TEMPERROR)
		judge_say(judge, PUBLISH_UNKNOWN, verdict.sentence);
	else
		judge_say(judge, PUBLISH_RIGHT,
			  arena_printf(judge->arena,
				       "It lets this server send, with %u of at most %d "
				       "look-ups; others get \"%s\".",
				       verdict.lookups, SPF_LOOKUP_TERMS_MAX,
				       spf_result_name(verdict.result)));
}

static void judge_spf(struct judge *judge, struct str text)
{
	const struct publish_facts *facts = judge->plan->facts;

	judge->finding->wanted = publish_spf_with(text, facts, judge->arena);
	for (size_t i = 0; i < facts->address_count; i++)
		if (!permits(judge, &facts->addresses[i]))
			return;
	for (size_t i = 0; i < facts->source_count; i++)
		if (!permits(judge, &facts->sources[i]))
			return;
	judge_others(judge);
	if (judge->finding->state == PUBLISH_RIGHT &&
	    facts->address_count + facts->source_count == 0)
		judge_say(judge, PUBLISH_UNKNOWN,
			  STR("The addresses of this server are not known, so that "
			      "nobody can tell whether it lets them send."));
}

/* ---- DKIM, DMARC ------------------------------------------------------------------- */

/* RFC 9989 §4.7, §4.8: a domain's own policy has to be said, and said well. */
static void judge_dmarc(struct judge *judge, struct str text)
{
	struct dmarc_record record;

	if (!dmarc_record_parse(text, &record))
		judge_say(judge, PUBLISH_WRONG,
			  STR("It is no record of DMARC, so it does not count."));
	else if (record.policies != DMARC_POLICIES_FINE)
		judge_say(judge, PUBLISH_WRONG,
			  STR("It does not say what becomes of forged mail: p=none, "
			      "p=quarantine or p=reject, and the same for sp and np if "
			      "they are there."));
	else
		judge_say(judge, PUBLISH_RIGHT,
			  arena_printf(judge->arena, "Its policy is \"%s\"%s%s.",
				       dmarc_policy_name(record.p),
				       record.is_testing ? ", which is being tested (t=y)"
							 : "",
				       record.rua.count > 0
					       ? ""
					       : "; nobody gets reports (rua)"));
}

/* ---- TLS --------------------------------------------------------------------------- */

static void judge_policy(struct judge *judge)
{
	const struct publish_facts *facts = judge->plan->facts;
	struct policy_hop hop;

	policy_hop(judge->asker->policy, facts->domain, facts->domain, TLS_KNOWN_NONE,
		   judge->arena, &hop);
	if (!hop.hop.sts)
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "The policy that it announces cannot be had: "
				       "%.*s.  It has to be at "
				       "https://mta-sts.%.*s/.well-known/mta-sts.txt.",
				       STR_FMT(hop.sts_why), STR_FMT(facts->domain)));
	else if (hop.sts.mode != MTA_STS_NONE && !mta_sts_has_mx(&hop.sts, facts->host))
		judge_say(judge, PUBLISH_WRONG,
			  arena_printf(judge->arena,
				       "The policy that is served does not name %.*s, so "
				       "servers that heed it do not deliver mail here.",
				       STR_FMT(facts->host)));
	else
		judge_say(judge, PUBLISH_RIGHT,
			  arena_printf(judge->arena,
				       "The policy is served; its mode is \"%s\".",
				       mta_sts_mode_name(hop.sts.mode)));
}

static void judge_sts(struct judge *judge, struct str text)
{
	struct str id;

	if (!mta_sts_record_parse(text, &id))
		judge_say(judge, PUBLISH_WRONG,
			  STR("It does not follow the form \"v=STSv1; id=...\"."));
	else if (judge->asker->policy)
		judge_policy(judge);
	else
		judge_say(judge, PUBLISH_RIGHT,
			  STR("It announces a policy, which was not fetched."));
}

static void judge_tls_rpt(struct judge *judge, struct str text)
{
	struct tls_rpt rpt;

	if (tls_rpt_parse(text, judge->arena, &rpt))
		judge_say(judge, PUBLISH_RIGHT,
			  arena_printf(judge->arena, "Reports go to %.*s.",
				       STR_FMT(rpt.uris[0].target)));
	else
		judge_say(judge, PUBLISH_WRONG,
			  STR("It names nobody whom reports could be sent to."));
}

void judge_text(struct judge *judge, struct str text)
{
	if (judge->finding->kind == PUBLISH_SPF)
		judge_spf(judge, text);
	else if (judge->finding->kind == PUBLISH_DMARC)
		judge_dmarc(judge, text);
	else if (judge->finding->kind == PUBLISH_MTA_STS)
		judge_sts(judge, text);
	else
		judge_tls_rpt(judge, text);
}
