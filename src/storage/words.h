/* Keywords as they stand in a membership row: enc_str() one after the other, without
 * doubles; two that differ in ASCII case only are the same (RFC 9051 §2.3.2). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "store/types.h"

/* False if a word is empty, too long, or there are too many. */
[[nodiscard]] bool words_write(struct buf *buf, const struct keywords *keywords);
/* Appends what `old` becomes.  False if nothing changes; then what was appended is the
 * same set. */
bool words_combine(struct buf *buf, struct str old, enum flags_mode mode,
		   struct str operand);
size_t words_count(struct str words);
/* The list is in the arena, false at its bound; each borrows. */
[[nodiscard]] bool words_read(struct str words, struct arena *arena,
			      struct keywords *keywords);
