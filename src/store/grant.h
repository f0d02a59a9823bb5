/* Grants: what a door shows the store to use an account.  The vault makes one after it
 * saw the password; the store checks it.  Both know the key; a door does not.
 *
 * A grant is good for one channel (of one door process), until it expires or the
 * account's credential generation rises; deliverd shows it for the door that it works
 * for, as long as that is there.
 */
#pragma once

#include "base/buf.h"

enum {
	GRANT_KEY_BYTES = 32,
	GRANT_BYTES = 1 + 4 + 4 + 8 + 8 + 8 + 4 + 32, /* version, fields, HMAC-SHA256 */
};

enum grant_right {
	GRANT_READ = 1,
	GRANT_WRITE = 2,
	GRANT_SEND = 4, /* queue mail in the account's name */
	GRANT_ALL = 7,
};

struct grant {
	uint32_t account;
	uint32_t rights;     /* of enum grant_right */
	uint64_t channel;    /* the door's, as the supervisor numbered it */
	uint64_t session;    /* for logs */
	int64_t expires_at;  /* seconds since 1970 */
	uint32_t generation; /* of the account's credentials */
};

/* Appends GRANT_BYTES octets. */
void grant_make(const unsigned char key[GRANT_KEY_BYTES], const struct grant *grant,
		struct buf *bytes);
/* True if the key made these octets for this channel and they are still good at now.
 * Whether the generation is still the account's is the caller's to ask. */
[[nodiscard]] bool grant_check(const unsigned char key[GRANT_KEY_BYTES], struct str bytes,
			       uint64_t channel, int64_t now, struct grant *grant);
/* The generation that a grant claims, unchecked: for doors, which have no key; 0 if it is
 * none. */
uint32_t grant_generation(struct str bytes);
/* Likewise the channel. */
uint64_t grant_channel(struct str bytes);
