/* The identifiers in Message-ID, In-Reply-To and References.  RFC 5322 §3.6.4, §4.5.4.
 *
 * Leniencies, each for mail that exists:
 * - PHRASE: words between the identifiers are passed over (RFC 5322 §4.5.4);
 * - NO_ANGLES: a value that has none, but is one word, is the identifier;
 * - SPACE_INSIDE: white space and line ends between the angles are removed. */
#pragma once

#include "base/arena.h"

struct mail_ids {
	struct str *items; /* without the angles; unneeded quotes removed, so that equal
			      identifiers are equal octets (RFC 5256 §3) */
	size_t count;
	bool is_cut; /* there were more than max, of which the last are kept, or the
			arena was full */
};

/* The last max identifiers in a field's value. */
struct mail_ids mail_ids_parse(struct arena *arena, struct str value, size_t max);
