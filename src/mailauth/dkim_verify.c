#include "mailauth/dkim_verify.h"

#include "base/mem.h"

enum { B_SHOWN = 12 };

struct one {
	const struct mail_field *field;
	struct dkim_signature signature;
	enum dkim_flaw flaw;
	size_t body_hash; /* its number, if it has one */
};

struct dkim_verify {
	struct dkim_message *message;
	int64_t now_s;
	struct one ones[DKIM_SIGNATURES_MAX];
	size_t count, passed_over;
	struct dkim_verdict_one *verdicts; /* in the arena: they outlive this */
};

static bool can_be_good(const struct one *one)
{
	return one->flaw == DKIM_FINE && one->signature.algorithm != DKIM_RSA_SHA1;
}

static void add_signature(struct dkim_verify *verify, const struct mail_field *field)
{
	struct one *one = &verify->ones[verify->count++];
	const struct dkim_signature *s = &one->signature;

	one->field = field;
	one->flaw = dkim_signature_parse(field->value, verify->message->arena,
					 &one->signature);
	if (can_be_good(one) &&
	    !dkim_body_want(verify->message->body, s->body,
			    s->has_length ? s->length : UINT64_MAX, &one->body_hash))
		one->flaw = DKIM_TOO_BIG;
}

struct dkim_verify *dkim_verify_begin(struct dkim_message *message, int64_t now_s)
{
	struct dkim_verify *verify = NEW(struct dkim_verify);

	verify->message = message;
	verify->now_s = now_s;
	verify->verdicts =
		ARENA_ARRAY(message->arena, struct dkim_verdict_one, DKIM_SIGNATURES_MAX);
	for (size_t i = 0; i < message->header.fields.count; i++) {
		const struct mail_field *field = &message->header.fields.fields[i];

		if (!str_same_nocase(field->name, STR("DKIM-Signature")))
			continue;
		if (message->is_too_big || !verify->verdicts ||
		    verify->count == DKIM_SIGNATURES_MAX)
			verify->passed_over++;
		else
			add_signature(verify, field);
	}
	return verify;
}

void dkim_verify_free(struct dkim_verify **verify)
{
	mem_free(*verify);
	*verify = NULL;
}

static void check_one(struct dkim_verify *verify, const struct one *one,
		      const struct dns_lookup *lookup, struct dkim_verdict_one *verdict)
{
	const struct dkim_signature *s = &one->signature;
	struct dkim_text text = {.trouble = NULL};
	struct dkim_proof proof;

	*verdict = (struct dkim_verdict_one){
		.domain = s->domain,
		.selector = s->selector,
		.identity = s->identity,
		.algorithm =
			one->flaw == DKIM_FINE ? dkim_algorithm_name(s->algorithm) : "",
		.has_length = s->has_length,
		.length = s->length,
		.b = str_first(str_trim(s->b), B_SHOWN),
	};
	if (one->flaw != DKIM_FINE) {
		verdict->result = DKIM_NEUTRAL;
		verdict->reason = dkim_flaw_text(one->flaw);
		return;
	}
	if (can_be_good(one)) {
		text = dkim_message_text(verify->message, one->field, s, one->body_hash);
		verdict->body_length =
			dkim_body_hash(verify->message->body, one->body_hash)->length;
	}
	dkim_prove(s, &text, lookup, verify->now_s, &proof);
	verdict->result = proof.result;
	verdict->reason = proof.reason;
	verdict->key_bits = proof.key_bits;
	verdict->is_testing = proof.is_testing;
}

/* ---- in words ---------------------------------------------------------------------- */

static struct str say_one(struct arena *arena, const struct dkim_verdict_one *one)
{
	const char *is_testing = one->is_testing ? "  The domain is only testing." : "";
	struct str domain = one->domain.len > 0 ? one->domain : STR("nobody we know");

	switch (one->result) {
	case DKIM_NONE:
		return STR("This mail is not signed.");
	case DKIM_PASS:
		if (one->has_length && one->length < one->body_length)
			return arena_printf(
				arena,
				"%.*s has signed this mail, but only the first %llu of "
				"%llu octets of its text: anybody may have added the "
				"rest.%s",
				STR_FMT(domain), (unsigned long long)one->length,
				(unsigned long long)one->body_length, is_testing);
		return arena_printf(arena,
				    "%.*s has signed this mail, and what it signed has "
				    "not been changed since.%s",
				    STR_FMT(domain), is_testing);
	case DKIM_FAIL:
		return arena_printf(
			arena,
			"This mail is not as %.*s signed it, or somebody else "
			"signed it in that name: %s.",
			STR_FMT(domain), one->reason);
	case DKIM_POLICY:
		return arena_printf(arena, "The signature of %.*s is not accepted: %s.",
				    STR_FMT(domain), one->reason);
	case DKIM_NEUTRAL:
		return arena_printf(arena, "The signature of %.*s says nothing: %s.%s",
				    STR_FMT(domain), one->reason, is_testing);
	case DKIM_TEMPERROR:
		return arena_printf(arena,
				    "Whether %.*s signed this mail cannot be told now: "
				    "%s.",
				    STR_FMT(domain), one->reason);
	case DKIM_PERMERROR:
		return arena_printf(arena, "The signature of %.*s can never be good: %s.",
				    STR_FMT(domain), one->reason);
	}
	return STR("");
}

/* ---- all of them ------------------------------------------------------------------- */

struct checking {
	struct dkim_verify *verify;
	const struct dns_lookup *lookup;
	size_t number;
};

static void run_check(void *arg)
{
	const struct checking *checking = arg;
	struct dkim_verify *verify = checking->verify;
	struct dkim_verdict_one *one = &verify->verdicts[checking->number];

	check_one(verify, &verify->ones[checking->number], checking->lookup, one);
	one->sentence = say_one(verify->message->arena, one);
}

/* Each has a key of its own to ask for, so they wait together. */
static void check_all(struct dkim_verify *verify, const struct dns_lookup *lookup)
{
	struct errand list[DKIM_SIGNATURES_MAX];
	struct checking checkings[DKIM_SIGNATURES_MAX];
	struct errands errands = {.list = list, .count = verify->count};
	const struct dns_lookup within = dns_lookup_within(lookup, DKIM_SECONDS);
	struct dns_errands dns = {&within, &errands};
	const struct dns_lookup shared = dns_errands_lookup(&dns);

	for (size_t i = 0; i < verify->count; i++) {
		checkings[i] = (struct checking){verify, &shared, i};
		list[i] = (struct errand){.run = run_check, .arg = &checkings[i]};
	}
	errands_run(&errands);
}

void dkim_verify_end(struct dkim_verify *verify, const struct dns_lookup *lookup,
		     struct dkim_verdict *verdict)
{
	*verdict = (struct dkim_verdict){
		.signatures = verify->verdicts,
		.count = verify->count,
		.passed_over = verify->passed_over,
		.sentence = STR("This mail is not signed."),
	};
	if (verify->message->is_too_big) {
		verdict->result = DKIM_NEUTRAL;
		verdict->sentence = STR("The header of this mail is too big to look for "
					"signatures in it.");
		return;
	}
	dkim_message_end(verify->message);
	check_all(verify, lookup);
	for (size_t i = 0; i < verify->count; i++) {
		const struct dkim_verdict_one *one = &verify->verdicts[i];

		if (dkim_result_weight(one->result) <=
		    dkim_result_weight(verdict->result))
			continue;
		verdict->result = one->result;
		verdict->sentence = one->sentence;
	}
}
