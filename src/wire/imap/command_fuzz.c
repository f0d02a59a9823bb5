#include "wire/imap/command.h"

/* Any octets in any state: it stays inside, has a reason when it fails, and its reason
 * is one line of ASCII. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str input = {(const char *)data, len};
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, 1 << 20);
	for (unsigned state = IMAP_NOT_AUTHENTICATED; state <= IMAP_SELECTED;
	     state <<= 1) {
		struct imap_dialect dialect = {(enum imap_state)state, len % 2 == 1,
					       len % 4 == 1};
		struct imap_command command;
		struct str reason;
		bool ok = imap_command_parse(input, dialect, &arena, &command, &reason);

		ASSERT(ok == (reason.len == 0));
		ASSERT(!ok || command.tag.len > 0);
		for (size_t i = 0; i < reason.len; i++)
			ASSERT(reason.ptr[i] >= 32 && reason.ptr[i] < 127);
		arena_reset(&arena);
	}
	return 0;
}
