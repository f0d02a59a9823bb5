/* Everything that can be found out about who a mail is from: the client's name (iprev),
 * its name in HELO, SPF, DKIM, DMARC and the ARC chain; and the field that says so.
 *
 *   struct mailauth_facts facts = {.ip = ..., .dkim = verify, ...};
 *   mailauth_judge(&facts, &lookup, &arena, &verdicts);
 *   mailauth_results_add(&buf, &facts, &verdicts);
 *
 * What does not need the answer to something else is asked at the same time: SPF of both
 * names, both checks of the client's name, the key of each signature, those of the chain,
 * and the author's policy.  Nobody waits longer than MAILAUTH_SECONDS for all of it,
 * whatever the DNS does.
 *
 * Nothing here decides about a mail.  What could not be found out in time is temperror or
 * unknown, and no reason to refuse anything.
 */
#pragma once

#include "mailauth/arc_trust.h"
#include "mailauth/dkim_verify.h"
#include "mailauth/dmarc.h"
#include "mailauth/helo.h"
#include "mailauth/iprev.h"
#include "mailauth/spf.h"

enum { MAILAUTH_SECONDS = 20 }; /* of questions; then nobody waits for answers */

/* All borrowed, until the verdicts have been used. */
struct mailauth_facts {
	struct ip ip;
	struct str helo;     /* as the client said it, in A-labels */
	struct str sender;   /* the reverse-path without brackets, its domain in A-labels;
				"" is the null one */
	struct str receiver; /* our name; in the field it is the authserv-id */
	/* Of the message only: */
	struct str header;        /* with its blank line */
	struct dkim_verify *dkim; /* begun over that header, its message fed with the
				     body; it is ended here, and may be freed after that.
				     NULL: DKIM was not looked at */
	struct arc_verify *arc;   /* likewise, of the same message */
	struct str forwarders;    /* whose seals count: arc_trust.h */
};

struct mailauth_verdicts {
	/* Of the client and the envelope: */
	struct iprev iprev;
	enum helo helo;
	struct spf_verdict spf;      /* of MAIL FROM; of HELO where that is null */
	struct spf_verdict spf_helo; /* of HELO */
	/* Of the message: */
	struct dkim_verdict dkim; /* DKIM_NONE if it was not looked at */
	struct dmarc_authors authors;
	struct dmarc_verdict dmarc;
	struct arc_verdict arc; /* ARC_NONE if it was not looked at */
	struct arc_trust trust; /* of what fails DMARC */
	/* The caller's to set: what its own list names, so that DMARC is not obeyed; ""
	 */
	struct str exception;
	bool is_late; /* time ran out */
};

/* Slices live in arena, in that of the message, or borrow from facts.  May suspend, for
 * MAILAUTH_SECONDS; never fails. */
void mailauth_judge(const struct mailauth_facts *facts, const struct dns_lookup *lookup,
		    struct arena *arena, struct mailauth_verdicts *verdicts);

/* Whether what the author's domain asks for is not to be done with it: by a seal that is
 * trusted, or by the caller's list. */
bool mailauth_is_excused(const struct mailauth_verdicts *verdicts);
/* What becomes of it at another server, and what is to be done about that.  FAILS: it may
 * go on in our name.  Only what is proved, or excused, may; the rest goes on as it came,
 * FINE, and what might still be proved has to wait for that. */
enum dmarc_onward mailauth_onward(const struct mailauth_verdicts *verdicts);

/* Appends the whole Authentication-Results field (RFC 8601): iprev, SPF of both names,
 * each signature, DMARC, and ARC unless it was not looked at. */
void mailauth_results_add(struct buf *buf, const struct mailauth_facts *facts,
			  const struct mailauth_verdicts *verdicts);
