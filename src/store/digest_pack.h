/* The parts of a digest made small, by a dictionary of what mails' headers say. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

extern const struct str digest_words;

/* Appends the parts, packed. */
void digest_pack(struct str parts, struct buf *out);
/* The parts again, in the arena.  False if they are damaged or have not size octets, or
 * the arena is full. */
[[nodiscard]] bool digest_unpack(struct arena *arena, struct str packed, size_t size,
				 struct str *parts);
