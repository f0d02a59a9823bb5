#include <zstd.h>

#include "store/codec.h"

/* Any octets as any request: no crash, memory within the arena; what decodes encodes to
 * something that decodes to the same octets again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void encode(struct buf *buf, const struct store_request *request)
{
	static ZSTD_CCtx *zstd;

	if (!zstd)
		zstd = ZSTD_createCCtx();
	if (request->call == CALL_COMMIT)
		store_enc_commit(buf, &request->commit, NULL, zstd);
	else
		store_enc_request(buf, request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena arena;
	struct store_request first, second;
	struct buf once = BUF(1 << 20), twice = BUF(1 << 20);

	if (len == 0)
		return 0;
	arena_init(&arena, 1 << 20);
	if (store_dec_request(data[0], (struct str){(const char *)data + 1, len - 1},
			      &arena, &first)) {
		ASSERT(arena.used <= 1 << 20);
		encode(&once, &first);
		ASSERT(buf_ok(&once));
		ASSERT(store_dec_request(data[0], buf_str(&once), &arena, &second) ||
		       arena.used > 1 << 18);
		encode(&twice, &second);
		ASSERT(str_same(buf_str(&once), buf_str(&twice)) || arena.used > 1 << 18);
	}
	buf_fini(&once);
	buf_fini(&twice);
	arena_fini(&arena);
	return 0;
}
