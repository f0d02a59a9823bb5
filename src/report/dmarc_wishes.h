/* Who wants reports of DMARC about a domain, and may have them: what its record says now,
 * as far as those elsewhere have agreed.  RFC 9990 §4, RFC 9991 §5. */
#pragma once

#include "mailauth/dns_lookup.h"
#include "wire/auth/dmarc_rua.h"

/* tag: "rua" for counts, "ruf" for single mails.  FOUND: *rua are those who get it; NONE:
 * nobody; UNKNOWN: cannot tell now.  May suspend. */
enum dns_outcome dmarc_wishes_find(const struct dns_lookup *lookup, const char *tag,
				   struct str domain, struct arena *arena,
				   struct dmarc_rua *rua);
