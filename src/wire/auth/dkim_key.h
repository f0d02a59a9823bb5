/* The record of a DKIM key in the DNS, at SELECTOR._domainkey.DOMAIN.  RFC 6376 §3.6.1,
 * RFC 8463 §4.  What names no key that we can use is a flaw with a sentence.
 *
 * Leniencies, each for records that exist:
 * - BARE_RSA: an RSAPublicKey where most publish a SubjectPublicKeyInfo (RFC 6376 says
 *   the first and shows the second; both are in use);
 * - no "v=": it is only RECOMMENDED.
 */
#pragma once

#include "base/arena.h"
#include "wire/auth/tag_list.h"

enum dkim_key_type { DKIM_KEY_RSA, DKIM_KEY_ED25519 };
enum { DKIM_ED25519_BYTES = 32 };

struct dkim_key {
	enum dkim_key_type type;
	bool is_testing;       /* t=y */
	bool is_strict;        /* t=s: i= may name no domain below d= */
	struct str modulus;    /* RSA: big-endian, without zeros in front */
	struct str exponent;   /* RSA, likewise */
	struct str public_key; /* Ed25519 */
};

enum dkim_key_flaw {
	DKIM_KEY_FINE,
	DKIM_KEY_SYNTAX,
	DKIM_KEY_OTHER_VERSION, /* such records are to be discarded */
	DKIM_KEY_MISSING,       /* no p= */
	DKIM_KEY_REVOKED,       /* an empty p= */
	DKIM_KEY_OTHER_TYPE,
	DKIM_KEY_OTHER_HASH,    /* h= has no sha256 */
	DKIM_KEY_OTHER_SERVICE, /* s= has neither email nor "*" */
	DKIM_KEY_DAMAGED,       /* p= is no key of that type */
};

/* Slices live in the arena. */
[[nodiscard]] enum dkim_key_flaw dkim_key_parse(struct str record, struct arena *arena,
						struct dkim_key *key);
/* "the key record does not say ..." */
const char *dkim_key_flaw_text(enum dkim_key_flaw flaw);
/* Bits of an RSA key's modulus; 256 for Ed25519. */
size_t dkim_key_bits(const struct dkim_key *key);

/* Base64 with white space in between, as tags have it; false at the arena's bound too. */
[[nodiscard]] bool dkim_base64(struct str value, struct arena *arena, struct str *bytes);
