/* What mails say again and again, as a dictionary of zstd's: digests are packed with it,
 * and the frames of small bodies. */
#pragma once

#include <zstd.h>

#include "base/str.h"

/* All of it; without its statistics; and only what headers say, which DIGEST_WORDS was
 * packed with. */
extern const struct str words_table, words_alone, words_of_headers;

/* For packing at level 1.  Every thread may use it; it is never freed. */
const ZSTD_CDict *words_packer(void);
/* A context that also unpacks what was packed without words.  Never NULL; freed by
 * ZSTD_freeDCtx(). */
ZSTD_DCtx *words_unpacker_new(void);
