/* Which messages of a source are known: a set of identities that also counts. */
#pragma once

#include "base/str.h"

enum { IDENT_BYTES = 16 };

/* Tells one message of one source from every other: the front of a SHA-256, so that
 * nobody can make two that are the same. */
struct ident {
	unsigned char octets[IDENT_BYTES];
};

/* Of these parts in this order. */
struct ident ident_of(const struct str *parts, size_t count);

/* Zero-initialised is empty. */
struct seen {
	struct seen_slot *slots;
	size_t count, room; /* room: a power of two, or 0 */
};

void seen_fini(struct seen *seen);
bool seen_has(const struct seen *seen, const struct ident *ident);
/* How often it was added before. */
uint32_t seen_add(struct seen *seen, const struct ident *ident);
