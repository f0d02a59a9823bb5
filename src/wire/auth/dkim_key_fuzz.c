#include "wire/auth/dkim_key.h"

#include "base/buf.h"

/* A key that is read has what its type needs, in sensible sizes, and what the record says
 * does not change when tags that mean nothing follow. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SCOPED(arena_fini) struct arena arena;
	SCOPED(buf_fini) struct buf more = BUF(len + 100);
	struct str record = {(const char *)data, len}, bytes;
	struct dkim_key key, again;

	arena_init(&arena, 256 * 1024);
	if (dkim_base64(record, &arena, &bytes))
		ASSERT(bytes.len <= len / 4 * 3);
	if (dkim_key_parse(record, &arena, &key) != DKIM_KEY_FINE)
		return 0;
	size_t bits = dkim_key_bits(&key);

	if (key.type == DKIM_KEY_RSA) {
		ASSERT(key.modulus.len > 0 && key.exponent.len > 0);
		ASSERT(key.modulus.ptr[0] != 0 && key.exponent.ptr[0] != 0);
		ASSERT(bits > 8 * (key.modulus.len - 1) && bits <= 8 * key.modulus.len);
	} else {
		ASSERT(key.public_key.len == DKIM_ED25519_BYTES && bits == 256);
	}
	buf_add(&more, record);
	buf_add(&more, STR(";zZ_9=x;"));
	enum dkim_key_flaw flaw = dkim_key_parse(buf_str(&more), &arena, &again);

	ASSERT(flaw == DKIM_KEY_SYNTAX || flaw == DKIM_KEY_FINE);
	if (flaw == DKIM_KEY_FINE)
		ASSERT(str_same(again.public_key, key.public_key));
	return 0;
}
