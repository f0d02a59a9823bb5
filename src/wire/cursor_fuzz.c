#include "wire/cursor.h"

/* Any octets, any set: a run stays inside and ends before a byte outside the set. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cursor c = cur_over((struct str){(const char *)data, len});

	for (unsigned bit = 1; bit <= CSET_DTEXT; bit <<= 1) {
		struct cursor at = c;
		size_t taken = cur_run(&at, (enum cset)bit);

		ASSERT(taken == cur_since(c, at).len && taken <= len);
		ASSERT(cur_done(at) || !cur_one(&at, (enum cset)bit));
	}
	return 0;
}
