#include "wire/imap/sort.h"

/* Any octets: it stays inside, on failure nothing moved, and no key comes twice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	enum imap_thread algorithm;
	struct imap_sort it;
	unsigned seen = 0;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (imap_thread_algorithm(&in, &algorithm))
		ASSERT(in.at.at > input.ptr && algorithm <= IMAP_THREAD_REFS);
	in = imap_in_over(input, &arena);
	if (!imap_sort_criteria(&in, &it)) {
		ASSERT(in.at.at == input.ptr && in.reason.len > 0);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	ASSERT(it.count > 0 && it.count <= IMAP_SORT_KEYS_MAX);
	for (size_t i = 0; i < it.count; i++) {
		ASSERT(!(seen & 1u << it.keys[i].by));
		seen |= 1u << it.keys[i].by;
	}
	return 0;
}
