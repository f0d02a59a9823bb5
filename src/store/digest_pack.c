#include "store/digest_pack.h"

#include "store/digest_form.h"
#include "store/words.h"

/* Without codes for letters, though with those for lengths and distances: reading takes
 * half the time, for a quarter more. */
enum { ZSTD_LEVEL = -1 };

/* Of this thread, for as long as it lives. */
static _Thread_local ZSTD_CCtx *packer;
static _Thread_local ZSTD_DCtx *unpacker;

static ZSTD_CCtx *packer_of_thread(void)
{
	if (packer)
		return packer;
	packer = ZSTD_createCCtx();
	ZSTD_CDict *words =
		ZSTD_createCDict(words_table.ptr, words_table.len, ZSTD_LEVEL);

	ASSERT(packer && words);
	/* These cannot fail. */
	(void)ZSTD_CCtx_setParameter(packer, ZSTD_c_contentSizeFlag, 0);
	(void)ZSTD_CCtx_setParameter(packer, ZSTD_c_dictIDFlag, 0);
	(void)ZSTD_CCtx_refCDict(packer, words);
	return packer;
}

void digest_pack(struct str parts, struct buf *out)
{
	size_t room = ZSTD_compressBound(parts.len);
	char *at = buf_room(out, room);

	if (!at)
		return;
	size_t len = ZSTD_compress2(packer_of_thread(), at, room, parts.ptr, parts.len);

	ASSERT(!ZSTD_isError(len)); /* there was room, and memory ends the process */
	buf_grew(out, len);
}

bool digest_unpack(struct arena *arena, uint8_t version, struct str packed, size_t size,
		   struct str *parts)
{
	char *room = size > 0 ? arena_alloc(arena, size, 1) : NULL;

	if (!room)
		return false;
	if (!unpacker)
		unpacker = words_unpacker_new();
	size_t len = version == DIGEST_WORDS
			     ? ZSTD_decompress_usingDict(unpacker, room, size, packed.ptr,
							 packed.len, words_of_headers.ptr,
							 words_of_headers.len)
			     : ZSTD_decompressDCtx(unpacker, room, size, packed.ptr,
						   packed.len);

	if (len != size)
		return false;
	*parts = (struct str){room, size};
	return true;
}
