/* Sealing a mail that is passed on: one more ARC set.  RFC 8617 §5.1.
 *
 * All that changes the mail comes before.  The chain on it must have been checked
 * (arc_verify.h).  Nothing is added, and that is no failure, if the chain says itself
 * that it is broken (§5.1, step 2), if it is full, or if it could not be told whether it
 * is good: whoever gets the mail may find out.
 */
#pragma once

#include "mailauth/arc_verify.h"
#include "mailauth/dkim_sign.h"

struct arc_seal;

/* How sets look is ours to choose; the vectors of others want them as they have them. */
struct arc_form {
	const struct str *names; /* of the fields to sign */
	size_t name_count;
	bool is_plain; /* tags stand in the order of the alphabet, b= in one line */
};

/* header: with its blank line; it, and arena, live until the end.  form: NULL is ours.
 * NULL: it is too big to be sealed. */
struct arc_seal *arc_seal_begin(struct str header, const struct arc_form *form,
				struct arena *arena);
void arc_seal_feed(struct arc_seal *seal, struct str piece);
/* Instead of all of that: the hash of the whole body in its relaxed form, which is known
 * from when the mail was checked. */
void arc_seal_know(struct arc_seal *seal, const struct dkim_body_hash *hash);
/* Appends three whole fields, which go in front of the header, or nothing; on failure
 * nothing.  chain: what checking said.  results: what this server found out about the
 * mail when it came, as in Authentication-Results behind the colon, with its
 * authserv-id; folded.  ERR_LIMIT: at fields' bound. */
[[nodiscard]] err_t arc_seal_end(struct arc_seal *seal, enum arc_result chain,
				 struct str results, const struct dkim_signer *signer,
				 int64_t now_s, struct buf *fields);
void arc_seal_free(struct arc_seal **seal);
