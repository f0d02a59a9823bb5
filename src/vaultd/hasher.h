/* Argon2id, and SCRAM's hashing of new passwords, in a few threads of its own, so that a
 * crowd of log-ins can neither take the machine nor stop the loop.  Those who wait are
 * served by turns, one peer address after the other; when too many wait the answer is
 * "later" at once.
 */
#pragma once

#include "base/str.h"

enum { HASHER_SALT_BYTES = 16, HASHER_HASH_BYTES = 32 };

struct hasher;
struct scram_keys;

/* threads: 0 chooses 2 to 4 by the machine's cores.  At most waiting_max may wait, half
 * of them from one address. */
struct hasher *hasher_new(unsigned threads, unsigned waiting_max);
/* Nobody may be waiting. */
void hasher_free(struct hasher **hasher);
/* May suspend, for as long as it takes.  ERR_LIMIT: too many are waiting. */
[[nodiscard]] err_t hasher_run(struct hasher *hasher, struct str peer,
			       struct str password,
			       const unsigned char salt[HASHER_SALT_BYTES],
			       unsigned char hash[HASHER_HASH_BYTES]);
/* The same for scram_keys_derive(). */
[[nodiscard]] err_t hasher_derive(struct hasher *hasher, struct str peer,
				  struct str password, struct scram_keys *keys);
