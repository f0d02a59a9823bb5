/* The hashes of a body that several signatures want, computed while it passes once.
 * Those that want the same hash share it; those of one canonical form share that.
 * RFC 6376 §3.7. */
#pragma once

#include "wire/auth/dkim_canon.h"
#include "wire/auth/dkim_signature.h"

struct dkim_body;

struct dkim_body *dkim_body_new(void);
void dkim_body_free(struct dkim_body **body);

enum { DKIM_BODY_HASHES_MAX = 16 };
/* Wants the hash of the first `length` octets of the canonical body, UINT64_MAX of all;
 * before the body comes.  False: there are already DKIM_BODY_HASHES_MAX different ones.
 */
[[nodiscard]] bool dkim_body_want(struct dkim_body *body, enum dkim_canon canon,
				  uint64_t length, size_t *number);
/* Whether any hash is wanted. */
bool dkim_body_is_wanted(const struct dkim_body *body);
void dkim_body_feed(struct dkim_body *body, struct str piece);
/* No more comes; saying so again changes nothing. */
void dkim_body_end(struct dkim_body *body);

/* After the end: the hash, and how long that canonical body is. */
struct dkim_body_hash {
	unsigned char hash[DKIM_HASH_BYTES];
	uint64_t length;
};
const struct dkim_body_hash *dkim_body_hash(const struct dkim_body *body, size_t number);
