/* Whether a mail that fails DMARC has passed it before somebody on its way changed it, as
 * a forwarder says whom we trust.  RFC 8617 §7.2.
 *
 * A chain proves who says what.  It is worth no more than those who say it: whoever seals
 * last could have made the whole mail.  So the sets are read from the newest back, as far
 * as all of their sealers are trusted, and the first that found the author proved counts.
 */
#pragma once

#include "mailauth/arc_verify.h"
#include "mailauth/dmarc_from.h"

enum arc_trust_result {
	ARC_UNTRUSTED, /* nothing that counts says that the author is proved */
	ARC_TRUSTED,
	ARC_UNSURE, /* somebody trusted seems to have sealed it last, and that cannot be
		       told now */
};

struct arc_trust {
	enum arc_trust_result result;
	/* Of ARC_TRUSTED: */
	unsigned instance; /* whose results are believed */
	struct str sealer; /* its domain, in our spelling */
	const char *found; /* what it found to pass: "dmarc", "dkim", "spf" */
};

/* forwarders: domains with blanks between, in A-labels; domains below them are others.
 * Of several authors nobody can speak.  Slices live in arena. */
void arc_trust_find(const struct arc_verdict *chain, struct str forwarders,
		    const struct dmarc_authors *authors, struct arena *arena,
		    struct arc_trust *trust);
