/* The signatures of a mail (DKIM, ARC) while its text comes in: they are read when the
 * header is there, and the body is hashed piece by piece, so that nothing of it is left
 * to be read when it is whole.  Nothing here suspends. */
#pragma once

#include "policy/policy.h"

struct arc_verify;
struct dkim_message;
struct dkim_verify;

enum { HEARINGS_AHEAD_MAX = 64 }; /* of a process */

struct hearing {
	struct arena arena;
	bool is_ahead;     /* its text is not whole yet */
	struct str header; /* with its blank line; "" while it is not whole */
	struct dkim_message *message;
	struct dkim_verify *dkim;
	struct arc_verify *arc;
	size_t heard;     /* octets of the text */
	size_t body_hash; /* of the whole body, relaxed, for a seal; */
	bool has_body_hash;
};

/* text is all that came so far.  Makes *hearing if there is none, which then borrows
 * nothing of the text; where nobody's mail is judged, it does nothing. */
void hearing_go_on(const struct policy *policy, struct str text,
		   struct hearing **hearing);
/* The same for a text that is whole and stays until hearing_free(). */
struct hearing *hearing_of(struct str text, size_t header_len, bool wants_body_hash,
			   int64_t now_s);
/* The next piece of the body; false: nothing is left to be heard. */
bool hearing_piece(struct hearing *hearing, struct str text);
void hearing_free(struct hearing **hearing);
