#include "wire/sieve/token.h"

/* Each token moves on, begins no earlier than the one before, and is no bigger than what
 * it may mean; the end stays the end. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str script = {(const char *)data, len};
	struct sieve_token token;
	struct arena arena;
	unsigned line = 1;

	arena_init(&arena, 1 << 20);
	struct sieve_tokens tokens = sieve_tokens_over(script, &arena);

	for (size_t count = 0;; count++) {
		struct cursor before = tokens.at;

		ASSERT(count <= len);
		if (!sieve_token_next(&tokens, &token)) {
			ASSERT(tokens.flaw.line >= line && tokens.flaw.sentence.len > 0);
			break;
		}
		ASSERT(token.line >= line && token.line <= tokens.line);
		ASSERT(tokens.at.at <= script.ptr + script.len);
		line = token.line;
		if (token.kind == SIEVE_END) {
			ASSERT(cur_done(tokens.at));
			break;
		}
		ASSERT(tokens.at.at > before.at);
		ASSERT(token.text.len <= 2 * (size_t)(tokens.at.at - before.at));
		ASSERT(token.number <= SIEVE_NUMBER_MAX);
	}
	arena_fini(&arena);
	return 0;
}
