#include "wire/imap/quota.h"

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len}, root;
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!imap_setquota(&in, &root)) {
		ASSERT(in.at.at == input.ptr);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	ASSERT(in.at.at[-1] == ')');
	return 0;
}
