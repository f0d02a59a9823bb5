#include "wire/imap/metadata.h"

static void check(struct str input,
		  bool (*read)(struct imap_in *, struct imap_metadata *))
{
	SCOPED(arena_fini) struct arena arena;
	struct imap_metadata it = {0};

	arena_init(&arena, 1 << 20);
	struct imap_in in = imap_in_over(input, &arena);

	if (!read(&in, &it)) {
		ASSERT(in.at.at == input.ptr);
		return;
	}
	ASSERT(in.at.at > input.ptr && in.at.at <= input.ptr + input.len);
	ASSERT(it.count > 0 && it.count <= IMAP_ENTRIES_MAX);
	for (size_t i = 0; i < it.count; i++) {
		const struct imap_entry *entry = &it.entries[i];

		ASSERT(entry->name.len <= IMAP_ENTRY_BYTES_MAX &&
		       entry->name.ptr[0] == '/');
		ASSERT(entry->value.len <= input.len);
	}
}

/* Any octets: it stays inside, and on failure nothing moved. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};

	check(input, imap_getmetadata);
	check(input, imap_setmetadata);
	check(input, imap_entries);
	return 0;
}
