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

static bool has_fuzzy(const struct imap_search_key *key)
{
	bool found = key->is_fuzzy;

	for (const struct imap_search_key *child = key->child; child && !found;
	     child = child->next)
		found = has_fuzzy(child);
	return found;
}

static void as(struct str input, bool (*read)(struct imap_in *, struct imap_search *))
{
	SCOPED(arena_fini) struct arena arena;
	struct imap_search it;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!read(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + input.len);
	ASSERT(it.key && depth(it.key) <= IMAP_SEARCH_DEPTH_MAX + 2);
	struct imap_search_key *copy = imap_search_key_copy(&arena, it.key);

	ASSERT(!copy || depth(copy) == depth(it.key));
	ASSERT(!(it.returns & IMAP_RETURN_PARTIAL) || !(it.returns & IMAP_RETURN_ALL));
	ASSERT(!(it.returns & IMAP_RETURN_PARTIAL) || it.partial.first > 0);
	ASSERT(it.has_fuzzy || (!has_fuzzy(it.key) && !imap_search_by_relevancy(&it)));
}

/* Any octets, as any of the three: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};

	as(input, imap_search);
	as(input, imap_sort_search);
	as(input, imap_thread_search);
	return 0;
}
