#include "wire/auth/oauth.h"

#include "base/utf8.h"

enum { NAMES_BYTES = 1 << 16 };

/* A token is part of what was sent, and none holds a space, a comma or a control. */
static void check(struct str input, const struct oauth_response *r)
{
	ASSERT(r->token.len > 0 && r->token.ptr > input.ptr);
	ASSERT(r->token.ptr + r->token.len < input.ptr + input.len);
	for (size_t i = 0; i < r->token.len; i++)
		ASSERT(r->token.ptr[i] > ' ' && r->token.ptr[i] < 127 &&
		       r->token.ptr[i] != ',');
	ASSERT(utf8_valid(r->user));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	struct str input = {(const char *)data, len};
	struct oauth_response r;

	arena_init(&arena, NAMES_BYTES);
	if (oauth_bearer_parse(input, &arena, &r)) {
		check(input, &r);
		ASSERT(!oauth_xoauth2_parse(input, &r));
	}
	if (oauth_xoauth2_parse(input, &r)) {
		check(input, &r);
		ASSERT(r.user.len + r.token.len + sizeof "user=\1auth=Bearer \1\1" - 1 <=
		       len);
	}
	return 0;
}
