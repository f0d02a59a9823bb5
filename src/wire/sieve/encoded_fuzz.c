#include "wire/sieve/encoded.h"

/* What comes out is no longer than what goes in, and has no more encodings than it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len}, decoded;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	if (sieve_encoded_decode(text, &arena, &decoded) == OK) {
		ASSERT(decoded.len <= text.len);
		ASSERT(str_find(text, STR("${")) < text.len || str_same(text, decoded));
	}
	arena_fini(&arena);
	return 0;
}
