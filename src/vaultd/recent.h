/* Passwords that were right a moment ago, so that a mail client that logs in every minute
 * does not cost an Argon2 each time.  Only a keyed digest is kept, under a random key of
 * this process; it dies with its hour, and with the account's generation.
 */
#pragma once

#include "base/str.h"

enum { RECENT_TAG_BYTES = 32, RECENT_SECONDS = 3600 };

struct recent;

/* A password of an account as it is compared and kept here. */
struct recent_tag {
	unsigned char bytes[RECENT_TAG_BYTES];
};

struct recent *recent_new(void);
void recent_free(struct recent **recent);
struct recent_tag recent_tag(const struct recent *recent, uint32_t account,
			     struct str password);
/* now_ms is of a clock that never goes back. */
bool recent_has(const struct recent *recent, uint32_t account, uint32_t generation,
		const struct recent_tag *tag, uint64_t now_ms);
void recent_add(struct recent *recent, uint32_t account, uint32_t generation,
		const struct recent_tag *tag, uint64_t now_ms);
void recent_forget(struct recent *recent, uint32_t account);
