#include "wire/imap/partial.h"

/* Any octets: it stays inside; what is written reads the same; the places lie in order
 * within the total. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf out = BUF(100);
	struct imap_partial it, again;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!imap_partial(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return 0;
	}
	imap_partial_write(&out, &it);
	struct imap_in back = imap_in_over(buf_str(&out), &arena);

	ASSERT(imap_partial(&back, &again) && cur_done(back.at));
	ASSERT(again.first == it.first && again.last == it.last);
	ASSERT(again.is_from_end == it.is_from_end);
	for (uint64_t total = 0; total < 10; total++) {
		uint64_t begin, end;

		imap_partial_places(&it, total, &begin, &end);
		ASSERT(begin <= end && end <= total);
	}
	return 0;
}
