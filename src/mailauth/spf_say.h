/* What SPF says, in words. */
#pragma once

#include "mailauth/spf.h"

/* The verdict as one sentence. */
struct str spf_sentence(const struct spf_verdict *verdict, const struct ip *ip,
			struct arena *arena);
/* At most 100 octets of what a stranger wrote, without anything that is no plain ASCII.
 */
struct str spf_printable(struct arena *arena, struct str text);
