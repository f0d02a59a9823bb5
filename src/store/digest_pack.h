/* The parts of a digest made small, with store/words.h. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* Appends the parts, packed as of DIGEST_PACKED. */
void digest_pack(struct str parts, struct buf *out);
/* The parts again, in the arena.  False if they are damaged or have not size octets, or
 * the arena is full. */
[[nodiscard]] bool digest_unpack(struct arena *arena, uint8_t version, struct str packed,
				 size_t size, struct str *parts);
