#include "wire/imap/esearch.h"

/* Any octets as where to search: stays inside, and what is read is within its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct arena arena;
	struct imap_sources sources = {0};

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(text, &arena);
	const char *before = in.at.at;

	if (imap_sources(&in, &sources)) {
		ASSERT(sources.count > 0 && sources.count <= IMAP_SOURCES_MAX);
		ASSERT(in.at.at > before && in.at.at <= text.ptr + text.len);
		for (size_t i = 0; i < sources.count; i++)
			ASSERT(sources.list[i].kind >= IMAP_SOURCE_SUBTREE ||
			       sources.list[i].mailbox.len == 0);
	} else {
		ASSERT(in.at.at == before);
	}
	arena_fini(&arena);
	return 0;
}
