#include "wire/auth/gs2.h"

#include "base/utf8.h"

enum { NAMES_BYTES = 1 << 16 };

/* A header that is read and names a channel we know is written the same again; a name
 * that is read is UTF-8 without NUL. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf again = BUF(4 * len + 64);
	struct str input = {(const char *)data, len};
	struct cursor c = cur_over(input);
	struct gs2_header h;
	struct str name;

	arena_init(&arena, NAMES_BYTES);
	if (gs2_header_take(&c, &arena, &h) == GS2_FINE) {
		ASSERT(h.text.ptr == input.ptr && c.at == input.ptr + h.text.len);
		ASSERT(utf8_valid(h.authzid));
		if (h.binding != GS2_BINDING_USED || h.channel != GS2_CHANNEL_OTHER) {
			gs2_header_add(&again, h.binding, h.channel, h.authzid);
			ASSERT(str_same(buf_str(&again), h.text));
		}
	} else {
		ASSERT(c.at == input.ptr);
	}
	buf_reset(&again);
	if (gs2_name_read(input, &arena, &name) == GS2_FINE) {
		ASSERT(name.len > 0 && str_find_byte(name, '\0') == name.len);
		gs2_name_add(&again, name);
		ASSERT(str_same(buf_str(&again), input));
	}
	return 0;
}
