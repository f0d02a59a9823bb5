#include "mailauth/arc_verify.h"

#include "base/mem.h"
#include "mailauth/arc_chain.h"

/* Message signatures over a part of the body want a hash each: the newest ones only. */
enum { LENGTHS_MAX = 4 };

struct arc_verify {
	struct dkim_message *message;
	int64_t now_s;
	struct arc_chain chain;
	size_t body_hashes[ARC_INSTANCES_MAX];
	bool has_body_hash[ARC_INSTANCES_MAX];
	struct arc_verdict_one *ones; /* one for each set */
};

const char *arc_result_name(enum arc_result result)
{
	static const char *const names[] = {
		[ARC_NONE] = "none",
		[ARC_PASS] = "pass",
		[ARC_FAIL] = "fail",
		[ARC_TEMPERROR] = "temperror",
	};

	return names[result];
}

static const struct dkim_signature *signature_of(const struct arc_verify *verify,
						 size_t set, enum arc_kind kind)
{
	return &verify->chain.sets[set].fields[kind].signature;
}

/* The newest first. */
static void want_body_hashes(struct arc_verify *verify)
{
	unsigned lengths = 0;

	for (size_t i = verify->chain.count; i-- > 0;) {
		const struct dkim_signature *s = signature_of(verify, i, ARC_MESSAGE);

		if (s->algorithm == DKIM_RSA_SHA1 ||
		    (s->has_length && ++lengths > LENGTHS_MAX))
			continue;
		verify->has_body_hash[i] = dkim_body_want(
			verify->message->body, s->body,
			s->has_length ? s->length : UINT64_MAX, &verify->body_hashes[i]);
	}
}

struct arc_verify *arc_verify_begin(struct dkim_message *message, int64_t now_s)
{
	struct arc_verify *verify = NEW(struct arc_verify);

	verify->message = message;
	verify->now_s = now_s;
	if (message->is_too_big)
		return verify;
	arc_chain_read(&message->header, message->arena, &verify->chain);
	if (verify->chain.is_there && !verify->chain.trouble)
		want_body_hashes(verify);
	return verify;
}

void arc_verify_free(struct arc_verify **verify)
{
	mem_free(*verify);
	*verify = NULL;
}

/* ---- signatures -------------------------------------------------------------------- */

/* False: the chain is decided. */
static bool judge(const struct dkim_proof *proof, const char *what, size_t set,
		  struct arc_verify *verify, struct arc_verdict *verdict)
{
	bool is_unknown = proof->result == DKIM_TEMPERROR;

	if (proof->result == DKIM_PASS)
		return true;
	if (is_unknown && verdict->result == ARC_TEMPERROR)
		return true;
	verdict->result = is_unknown ? ARC_TEMPERROR : ARC_FAIL;
	verdict->reason_at = (unsigned)set + 1;
	verdict->reason =
		arena_printf(verify->message->arena, "%s: %s", what, proof->reason);
	return is_unknown;
}

static void check_message(struct arc_verify *verify, size_t set,
			  const struct dns_lookup *lookup)
{
	const struct dkim_signature *s = signature_of(verify, set, ARC_MESSAGE);
	struct dkim_text text = {.trouble = "it was not looked at"};

	if (verify->has_body_hash[set])
		text = dkim_message_text(verify->message,
					 verify->chain.sets[set].places[ARC_MESSAGE], s,
					 verify->body_hashes[set]);
	dkim_prove(s, &text, lookup, verify->now_s, &verify->ones[set].message);
}

/* RFC 8617 §5.2, steps 4 and 5 */
static bool check_messages(struct arc_verify *verify, const struct dns_lookup *lookup,
			   struct arc_verdict *verdict)
{
	size_t newest = verify->chain.count - 1;

	check_message(verify, newest, lookup);
	if (!judge(&verify->ones[newest].message, "its message signature", newest, verify,
		   verdict))
		return false;
	size_t passed = newest;

	if (verify->ones[newest].message.result != DKIM_PASS)
		return true; /* cannot be told now */
	while (passed > 0) {
		check_message(verify, passed - 1, lookup);
		if (verify->ones[passed - 1].message.result != DKIM_PASS)
			break;
		passed--;
	}
	verdict->oldest_pass = passed == 0 ? 0 : (unsigned)passed + 1;
	return true;
}

/* What all seals cover is a beginning of what the newest one does: they are hashed in
 * one pass, the oldest first. */
static void hash_seals(const struct arc_verify *verify, struct dkim_text *texts)
{
	const struct arc_chain *chain = &verify->chain;
	SCOPED(arc_scope_fini) struct arc_scope scope;

	arc_scope_init(&scope);
	for (size_t i = 0; i < chain->count; i++) {
		const struct arc_set *set = &chain->sets[i];
		const struct mail_field *place = set->places[ARC_SEAL];
		SCOPED(buf_fini) struct buf bare = BUF(TAG_LIST_BYTES_MAX);

		dkim_signature_bare(&set->fields[ARC_SEAL].signature, &bare);
		ASSERT(buf_ok(&bare));
		arc_scope_add_set(&scope, chain, set, false);
		arc_scope_hash(&scope,
			       &(struct dkim_own){dkim_header_name(chain->header, place),
						  buf_str(&bare)},
			       texts[i].hash);
		arc_scope_add(&scope, (struct str){chain->header->text.ptr + place->at,
						   place->len});
	}
}

/* RFC 8617 §5.2, step 6 */
static void check_seals(struct arc_verify *verify, const struct dns_lookup *lookup,
			struct arc_verdict *verdict)
{
	struct dkim_text *texts = ARENA_ARRAY(verify->message->arena, struct dkim_text,
					      verify->chain.count);

	if (!texts) {
		verdict->result = ARC_FAIL;
		verdict->reason = STR("the sets are too big");
		return;
	}
	hash_seals(verify, texts);
	for (size_t i = verify->chain.count; i-- > 0;) {
		dkim_prove(signature_of(verify, i, ARC_SEAL), &texts[i], lookup,
			   verify->now_s, &verify->ones[i].seal);
		if (!judge(&verify->ones[i].seal, "its seal", i, verify, verdict))
			return;
	}
}

/* ---- the chain --------------------------------------------------------------------- */

static void show_sets(struct arc_verify *verify)
{
	for (size_t i = 0; verify->ones && i < verify->chain.count; i++) {
		const struct arc_set *set = &verify->chain.sets[i];
		const struct arc_field *seal = &set->fields[ARC_SEAL];

		verify->ones[i] = (struct arc_verdict_one){
			.instance = (unsigned)i + 1,
			.domain = seal->signature.domain,
			.selector = seal->signature.selector,
			.signer = set->fields[ARC_MESSAGE].signature.domain,
			.cv = seal->has_cv ? arc_cv_name(seal->cv) : "",
			.seal.reason = "not looked at",
			.message.reason = "not looked at",
		};
	}
}

static void check_chain(struct arc_verify *verify, const struct dns_lookup *lookup,
			struct arc_verdict *verdict)
{
	const struct dns_lookup within = dns_lookup_within(lookup, DKIM_SECONDS);

	if (verify->chain.trouble || !verify->ones) {
		verdict->result = ARC_FAIL;
		verdict->reason = str_c(verify->chain.trouble ? verify->chain.trouble
							      : "the sets are too big");
		verdict->reason_at = (unsigned)verify->chain.trouble_at;
		return;
	}
	verdict->result = ARC_PASS;
	if (check_messages(verify, &within, verdict))
		check_seals(verify, &within, verdict);
	for (size_t i = 0; verdict->result == ARC_PASS && i < verify->chain.count; i++)
		verify->ones[i].results =
			verify->chain.sets[i].fields[ARC_RESULTS].results;
}

static struct str say_pass(struct arena *arena, const struct arc_verdict *verdict)
{
	struct str last = verdict->sets[verdict->count - 1].domain;

	if (verdict->oldest_pass == 0)
		return arena_printf(arena,
				    "This mail came by way of %zu that sealed it, %.*s "
				    "the last; what they signed has not been changed "
				    "since.",
				    verdict->count, STR_FMT(last));
	return arena_printf(arena,
			    "This mail came by way of %zu that sealed it, %.*s the last; "
			    "it has not been changed since number %u, %.*s, signed it, "
			    "but it was before.",
			    verdict->count, STR_FMT(last), verdict->oldest_pass,
			    STR_FMT(verdict->sets[verdict->oldest_pass - 1].signer));
}

static struct str say(struct arena *arena, const struct arc_verdict *verdict)
{
	struct str at = STR("");

	if (verdict->reason_at > 0)
		at = arena_printf(arena, "Set %u: ", verdict->reason_at);
	switch (verdict->result) {
	case ARC_NONE:
		return STR("This mail has no ARC chain.");
	case ARC_PASS:
		return say_pass(arena, verdict);
	case ARC_FAIL:
		return arena_printf(arena,
				    "The ARC chain of this mail is broken and says "
				    "nothing.  %.*s%.*s.",
				    STR_FMT(at), STR_FMT(verdict->reason));
	case ARC_TEMPERROR:
		return arena_printf(arena,
				    "Whether the ARC chain of this mail is good cannot "
				    "be told now.  %.*s%.*s.",
				    STR_FMT(at), STR_FMT(verdict->reason));
	}
	return STR("");
}

void arc_verify_end(struct arc_verify *verify, const struct dns_lookup *lookup,
		    struct arc_verdict *verdict)
{
	struct arena *arena = verify->message->arena;

	dkim_message_end(verify->message);
	*verdict = (struct arc_verdict){.result = ARC_NONE, .reason = STR("")};
	if (verify->message->is_too_big) {
		verdict->result = ARC_FAIL;
		verdict->reason = STR("the header of this mail is too big");
	} else if (verify->chain.is_there) {
		verify->ones = ARENA_ARRAY(arena, struct arc_verdict_one,
					   verify->chain.count + 1);
		show_sets(verify);
		check_chain(verify, lookup, verdict);
		verdict->sets = verify->ones;
		verdict->count = verify->ones ? verify->chain.count : 0;
	}
	verdict->sentence = say(arena, verdict);
}
