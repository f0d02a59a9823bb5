/* A mail as signatures see it: its header, and the hashes of its body that are wanted.
 * All who check signatures (DKIM, ARC) share one, so that the header is taken apart once
 * and the body passes once.  Lines end in CRLF.
 *
 *   struct dkim_message *message = dkim_message_begin(header, &arena);
 *   struct dkim_verify *dkim = dkim_verify_begin(message, now_s);
 *   struct arc_verify *arc = arc_verify_begin(message, now_s);
 *   dkim_message_feed(message, piece); ...
 *   dkim_verify_end(dkim, &lookup, &verdict); ...
 *   dkim_verify_free(&dkim); ... dkim_message_free(&message);
 */
#pragma once

#include "mailauth/dkim_body.h"
#include "mailauth/dkim_header.h"
#include "mailauth/dkim_proof.h"

struct dkim_message {
	struct arena *arena;
	struct dkim_header header;
	bool is_too_big; /* the header: it is not looked at */
	struct dkim_body *body;
};

/* header: with its blank line; it, and arena, live until all verdicts have been used. */
struct dkim_message *dkim_message_begin(struct str header, struct arena *arena);
/* Whether any piece of the body matters. */
bool dkim_message_wants_body(const struct dkim_message *message);
void dkim_message_feed(struct dkim_message *message, struct str piece);
/* No more comes; called by whoever uses the hashes, and once is enough. */
void dkim_message_end(struct dkim_message *message);
void dkim_message_free(struct dkim_message **message);

/* What a signature of the mail is to be compared with: field is its own field, in the
 * header; body_hash the number of the hash it wants. */
struct dkim_text dkim_message_text(struct dkim_message *message,
				   const struct mail_field *field,
				   const struct dkim_signature *signature,
				   size_t body_hash);
