#include "wire/imap/sequence_set.h"

/* A set that is taken has sorted ranges with gaps, resolved or not; it is written so that
 * it is read the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf text = BUF(1 << 20);
	struct imap_sequence_set set, again;

	arena_init(&arena, 4 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!imap_sequence_set(&in, &set)) {
		ASSERT(in.at.at == input.ptr);
		return 0;
	}
	imap_sequence_set_resolve(&set, 1000);
	for (size_t i = 0; i < set.count; i++) {
		ASSERT(set.ranges[i].first > 0 &&
		       set.ranges[i].first <= set.ranges[i].last);
		ASSERT(i == 0 || set.ranges[i - 1].last < set.ranges[i].first - 1);
		ASSERT(imap_sequence_set_has(&set, set.ranges[i].first));
		ASSERT(imap_sequence_set_has(&set, set.ranges[i].last));
	}
	imap_ranges_write(&text, set.ranges, set.count);
	in = imap_in_over(buf_str(&text), &arena);
	if (set.count > 0) {
		ASSERT(imap_sequence_set(&in, &again) && cur_done(in.at));
		ASSERT(again.count == set.count);
	}
	return 0;
}
