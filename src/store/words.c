#include "store/words.h"

#include <pthread.h>

enum { ZSTD_LEVEL = 1 };

static ZSTD_CDict *packer;
static ZSTD_DDict *unpacker;

static void make(void)
{
	packer = ZSTD_createCDict(words_table.ptr, words_table.len, ZSTD_LEVEL);
	unpacker = ZSTD_createDDict(words_table.ptr, words_table.len);
	ASSERT(packer && unpacker);
}

static void make_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make); /* cannot fail */
}

const ZSTD_CDict *words_packer(void)
{
	make_once();
	return packer;
}

ZSTD_DCtx *words_unpacker_new(void)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();

	make_once();
	ASSERT(zstd);
	(void)ZSTD_DCtx_refDDict(zstd, unpacker); /* cannot fail */
	return zstd;
}
