/* Signing a mail with DKIM: one signature for each key (an RSA and an Ed25519 key
 * together, RFC 8463 §5), relaxed in header and body.
 *
 * Each field that matters is named once more than it is there, so that nobody can add
 * another one (RFC 6376 §8.15).  Lines end in CRLF.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "wire/auth/dkim_signature.h"

enum { DKIM_SIGNERS_MAX = 4 };

struct dkim_signer {
	enum dkim_algorithm algorithm;
	struct str domain, selector;
	/* Appends the signature over the hash; may suspend. */
	err_t (*sign)(void *context, const struct dkim_signer *signer,
		      const unsigned char hash[DKIM_HASH_BYTES], struct buf *signature);
	void *context;
};

struct dkim_sign;

/* header: with its blank line; it, and arena, live until the end.  NULL: it is too big to
 * be signed. */
struct dkim_sign *dkim_sign_begin(struct str header, struct arena *arena);
void dkim_sign_feed(struct dkim_sign *sign, struct str piece);
/* Appends whole DKIM-Signature fields, which go in front of the header; on failure
 * nothing.  ERR_LIMIT: at fields' bound. */
[[nodiscard]] err_t dkim_sign_end(struct dkim_sign *sign,
				  const struct dkim_signer *signers, size_t count,
				  int64_t now_s, struct buf *fields);
void dkim_sign_free(struct dkim_sign **sign);
