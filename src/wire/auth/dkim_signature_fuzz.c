#include "wire/auth/dkim_signature.h"

/* What is read has all a verifier needs; the bare value is the value without its b=, and
 * is no signature any more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf bare = BUF(len + 1);
	struct str value = {(const char *)data, len};
	struct dkim_signature s, again;
	bool has_from = false;

	arena_init(&arena, 1 << 20);
	if (dkim_signature_parse(value, &arena, &s) != DKIM_FINE)
		return 0;
	ASSERT(s.domain.len > 0 && s.selector.len > 0 && s.signature.len > 0);
	ASSERT(s.identity_domain.len >= s.domain.len);
	ASSERT(s.name_count > 0 && s.name_count <= DKIM_NAMES_MAX);
	for (size_t i = 0; i < s.name_count; i++)
		has_from = has_from || str_same_nocase(s.names[i], STR("From"));
	ASSERT(has_from);
	ASSERT(!s.has_time || !s.has_expiry || s.time < s.expiry);
	dkim_signature_bare(&s, &bare);
	ASSERT(buf_ok(&bare) && bare.len == len - s.b.len);
	ASSERT(dkim_signature_parse(buf_str(&bare), &arena, &again) == DKIM_BASE64);
	ASSERT(str_same(again.domain, s.domain) && str_same(again.selector, s.selector));
	return 0;
}
