#include "wire/imap/search.h"

static unsigned depth(const struct imap_search_key *key)
{
	unsigned deepest = 0;

	for (const struct imap_search_key *child = key->child; child;
	     child = child->next) {
		unsigned below = depth(child);

		deepest = below > deepest ? below : deepest;
	}
	return deepest + 1;
}

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_search it;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!imap_search(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	ASSERT(it.key && depth(it.key) <= IMAP_SEARCH_DEPTH_MAX + 2);
	return 0;
}
