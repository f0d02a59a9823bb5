#include "policy/judge.h"

#include "base/log.h"
#include "deliver/deliver.h"
#include "mailauth/mailauth.h"
#include "net/networks.h"
#include "policy/exceptions.h"
#include "policy/hearing.h"
#include "policy/message.h"
#include "report/dmarc_ledger.h"
#include "report/failures.h"
#include "rt/task.h"
#include "text/alabel.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

/* What is known of one mail. */
struct judgement {
	struct arena arena;
	struct mailauth_facts facts;
	struct mailauth_verdicts verdicts;
	struct exception exception; /* of what fails DMARC */
	struct hearing *hearing;
};

bool policy_judges(const struct policy *policy, const struct deliver_mail *mail)
{
	struct address address;

	return policy->dns.ask && mail->source == DELIVER_STRANGER &&
	       address_parse_host(mail->peer, &address) &&
	       !networks_have(policy->friends, &address);
}

/* Its domain in A-labels, or as it is: then nothing will be found. */
static struct str ascii_sender(struct arena *arena, struct str sender)
{
	size_t at = str_rfind_byte(sender, '@');
	struct str domain;

	if (at == sender.len || !alabel_name(str_skip(sender, at + 1), arena, &domain))
		return sender;
	return arena_printf(arena, "%.*s@%.*s", (int)at, sender.ptr, STR_FMT(domain));
}

static bool is_passed_on(const struct deliver_mail *mail)
{
	for (size_t i = 0; i < mail->place_count; i++)
		if (mail->places[i].kind == QUEUE_REMOTE)
			return true;
	return false;
}

/* A long message must not keep the others waiting. */
static void hear(const struct policy *policy, const struct deliver_mail *mail,
		 struct judgement *j)
{
	if (!j->hearing)
		j->hearing = hearing_of(
			mail->text, message_look(mail->text, policy->hostname).header_len,
			policy->is_sealing && is_passed_on(mail), mail->received_at);
	while (hearing_piece(j->hearing, mail->text))
		task_yield();
}

static void find_out(const struct policy *policy, const struct deliver_mail *mail,
		     struct judgement *j)
{
	hear(policy, mail, j);
	(void)ip_parse(mail->peer, &j->facts.ip); /* policy_judges() has parsed it */
	if (!alabel_name(mail->client, &j->arena, &j->facts.helo))
		j->facts.helo = mail->client;
	j->facts.sender = ascii_sender(&j->arena, mail->sender);
	j->facts.receiver = policy->hostname;
	j->facts.forwarders = policy->forwarders;
	j->facts.header = j->hearing->header;
	j->facts.dkim = j->hearing->dkim;
	j->facts.arc = j->hearing->arc;
	mailauth_judge(&j->facts, &policy->dns, &j->arena, &j->verdicts);
	if (j->verdicts.dmarc.result == DMARC_FAIL &&
	    j->verdicts.trust.result != ARC_TRUSTED)
		j->exception = exceptions_find(policy->exceptions, &j->facts,
					       &j->verdicts, &j->arena);
	j->verdicts.exception = j->exception.word;
}

static void log_judgement(const struct deliver_mail *mail, const struct judgement *j)
{
	const struct mailauth_verdicts *v = &j->verdicts;

	LOG(INFO, "mail judged", KV_INT("session", mail->session),
	    KV_STR("queue_id", mail->id), KV_STR("peer", mail->peer),
	    KV_STR("from", mail->sender), KV("spf", spf_result_name(v->spf.result)),
	    KV("dkim", dkim_result_name(v->dkim.result)),
	    KV("dmarc", dmarc_result_name(v->dmarc.result)),
	    KV_STR("author", v->dmarc.author),
	    KV("disposition", dmarc_policy_name(v->dmarc.disposition)),
	    KV("arc", arc_result_name(v->arc.result)),
	    KV_STR("forwarder",
		   v->trust.result == ARC_TRUSTED ? v->trust.sealer : v->exception));
}

/* Whether it is to be excused from something cannot be told now. */
static bool must_wait(const struct policy *policy, const struct judgement *j)
{
	return policy->is_dmarc_obeyed && !mailauth_is_excused(&j->verdicts) &&
	       j->verdicts.trust.result == ARC_UNSURE &&
	       j->verdicts.dmarc.disposition != DMARC_POLICY_NONE;
}

/* What the author's domain asks for, where this mail is not proved to be from it.  What
 * could not be found out is no reason for anything (RFC 9989 §5.3.6). */
static struct policy_verdict obey(const struct policy *policy, struct arena *arena,
				  const struct judgement *j, struct policed *out)
{
	const struct dmarc_verdict *dmarc = &j->verdicts.dmarc;

	if (dmarc->result != DMARC_FAIL || !policy->is_dmarc_obeyed ||
	    mailauth_is_excused(&j->verdicts))
		return (struct policy_verdict){0};
	if (must_wait(policy, j))
		return (struct policy_verdict){
			451, "4.7.0",
			"Whether the seals of a forwarder we trust are good cannot be "
			"told now; try again in a while",
			true};
	switch (dmarc->disposition) {
	case DMARC_POLICY_NONE:
		break;
	case DMARC_POLICY_QUARANTINE:
		out->is_suspect = true;
		break;
	case DMARC_POLICY_REJECT:
		return (struct policy_verdict){
			550, "5.7.1",
			arena_printf(arena, "%.*s", STR_FMT(dmarc->refusal)).ptr, true};
	}
	return (struct policy_verdict){0};
}

/* Why less is done than the domain has published: RFC 9990 §3.1.6. */
static struct str override_of(const struct policy *policy, const struct judgement *j)
{
	const struct dmarc_verdict *dmarc = &j->verdicts.dmarc;

	if (dmarc->result != DMARC_FAIL || dmarc->published == DMARC_POLICY_NONE)
		return STR("");
	if (!policy->is_dmarc_obeyed)
		return STR("local_policy");
	if (j->verdicts.trust.result == ARC_TRUSTED)
		return STR("trusted_forwarder");
	if (j->exception.word.len > 0)
		return str_c(j->exception.type);
	return dmarc->disposition != dmarc->published ? STR("policy_test_mode") : STR("");
}

/* For the reports of its domain.  A mail that is handed over again was counted; one that
 * has to come again will be. */
static void tally(const struct policy *policy, const struct deliver_mail *mail,
		  struct judgement *j)
{
	const struct dmarc_verdict *dmarc = &j->verdicts.dmarc;
	bool is_obeyed = policy->is_dmarc_obeyed && !mailauth_is_excused(&j->verdicts);
	struct str disposition = str_c(dmarc->result == DMARC_PASS ? "pass"
				       : is_obeyed ? dmarc_policy_name(dmarc->disposition)
						   : "none");
	struct dmarc_facts facts;

	if (policy->ledger && !mail->is_again && !must_wait(policy, j) &&
	    dmarc_facts_of(&j->facts, &j->verdicts, disposition, override_of(policy, j),
			   &j->arena, &facts))
		dmarc_tally(policy->ledger, &facts);
}

/* The body passed once, for the seal as well. */
static void keep_body_hash(const struct judgement *j, struct policed *out)
{
	if (!j->hearing->has_body_hash)
		return;
	dkim_message_end(j->hearing->message);
	out->body = *dkim_body_hash(j->hearing->message->body, j->hearing->body_hash);
	out->has_body = true;
}

/* RFC 6591 §3.2.2 */
static const char *delivery_of(const struct policy_verdict *verdict,
			       const struct policed *out)
{
	if (verdict->code != 0)
		return "reject";
	return out->is_suspect ? "spam" : "delivered";
}

/* The domain that asks for it hears of this mail.  What must come again will be judged
 * again. */
static void report(const struct policy *policy, const struct deliver_mail *mail,
		   const struct judgement *j, const char *delivery)
{
	const struct failure_event event = {.facts = &j->facts,
					    .verdicts = &j->verdicts,
					    .id = mail->id,
					    .received_at = mail->received_at,
					    .delivery = delivery};

	if (!mail->is_again && !must_wait(policy, j))
		failures_offer(policy->failures, &event);
}

struct policy_verdict policy_judge(const struct policy *policy,
				   const struct deliver_mail *mail,
				   struct hearing *hearing, struct arena *arena,
				   struct policed *out)
{
	struct judgement j = {.hearing = hearing};

	arena_init(&j.arena, ARENA_BYTES);
	find_out(policy, mail, &j);
	log_judgement(mail, &j);
	mailauth_results_add(&out->trace, &j.facts, &j.verdicts);
	out->is_judged = true;
	out->chain = j.verdicts.arc.result;
	out->onward = mailauth_onward(&j.verdicts);
	keep_body_hash(&j, out);
	struct policy_verdict verdict = obey(policy, arena, &j, out);

	tally(policy, mail, &j);
	report(policy, mail, &j, delivery_of(&verdict, out));
	if (!hearing)
		hearing_free(&j.hearing);
	arena_fini(&j.arena);
	return verdict;
}
