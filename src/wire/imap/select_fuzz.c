#include "wire/imap/select.h"

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_select it;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	in.is_utf8 = len % 2 == 1;
	if (!imap_select(&in, &it)) {
		ASSERT(in.at.at == input.ptr && in.reason.len > 0);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	ASSERT(!it.has_known || it.known.count > 0);
	ASSERT((it.numbers.count > 0) == (it.uids.count > 0));
	ASSERT(it.is_qresync || !it.has_known);
	return 0;
}
