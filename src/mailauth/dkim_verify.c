#include "mailauth/dkim_verify.h"

#include "base/mem.h"
#include "mailauth/dkim_body.h"
#include "mailauth/dkim_crypto.h"
#include "mailauth/dkim_header.h"
#include "rt/clock.h"
#include "text/alabel.h"

enum { B_SHOWN = 12 };

struct one {
	struct dkim_signature signature;
	enum dkim_flaw flaw;
	struct dkim_own own;
	size_t body_hash; /* its number, without a flaw */
	bool wants_body;
};

struct dkim_verify {
	struct arena *arena;
	struct dkim_header header;
	bool is_too_big; /* the header */
	int64_t now_s;
	struct one ones[DKIM_SIGNATURES_MAX];
	size_t count, passed_over;
	struct dkim_body *body;
	bool wants_body;
	struct dkim_verdict_one verdicts[DKIM_SIGNATURES_MAX];
	uint64_t lookups_until_ms;
};

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

/* ---- the header -------------------------------------------------------------------- */

static void add_signature(struct dkim_verify *verify, struct str text,
			  const struct mail_field *field)
{
	struct one *one = &verify->ones[verify->count++];
	size_t name_len = (size_t)(field->value.ptr - (text.ptr + field->at));

	one->own.own = (struct str){text.ptr + field->at, name_len};
	one->flaw = dkim_signature_parse(field->value, verify->arena, &one->signature);
	if (one->flaw != DKIM_FINE || one->signature.algorithm == DKIM_RSA_SHA1)
		return;
	struct buf bare = BUF(TAG_LIST_BYTES_MAX);

	dkim_signature_bare(&one->signature, &bare);
	if (!arena_copy(verify->arena, buf_str(&bare), &one->own.value))
		one->flaw = DKIM_TOO_BIG;
	buf_fini(&bare);
	one->body_hash = dkim_body_want(verify->body, one->signature.body,
					one->signature.has_length ? one->signature.length
								  : UINT64_MAX);
	one->wants_body = verify->wants_body = true;
}

struct dkim_verify *dkim_verify_begin(struct str header, struct arena *arena,
				      int64_t now_s)
{
	struct dkim_verify *verify = NEW(struct dkim_verify);

	verify->arena = arena;
	verify->now_s = now_s;
	verify->body = dkim_body_new();
	verify->is_too_big = !dkim_header_read(header, arena, &verify->header);
	for (size_t i = 0; i < verify->header.fields.count; i++) {
		const struct mail_field *field = &verify->header.fields.fields[i];

		if (!str_same_nocase(field->name, STR("DKIM-Signature")))
			continue;
		if (verify->is_too_big || verify->count == DKIM_SIGNATURES_MAX)
			verify->passed_over++;
		else
			add_signature(verify, header, field);
	}
	return verify;
}

void dkim_verify_free(struct dkim_verify **verify)
{
	if (!*verify)
		return;
	dkim_body_free(&(*verify)->body);
	mem_free(*verify);
	*verify = NULL;
}

bool dkim_verify_wants_body(const struct dkim_verify *verify)
{
	return verify->wants_body;
}

void dkim_verify_feed(struct dkim_verify *verify, struct str piece)
{
	if (verify->wants_body)
		dkim_body_feed(verify->body, piece);
}

/* Which one of several stands for all: the one that says most. */
static unsigned weight(enum dkim_result result)
{
	static const unsigned weights[] = {
		[DKIM_NONE] = 0,   [DKIM_PERMERROR] = 1, [DKIM_NEUTRAL] = 2,
		[DKIM_POLICY] = 3, [DKIM_FAIL] = 4,      [DKIM_TEMPERROR] = 5,
		[DKIM_PASS] = 6,
	};

	return weights[result];
}

/* ---- one signature ----------------------------------------------------------------- */

static void judge(struct dkim_verdict_one *verdict, enum dkim_result result,
		  const char *reason)
{
	verdict->result = result;
	verdict->reason = reason;
}

/* With a key that can be used: what the text says.  RFC 6376 §6.1.3. */
static void check_text(struct dkim_verify *verify, const struct one *one,
		       const struct dkim_key *key, struct dkim_verdict_one *verdict)
{
	const struct dkim_signature *s = &one->signature;
	const struct dkim_body_hash *body = dkim_body_hash(verify->body, one->body_hash);
	unsigned char hash[DKIM_HASH_BYTES];

	if (s->has_length && s->length > body->length) {
		judge(verdict, DKIM_FAIL, "body is shorter than it was");
		return;
	}
	if (memcmp(body->hash, s->body_hash.ptr, DKIM_HASH_BYTES) != 0) {
		judge(verdict, DKIM_FAIL, "body hash did not verify");
		return;
	}
	dkim_header_hash(&verify->header, s->header, s->names, s->name_count, &one->own,
			 hash);
	switch (dkim_check(key, hash, s->signature)) {
	case DKIM_CHECK_GOOD:
		judge(verdict, DKIM_PASS, "good signature");
		return;
	case DKIM_CHECK_WRONG:
		judge(verdict, DKIM_FAIL, "signature did not verify");
		return;
	case DKIM_CHECK_NO_KEY:
		judge(verdict, DKIM_PERMERROR, "the key is damaged");
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

static void check_record(struct dkim_verify *verify, const struct one *one,
			 struct str data, struct arena *arena,
			 struct dkim_verdict_one *verdict)
{
	struct dkim_key key;
	struct str text;

	if (!dns_txt_read(data, arena, &text)) {
		judge(verdict, DKIM_PERMERROR, "the key record is damaged");
		return;
	}
	enum dkim_key_flaw flaw = dkim_key_parse(text, arena, &key);

	if (flaw != DKIM_KEY_FINE) {
		judge(verdict, DKIM_PERMERROR, dkim_key_flaw_text(flaw));
		return;
	}
	const char *trouble = key_trouble(&one->signature, &key);

	verdict->key_bits = dkim_key_bits(&key);
	verdict->is_testing = key.is_testing;
	if (trouble)
		judge(verdict, DKIM_PERMERROR, trouble);
	else
		check_text(verify, one, &key, verdict);
	/* RFC 6376 §3.6.1, t=y: as if it were not signed, even should it fail.
	 * Deviates: a good signature of a testing domain passes, and is marked, as
	 * everybody else has it. */
	if (key.is_testing && verdict->result != DKIM_PASS)
		judge(verdict, DKIM_NEUTRAL, "not good, but the domain is only testing");
}

/* RFC 6376 §6.1.2 */
static void ask_key(struct dkim_verify *verify, const struct one *one,
		    const struct dns_lookup *lookup, struct arena *arena,
		    struct dns_answer *answer)
{
	struct str name = arena_printf(arena, "%.*s._domainkey.%.*s",
				       STR_FMT(one->signature.selector),
				       STR_FMT(one->signature.domain));
	struct str ascii;

	*answer = (struct dns_answer){.outcome = DNS_NONE};
	if (!alabel_name(name, arena, &ascii) || !dns_name_is_valid(ascii))
		return; /* RFC 8616 §5: U-labels that are none */
	answer->outcome = DNS_UNKNOWN;
	if (clock_monotonic_ms() < verify->lookups_until_ms)
		lookup->ask(lookup->context, ascii, DNS_TXT, arena, answer);
}

static void check_keys(struct dkim_verify *verify, const struct one *one,
		       const struct dns_lookup *lookup, struct dkim_verdict_one *verdict)
{
	SCOPED(arena_fini) struct arena arena;
	struct dns_answer answer;

	arena_init(&arena, DNS_SCRATCH_BYTES);
	ask_key(verify, one, lookup, &arena, &answer);
	switch (answer.outcome) {
	case DNS_FOUND:
		for (size_t i = 0; i < answer.count && i < DKIM_KEYS_MAX; i++) {
			struct dkim_verdict_one tried = *verdict;

			check_record(verify, one, answer.records[i], &arena, &tried);
			if (i == 0 || weight(tried.result) > weight(verdict->result))
				*verdict = tried;
		}
		return;
	case DNS_NONE:
		judge(verdict, DKIM_PERMERROR, "there is no key");
		return;
	case DNS_BOGUS:
		judge(verdict, DKIM_TEMPERROR, "the DNS answer about the key is forged");
		return;
	case DNS_UNKNOWN:
		judge(verdict, DKIM_TEMPERROR, "the key cannot be asked for now");
		return;
	}
}

static void check_one(struct dkim_verify *verify, const struct one *one,
		      const struct dns_lookup *lookup, struct dkim_verdict_one *verdict)
{
	const struct dkim_signature *s = &one->signature;

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
		judge(verdict, DKIM_NEUTRAL, dkim_flaw_text(one->flaw));
		return;
	}
	if (s->algorithm == DKIM_RSA_SHA1) { /* RFC 8301 §3.1 */
		judge(verdict, DKIM_PERMERROR, "rsa-sha1 is not to be trusted");
		return;
	}
	verdict->body_length = dkim_body_hash(verify->body, one->body_hash)->length;
	judge(verdict, DKIM_PERMERROR, "there is no key");
	check_keys(verify, one, lookup, verdict);
	/* RFC 6376 §3.5, x= */
	if (verdict->result == DKIM_PASS && s->has_expiry &&
	    (verify->now_s < 0 || (uint64_t)verify->now_s > s->expiry))
		judge(verdict, DKIM_POLICY, "the signature has expired");
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

void dkim_verify_end(struct dkim_verify *verify, const struct dns_lookup *lookup,
		     struct dkim_verdict *verdict)
{
	*verdict = (struct dkim_verdict){
		.signatures = verify->verdicts,
		.count = verify->count,
		.passed_over = verify->passed_over,
		.sentence = STR("This mail is not signed."),
	};
	if (verify->is_too_big) {
		verdict->result = DKIM_NEUTRAL;
		verdict->sentence = STR("The header of this mail is too big to look for "
					"signatures in it.");
		return;
	}
	verify->lookups_until_ms = clock_monotonic_ms() + 1000 * DKIM_LOOKUP_SECONDS;
	dkim_body_end(verify->body);
	for (size_t i = 0; i < verify->count; i++) {
		struct dkim_verdict_one *one = &verify->verdicts[i];

		check_one(verify, &verify->ones[i], lookup, one);
		one->sentence = say_one(verify->arena, one);
		if (weight(one->result) <= weight(verdict->result))
			continue;
		verdict->result = one->result;
		verdict->sentence = one->sentence;
	}
}
