/* Whether a mail may call itself by the domain in its From field: DMARC (RFC 9989, which
 * replaces RFC 7489), from what SPF and DKIM have found.
 *
 * Only DMARC_FAIL with a policy asks for anything.  Whatever could not be found out is
 * DMARC_TEMPERROR, and no reason to refuse a mail (RFC 9989 §5.3.6).
 *
 * Several domains in From are each judged, and the strictest policy of those that fail
 * holds (RFC 9989 §11.5); a mail with several From fields never passes (§4.4).
 */
#pragma once

#include "mailauth/dkim_verify.h"
#include "mailauth/dmarc_from.h"
#include "mailauth/dmarc_walk.h"
#include "mailauth/spf.h"

/* RFC 9989 §9.2 */
enum dmarc_result {
	DMARC_NONE,      /* the domain has no DMARC record */
	DMARC_PASS,      /* an identifier that is proved is aligned with it */
	DMARC_FAIL,      /* it has one, and no such identifier */
	DMARC_TEMPERROR, /* cannot tell now */
	DMARC_PERMERROR, /* no usable From, or no usable record */
};
const char *dmarc_result_name(enum dmarc_result result);

enum dmarc_alignment {
	DMARC_UNALIGNED,
	DMARC_RELAXED, /* of the same organizational domain */
	DMARC_STRICT,  /* the same domain */
	DMARC_UNSURE,  /* cannot tell now */
};
/* "unaligned", "relaxed", "strict", "unsure" */
const char *dmarc_alignment_name(enum dmarc_alignment alignment);

enum dmarc_method { DMARC_BY_SPF, DMARC_BY_DKIM };

/* A domain that SPF or DKIM has something to say about. */
struct dmarc_identifier {
	enum dmarc_method method;
	struct str domain;
	bool is_proved;                 /* its result is pass */
	bool is_unsure;                 /* its result is temperror */
	enum dmarc_alignment alignment; /* UNALIGNED if it is neither of the two */
};
enum { DMARC_IDENTIFIERS_MAX = 1 + DKIM_SIGNATURES_MAX };

/* Which tag of the record holds for the domain. */
enum dmarc_tag { DMARC_TAG_P, DMARC_TAG_SP, DMARC_TAG_NP };
/* "p", "sp", "np" */
const char *dmarc_tag_name(enum dmarc_tag tag);

/* What becomes of the mail at the next server, if it goes there from this one as it is.
 * SPF speaks for this one then; signatures stay good. */
enum dmarc_onward {
	DMARC_ONWARD_FINE,   /* it passes there, or nobody is asked to do anything */
	DMARC_ONWARD_UNSURE, /* cannot tell now */
	DMARC_ONWARD_FAILS,  /* an author's domain wants it refused, or taken for junk */
};

/* "fine", "unsure", "fails" */
const char *dmarc_onward_name(enum dmarc_onward onward);

struct dmarc_verdict {
	enum dmarc_result result;
	enum dmarc_policy disposition; /* what the domain wants to be done: of FAIL, the
					  policy after t=y; else none */
	enum dmarc_from from;
	struct str author;   /* the domain in From that decided; "" if there is none */
	size_t author_count; /* domains in From */
	struct str policy_domain; /* where its record is; "" if there is none */
	/* These hold if policy_domain does: */
	struct dmarc_record record;
	enum dmarc_tag tag;
	enum dmarc_policy published; /* what that tag says */
	struct str organizational;   /* of the author; "" if that did not matter */

	struct dmarc_identifier identifiers[DMARC_IDENTIFIERS_MAX];
	size_t identifier_count;
	bool is_spf_aligned, is_dkim_aligned; /* proved and aligned */
	enum dmarc_onward onward;             /* the worst of all authors' */

	struct str why;      /* of TEMPERROR and PERMERROR, in words */
	struct str sentence; /* for people */
	struct str refusal;  /* of FAIL, for a reply that refuses the mail: ASCII */
};

struct dmarc_query {
	const struct dmarc_authors *authors;
	const struct spf_verdict *spf; /* of MAIL FROM; NULL: not known */
	const struct dkim_verdict *dkim;
	struct dmarc_tree *tree; /* what has been asked for it already; NULL: nothing */
};

/* Asks for the policies of the authors, which need neither SPF nor DKIM, and leaves them
 * in the tree.  May suspend, like dmarc_check(). */
void dmarc_foresee(const struct dmarc_authors *authors, struct dmarc_tree *tree);

/* Slices live in arena or borrow from query.  May suspend, for as long as
 * DMARC_QUESTIONS_MAX questions take. */
void dmarc_check(const struct dns_lookup *lookup, const struct dmarc_query *query,
		 struct arena *arena, struct dmarc_verdict *verdict);
