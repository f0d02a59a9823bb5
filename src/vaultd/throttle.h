/* How often something failed lately, by key.  A table of fixed size: where it is full,
 * the entry longest at rest makes room.  Failures wear off one by one, the last after ten
 * minutes; but what has reached its bound stays there for ten minutes.  Nothing suspends;
 * the clock is given. */
#pragma once

#include "base/str.h"

enum { THROTTLE_WINDOW_MS = 10 * 60 * 1000 };

struct throttle;

struct throttle *throttle_new(size_t sets); /* of eight entries */
void throttle_free(struct throttle **throttle);
/* key: a hash; bound: at which count it is too much. */
uint32_t throttle_count(const struct throttle *throttle, uint64_t key, uint32_t bound,
			uint64_t now_ms);
/* Counts one more and returns the count.  guess stands for what was tried: the same
 * again, as from a phone that still has the old password, counts once. */
uint32_t throttle_add(struct throttle *throttle, uint64_t key, uint64_t guess,
		      uint32_t bound, uint64_t now_ms);
/* When the key was last added to; 0 if nothing is known of it. */
uint64_t throttle_last_ms(const struct throttle *throttle, uint64_t key);
