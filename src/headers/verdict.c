#include "headers/part.h"
#include "mailauth/dmarc_walk.h"

struct evidence {
	struct str proof;   /* that From's domain sent it; "" if there is none */
	struct str forgery; /* that it did not */
	struct str doubt;
};

static bool is_named(const struct work *work)
{
	return work->headers->trust == HEADERS_TRUST_NAMED;
}

static bool is_at_or_above(struct work *work, struct str name, struct str domain)
{
	struct str lower;

	return dmarc_domain(name, work->arena, &lower) && dmarc_is_within(domain, lower);
}

/* Good whoever is trusted: a signature of From's domain, or of one above it, on the whole
 * mail.  One below it may be in other hands, unless DMARC says that they belong together.
 */
static void weigh_dkim(struct work *work, struct evidence *evidence)
{
	const struct dmarc_verdict *dmarc = &work->dmarc;
	struct str domain = work->headers->from_domain;
	bool is_relaxed =
		work->has_dmarc && dmarc->result == DMARC_PASS && dmarc->is_dkim_aligned;

	if (work->has_dmarc && dmarc->result == DMARC_FAIL)
		return;
	for (size_t i = 0; work->has_dkim && i < work->dkim.count; i++) {
		const struct dkim_verdict_one *one = &work->dkim.signatures[i];

		/* One that leaves part of the body unsigned proves nothing of that. */
		if (one->result != DKIM_PASS || domain.len == 0 ||
		    !(is_relaxed ? headers_are_kin(one->domain, domain)
				 : is_at_or_above(work, one->domain, domain)) ||
		    (one->has_length && one->length < one->body_length))
			continue;
		evidence->proof = arena_printf(
			work->arena, "the signature of %.*s on this mail is good",
			STR_FMT(one->domain));
		return;
	}
}

static bool may_be_changed_on_the_way(const struct work *work)
{
	return work->headers->is_list || headers_count(work, "ARC-Seal") > 0;
}

static void weigh_dmarc(struct work *work, struct evidence *evidence)
{
	const struct dmarc_verdict *dmarc = &work->dmarc;

	if (!work->has_dmarc)
		return;
	if (dmarc->result == DMARC_PASS && dmarc->is_spf_aligned && is_named(work) &&
	    evidence->proof.len == 0)
		evidence->proof = arena_printf(
			work->arena,
			"it came from a server that may send mail of %.*s, as %.*s saw",
			STR_FMT(work->spf.domain), STR_FMT(work->headers->trusted));
	if (dmarc->result != DMARC_FAIL)
		return;
	struct str why = arena_printf(
		work->arena, "neither SPF nor DKIM proves that %.*s sent it%s",
		STR_FMT(dmarc->author),
		dmarc->disposition == DMARC_POLICY_NONE
			? ""
			: ", and that domain wants such mail to be refused");

	if (dmarc->disposition == DMARC_POLICY_NONE || may_be_changed_on_the_way(work))
		evidence->doubt = why;
	else
		evidence->forgery = why;
}

/* RFC 7208 §8.4 for a domain without DMARC: it says itself that this is not its server.
 */
static void weigh_spf(struct work *work, struct evidence *evidence)
{
	if (!work->has_spf || work->spf.result != SPF_FAIL ||
	    !headers_are_kin(work->spf.domain, work->headers->from_domain))
		return;
	struct str why = arena_printf(
		work->arena,
		"%.*s says that the server it came from may not send its mail",
		STR_FMT(work->spf.domain));

	if (work->has_dkim && !may_be_changed_on_the_way(work) &&
	    evidence->forgery.len == 0)
		evidence->forgery = why;
	else if (evidence->doubt.len == 0)
		evidence->doubt = why;
}

/* What the reader's own server found when the mail came counts, even if names have
 * changed since. */
static void weigh_claims(struct work *work, struct evidence *evidence)
{
	struct headers *headers = work->headers;

	for (size_t i = 0; i < headers->claim_count; i++) {
		const struct headers_claim *claim = &headers->claims[i];
		bool is_dmarc = str_same_nocase(claim->method, STR("dmarc"));

		if (!claim->is_verified || !is_dmarc)
			continue;
		bool is_of_author = claim->about.len == 0 ||
				    str_same_nocase(claim->about, headers->from_domain);

		if (str_same_nocase(claim->result, STR("pass")) && is_of_author &&
		    is_named(work) && evidence->proof.len == 0)
			evidence->proof = arena_printf(
				work->arena,
				"%.*s found DMARC to pass for %.*s when the mail came",
				STR_FMT(claim->by), STR_FMT(headers->from_domain));
		if (str_same_nocase(claim->result, STR("fail")) &&
		    evidence->doubt.len == 0)
			evidence->doubt = arena_printf(
				work->arena,
				"%.*s found DMARC to fail for %.*s when the mail came",
				STR_FMT(claim->by), STR_FMT(headers->from_domain));
	}
}

static struct str unknown_because(struct work *work)
{
	const struct headers *headers = work->headers;

	switch (headers->trust) {
	case HEADERS_TRUST_NONE:
		return STR("nothing in this header was seen by a server that counts");
	case HEADERS_TRUST_ASSUMED:
		return arena_printf(work->arena,
				    "nothing proves who sent it; if %.*s is your server, "
				    "say so (--trusted), and its word counts",
				    STR_FMT(headers->trusted));
	case HEADERS_TRUST_NAMED:
		break;
	}
	return headers->from_domain.len > 0
		       ? arena_printf(work->arena, "nothing proves that %.*s sent it",
				      STR_FMT(headers->from_domain))
		       : STR("it does not say whom it is from");
}

static struct str first_alarm(const struct headers *headers)
{
	for (size_t i = 0; i < headers->note_count; i++) {
		if (headers->notes[i].weight == HEADERS_ALARM)
			return headers->notes[i].sentence;
	}
	return STR("");
}

static void say(struct work *work, enum headers_word word, struct str why)
{
	work->headers->word = word;
	work->headers->sentence =
		str_ends(why, STR("."))
			? why
			: arena_printf(work->arena, "%.*s.", STR_FMT(why));
}

void headers_decide(struct work *work)
{
	struct evidence evidence = {0};
	struct str alarm = first_alarm(work->headers);

	weigh_dkim(work, &evidence);
	weigh_dmarc(work, &evidence);
	weigh_spf(work, &evidence);
	weigh_claims(work, &evidence);
	if (alarm.len > 0 && evidence.forgery.len == 0)
		say(work, HEADERS_DOUBTFUL, alarm);
	else if (evidence.proof.len > 0)
		say(work, HEADERS_GENUINE, evidence.proof);
	else if (evidence.forgery.len > 0)
		say(work, HEADERS_FORGED, evidence.forgery);
	else if (evidence.doubt.len > 0)
		say(work, HEADERS_DOUBTFUL, evidence.doubt);
	else
		say(work, HEADERS_UNKNOWN, unknown_because(work));
}
