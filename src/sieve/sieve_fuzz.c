#include "sieve/sieve.h"

#include "base/buf.h"
#include "base/utf8.h"

static void same(const struct sieve_outcome *a, const struct sieve_outcome *b)
{
	ASSERT(a->count == b->count && a->flaw.line == b->flaw.line);
	for (size_t i = 0; i < a->count; i++) {
		ASSERT(a->actions[i].kind == b->actions[i].kind);
		ASSERT(str_same(a->actions[i].target, b->actions[i].target));
		ASSERT(str_same(a->actions[i].flags, b->actions[i].flags));
	}
}

static void check(const struct sieve_outcome *outcome)
{
	size_t redirects = 0;

	ASSERT(outcome->count > 0 && outcome->count <= SIEVE_ACTIONS_MAX);
	if (outcome->flaw.line > 0)
		ASSERT(outcome->count == 1 && outcome->actions[0].kind == SIEVE_KEEP &&
		       outcome->flaw.sentence.len > 0);
	for (size_t i = 0; i < outcome->count; i++) {
		const struct sieve_action *a = &outcome->actions[i];

		redirects += a->kind == SIEVE_REDIRECT;
		ASSERT((a->kind == SIEVE_REDIRECT || a->kind == SIEVE_FILEINTO) ==
		       (a->target.len > 0));
		ASSERT(utf8_valid(a->target) && utf8_valid(a->flags));
		ASSERT(a->kind != SIEVE_DISCARD || outcome->count == 1);
	}
	ASSERT(redirects <= SIEVE_REDIRECTS_MAX);
}

/* A script, an octet 0, a mail: what is done with it is bounded, and the same each time.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str all = {(const char *)data, len};
	struct str script = str_cut(&all, '\0');
	struct sieve_outcome first, second;
	struct sieve_script *compiled;
	struct mail_header header;
	struct sieve_flaw flaw;
	struct arena arena;

	arena_init(&arena, 64 * 1024 * 1024);
	header = mail_header_split(&arena, all, SIEVE_FIELDS_MAX);
	struct sieve_mail mail = {.header = &header,
				  .text = all,
				  .bytes = all.len,
				  .from = STR("a+b@example.org"),
				  .to = STR("\"c d\"@example.net"),
				  .now_s = 1767691800,
				  .zone_minutes = -210};

	if (sieve_compile(script, &arena, &compiled, &flaw) != OK) {
		ASSERT(flaw.line > 0 && flaw.sentence.len > 0);
	} else {
		sieve_run(compiled, &mail, &arena, &first);
		sieve_run(compiled, &mail, &arena, &second);
		check(&first);
		same(&first, &second);
	}
	arena_fini(&arena);
	return 0;
}
