#include "wire/imap/append.h"

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_append it;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	struct imap_append_message next;
	bool is_end;

	if (imap_append_next(&in, len % 2 == 1, &is_end, &next))
		ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	else
		ASSERT(in.at.at == input.ptr && !is_end);
	in = imap_in_over(input, &arena);
	if (!imap_append(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	ASSERT(cur_done(in.at) && it.first.literal.len <= INT64_MAX);
	return 0;
}
