/* Texts as a comparator sees them: what is equal to it becomes equal octets.  RFC 5228
 * §2.7.3, RFC 4790 §9, RFC 5051. */
#pragma once

#include "base/buf.h"
#include "sieve/language.h"

struct folded {
	struct str text; /* the text itself, or in the buffer */
	/* If characters became others: where in the text the character begins that an
	 * octet was made from; one more for the end.  NULL: octets stayed where they
	 * were. */
	const uint32_t *origin;
};

/* A value; origins may be NULL if nobody asks for them.  The buffers are emptied before,
 * and have failed if it does not fit. */
struct folded fold_value(enum sieve_comparator comparator, struct str text,
			 struct buf *out, struct buf *origins);
/* A key, or if is_pattern one of ":matches", whose wildcards and escapes stay. */
struct str fold_key(enum sieve_comparator comparator, bool is_pattern, struct str key,
		    struct buf *out);
