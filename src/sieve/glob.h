/* The patterns of ":matches".  RFC 5228 §2.7.1, RFC 5229 §3.2. */
#pragma once

#include "base/str.h"

struct glob {
	struct str pattern; /* folded as value is */
	struct str value;
	const uint32_t *origin; /* as struct folded has it: "?" stands for all octets that
				   were made from one character; may be NULL */
	struct str *wild; /* what each wildcard stood for, slices of value; may be NULL */
	size_t wild_max;  /* of those beyond nothing is said */
	size_t wild_count;
	uint64_t steps; /* how much was compared */
	uint64_t steps_max;
};

/* True if all of value fits the pattern, each wildcard standing for as little as can be.
 * It gives up, with steps beyond steps_max, rather than take too long. */
bool glob_matches(struct glob *glob);
