#include "mailauth/dkim_proof.h"

#include "mailauth/dkim_crypto.h"
#include "text/alabel.h"

const char *dkim_result_name(enum dkim_result result)
{
	static const char *const names[] = {
		[DKIM_NONE] = "none",           [DKIM_PASS] = "pass",
		[DKIM_FAIL] = "fail",           [DKIM_POLICY] = "policy",
		[DKIM_NEUTRAL] = "neutral",     [DKIM_TEMPERROR] = "temperror",
		[DKIM_PERMERROR] = "permerror",
	};

	return names[result];
}

unsigned dkim_result_weight(enum dkim_result result)
{
	static const unsigned weights[] = {
		[DKIM_NONE] = 0,   [DKIM_PERMERROR] = 1, [DKIM_NEUTRAL] = 2,
		[DKIM_POLICY] = 3, [DKIM_FAIL] = 4,      [DKIM_TEMPERROR] = 5,
		[DKIM_PASS] = 6,
	};

	return weights[result];
}

static void judge(struct dkim_proof *proof, enum dkim_result result, const char *reason)
{
	proof->result = result;
	proof->reason = reason;
}

/* With a key that can be used: what the text says.  RFC 6376 §6.1.3. */
static void check_text(const struct dkim_signature *s, const struct dkim_text *text,
		       const struct dkim_key *key, struct dkim_proof *proof)
{
	if (text->trouble) {
		judge(proof, DKIM_FAIL, text->trouble);
		return;
	}
	switch (dkim_check(key, text->hash, s->signature)) {
	case DKIM_CHECK_GOOD:
		judge(proof, DKIM_PASS, "good signature");
		return;
	case DKIM_CHECK_WRONG:
		judge(proof, DKIM_FAIL, "signature did not verify");
		return;
	case DKIM_CHECK_NO_KEY:
		judge(proof, DKIM_PERMERROR, "the key is damaged");
		return;
	}
}

/* Whether the key may be used for this signature at all. */
static const char *key_trouble(const struct dkim_signature *s, const struct dkim_key *key)
{
	bool is_rsa = key->type == DKIM_KEY_RSA;

	if (is_rsa != (s->algorithm == DKIM_RSA_SHA256))
		return "the key is of another type than the signature";
	if (is_rsa && dkim_key_bits(key) < DKIM_RSA_BITS_MIN)
		return "the key is too short"; /* RFC 8301 §3.2 */
	if (is_rsa && (dkim_key_bits(key) > DKIM_RSA_BITS_MAX ||
		       key->exponent.len > DKIM_EXPONENT_BYTES_MAX))
		return "the key is too long";
	/* RFC 6376 §3.6.1, t=s */
	if (key->is_strict && !str_same_nocase(s->identity_domain, s->domain))
		return "the key is not for subdomains, which the identity names";
	return NULL;
}

static void check_record(const struct dkim_signature *s, const struct dkim_text *text,
			 struct str data, struct arena *arena, struct dkim_proof *proof)
{
	struct dkim_key key;
	struct str record;

	if (!dns_txt_read(data, arena, &record)) {
		judge(proof, DKIM_PERMERROR, "the key record is damaged");
		return;
	}
	enum dkim_key_flaw flaw = dkim_key_parse(record, arena, &key);

	if (flaw != DKIM_KEY_FINE) {
		judge(proof, DKIM_PERMERROR, dkim_key_flaw_text(flaw));
		return;
	}
	const char *trouble = key_trouble(s, &key);

	proof->key_bits = dkim_key_bits(&key);
	proof->is_testing = key.is_testing;
	if (trouble)
		judge(proof, DKIM_PERMERROR, trouble);
	else
		check_text(s, text, &key, proof);
	/* RFC 6376 §3.6.1, t=y: as if it were not signed, even should it fail.
	 * Deviates: a good signature of a testing domain passes, and is marked, as
	 * everybody else has it. */
	if (key.is_testing && proof->result != DKIM_PASS)
		judge(proof, DKIM_NEUTRAL, "not good, but the domain is only testing");
}

/* RFC 6376 §6.1.2 */
static void ask_key(const struct dkim_signature *s, const struct dns_lookup *lookup,
		    struct arena *arena, struct dns_answer *answer)
{
	struct str name = arena_printf(arena, "%.*s._domainkey.%.*s",
				       STR_FMT(s->selector), STR_FMT(s->domain));
	struct str ascii;

	*answer = (struct dns_answer){.outcome = DNS_NONE};
	if (!alabel_name(name, arena, &ascii) || !dns_name_is_valid(ascii))
		return; /* RFC 8616 §5: U-labels that are none */
	dns_ask(lookup, ascii, DNS_TXT, arena, answer);
}

static void check_keys(const struct dkim_signature *s, const struct dkim_text *text,
		       const struct dns_lookup *lookup, struct dkim_proof *proof)
{
	SCOPED(arena_fini) struct arena arena;
	struct dns_answer answer;

	arena_init(&arena, DNS_SCRATCH_BYTES);
	ask_key(s, lookup, &arena, &answer);
	switch (answer.outcome) {
	case DNS_FOUND:
		for (size_t i = 0; i < answer.count && i < DKIM_KEYS_MAX; i++) {
			struct dkim_proof tried = *proof;

			check_record(s, text, answer.records[i], &arena, &tried);
			if (i == 0 || dkim_result_weight(tried.result) >
					      dkim_result_weight(proof->result))
				*proof = tried;
		}
		return;
	case DNS_NONE:
		judge(proof, DKIM_PERMERROR, "there is no key");
		return;
	case DNS_BOGUS:
		judge(proof, DKIM_TEMPERROR, "the DNS answer about the key is forged");
		return;
	case DNS_UNKNOWN:
		judge(proof, DKIM_TEMPERROR, "the key cannot be asked for now");
		return;
	}
}

void dkim_prove(const struct dkim_signature *s, const struct dkim_text *text,
		const struct dns_lookup *lookup, int64_t now_s, struct dkim_proof *proof)
{
	*proof = (struct dkim_proof){DKIM_PERMERROR, "there is no key", 0, false};
	if (s->algorithm == DKIM_RSA_SHA1) { /* RFC 8301 §3.1 */
		judge(proof, DKIM_PERMERROR, "rsa-sha1 is not to be trusted");
		return;
	}
	check_keys(s, text, lookup, proof);
	/* RFC 6376 §3.5, x= */
	if (proof->result == DKIM_PASS && s->has_expiry &&
	    (now_s < 0 || (uint64_t)now_s > s->expiry))
		judge(proof, DKIM_POLICY, "the signature has expired");
}
