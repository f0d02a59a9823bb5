#include "store/digest_pack.h"

#include <zstd.h>

/* Without entropy coding: a third of the time for an eighth more. */
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
		ZSTD_createCDict(digest_words.ptr, digest_words.len, ZSTD_LEVEL);

	ASSERT(packer && words);
	/* These cannot fail. */
	(void)ZSTD_CCtx_setParameter(packer, ZSTD_c_contentSizeFlag, 0);
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

bool digest_unpack(struct arena *arena, struct str packed, size_t size, struct str *parts)
{
	char *room = size > 0 ? arena_alloc(arena, size, 1) : NULL;

	if (!room)
		return false;
	if (!unpacker)
		unpacker = ZSTD_createDCtx();
	ASSERT(unpacker);
	if (ZSTD_decompress_usingDict(unpacker, room, size, packed.ptr, packed.len,
				      digest_words.ptr, digest_words.len) != size)
		return false;
	*parts = (struct str){room, size};
	return true;
}
