#include "wire/imap/fetch.h"

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;
	struct imap_fetch it;

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!imap_fetch(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return 0;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + len);
	for (size_t i = 0; i < it.section_count; i++) {
		SCOPED(buf_fini) struct buf name = BUF(1 << 20);

		imap_section_write(&name, &it.sections[i]);
		ASSERT(buf_ok(&name) && name.len > 0);
	}
	return 0;
}
