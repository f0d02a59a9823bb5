/* The three fields of an ARC set: ARC-Authentication-Results, ARC-Message-Signature and
 * ARC-Seal.  RFC 8617 §4.1, §4.2.
 *
 * The two signatures are lists of tags as DKIM has them.  Leniencies, each for fields
 * that exist:
 * - ANY_ORDER: i= need not be the first tag;
 * - SIGNED_RESULTS: a message signature may cover ARC-Authentication-Results and older
 *   message signatures, as those of a large host long did; never a seal.
 */
#pragma once

#include "wire/auth/dkim_signature.h"

enum {
	ARC_INSTANCES_MAX = 50,            /* RFC 8617 §4.2.1 */
	ARC_RESULTS_BYTES_MAX = 64 * 1024, /* of ARC-Authentication-Results */
};

enum arc_kind { ARC_RESULTS, ARC_MESSAGE, ARC_SEAL };
enum { ARC_KINDS = 3 };

/* cv=: what the chain was found to be when the seal was made.  RFC 8617 §4.4 */
enum arc_cv { ARC_CV_NONE, ARC_CV_PASS, ARC_CV_FAIL };

struct arc_field {
	unsigned instance; /* 1 to ARC_INSTANCES_MAX; 0 if it cannot be told */
	enum arc_cv cv;    /* of a seal */
	bool has_cv;
	struct dkim_signature signature; /* of a message signature or a seal */
	struct str results; /* of ARC-Authentication-Results: its authserv-id and what
			       follows, as written */
	const char *flaw;   /* what is wrong, in words; NULL: nothing */
};

/* "ARC-Seal" */
const char *arc_kind_name(enum arc_kind kind);
/* "none", "pass", "fail" */
const char *arc_cv_name(enum arc_cv cv);
/* Whether a field of that name is one of them, and which. */
[[nodiscard]] bool arc_kind_of(struct str name, enum arc_kind *kind);
/* value is what stands behind the colon.  Slices borrow it or live in arena.  With a
 * flaw, instance, cv, domain and selector are set as far as they could be read. */
void arc_field_parse(enum arc_kind kind, struct str value, struct arena *arena,
		     struct arc_field *field);
