/* Sources that the operator has listed, whose mail is not refused though it fails DMARC:
 * forwarders and mailing lists that leave no seal (ARC) or whose seal is not enough, and
 * authors whose domain has it wrong.  RFC 9989 §5.3.6 leaves that to local policy. */
#pragma once

#include "mailauth/mailauth.h"

/* What the setting says: words with blanks between.  A network; a DOMAIN, for mail that
 * SPF or DKIM proves to come from there; LOCAL@DOMAIN or @DOMAIN, for the author in From,
 * which nothing proves.  Domains are A-labels in lower case; those below are others. */
struct exception {
	struct str word;  /* that names it; "" if none does */
	const char *type; /* as reports of DMARC call it: RFC 9990 §3.1.6 */
};

/* The first word that fits.  Slices borrow exceptions. */
struct exception exceptions_find(struct str exceptions,
				 const struct mailauth_facts *facts,
				 const struct mailauth_verdicts *verdicts,
				 struct arena *arena);
