#include "wire/mail/envelope.h"

/* Any octets: within the bounds, and the same with the body cut off. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len};
	struct mail_fields walk = mail_fields_over(text);
	struct mail_envelope whole, header;
	struct mail_field field;
	struct arena arena;

	while (mail_fields_next(&walk, &field))
		continue;
	arena_init(&arena, 1 << 22);
	mail_envelope_parse(&arena, text, 50, &whole);
	mail_envelope_parse(&arena, str_first(text, walk.at), 50, &header);
	if (!whole.is_cut && !header.is_cut)
		ASSERT(str_same(whole.subject, header.subject));
	for (int i = 0; i < MAIL_LIST_COUNT; i++)
		ASSERT(whole.lists[i].count <= 50);
	arena_fini(&arena);
	return 0;
}
