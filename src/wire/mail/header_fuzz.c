#include "wire/mail/header.h"

/* Any octets: the fields lie one after the other and fill the header; their values
 * unfold to one line; the header parses to the same when the body is cut off. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str text = {(const char *)data, len}, line;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	struct mail_header h = mail_header_split(&arena, text, 1000);

	ASSERT(h.len <= len);
	for (size_t i = 0; i < h.count; i++) {
		struct mail_field f = h.fields[i];

		ASSERT(f.len > 0 && f.at + f.len <= h.len && f.name.len > 0);
		ASSERT(i == 0 || h.fields[i - 1].at + h.fields[i - 1].len == f.at);
		ASSERT(f.value.ptr + f.value.len <= text.ptr + f.at + f.len);
		if (!mail_unfold(&arena, f.value, &line))
			break;
		ASSERT(line.len == 0 || !memchr(line.ptr, '\n', line.len));
		ASSERT(line.len <= f.value.len);
	}
	struct mail_header again =
		mail_header_split(&arena, str_first(text, h.len), 1000);

	ASSERT(again.is_cut || (again.len == h.len && again.count == h.count));
	arena_fini(&arena);
	return 0;
}
