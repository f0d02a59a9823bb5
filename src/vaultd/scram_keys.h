/* What SCRAM-SHA-256 needs to know of a password, and what it computes with that.  RFC
 * 5802 §3, RFC 7677.  Nothing suspends. */
#pragma once

#include "base/buf.h"

enum {
	SCRAM_KEY_BYTES = 32,
	SCRAM_SALT_BYTES = 16,
	SCRAM_ITERATIONS =
		10000, /* RFC 7677 §4 wants 4096 at least; phones compute them */
	SCRAM_NONCE_BYTES = 48, /* ours, letters of base64 */
	SCRAM_NONCE_S = 120,    /* how long it is good */
};

struct scram_keys {
	uint32_t iterations; /* 0: there are none */
	unsigned char salt[SCRAM_SALT_BYTES];
	unsigned char stored_key[SCRAM_KEY_BYTES], server_key[SCRAM_KEY_BYTES];
};

/* From iterations and salt, which are set.  Takes milliseconds.  The password comes
 * prepared. */
[[nodiscard]] bool scram_keys_derive(struct str password, struct scram_keys *keys);
/* Keys for a name that has none: its salt is always the same, which only who has the
 * secret can tell from a real one; no proof fits.  RFC 5802 §9. */
void scram_keys_invent(const unsigned char secret[SCRAM_KEY_BYTES], struct str name,
		       struct scram_keys *keys);
/* True if the proof shows that the client knows the password; then signature is what the
 * server shows it. */
bool scram_keys_prove(const struct scram_keys *keys, struct str auth_message,
		      const unsigned char proof[SCRAM_KEY_BYTES],
		      unsigned char signature[SCRAM_KEY_BYTES]);

/* Whose exchange a nonce is for. */
struct scram_occasion {
	uint64_t channel, session;
	uint32_t account;
};

/* A nonce that nobody else can make, so that no exchange but a fresh one of this session
 * is ever taken; nothing has to be kept for it. */
void scram_nonce_make(const unsigned char secret[SCRAM_KEY_BYTES],
		      const struct scram_occasion *occasion, int64_t now_s,
		      char nonce[SCRAM_NONCE_BYTES]);
bool scram_nonce_is_good(const unsigned char secret[SCRAM_KEY_BYTES],
			 const struct scram_occasion *occasion, int64_t now_s,
			 struct str nonce);
