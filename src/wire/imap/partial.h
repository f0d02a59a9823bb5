/* Which part of a result is wanted: "1:500" are the first ones, "-1:-100" the last.
 * RFC 9394 §3.1, RFC 5267 §4.4. */
#pragma once

#include "base/buf.h"
#include "wire/imap/token.h"

struct imap_partial {
	uint32_t first, last; /* as they were said, in either order; not 0 */
	bool is_from_end;
};

/* partial-range = partial-range-first / partial-range-last */
bool imap_partial(struct imap_in *in, struct imap_partial *partial);
/* The same again. */
void imap_partial_write(struct buf *out, const struct imap_partial *partial);
/* Of so many results, counted from 0: those from *begin on that are before *end. */
void imap_partial_places(const struct imap_partial *partial, uint64_t total,
			 uint64_t *begin, uint64_t *end);
