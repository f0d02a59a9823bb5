/* How often somebody at an address gave a wrong password lately.  A table of fixed size
 * in each process: when it is full, the entry longest at rest makes room.  IPv6 addresses
 * count by /64, which is what one customer has.  Nothing suspends; the clock is given.
 */
#pragma once

#include "base/str.h"

enum {
	THROTTLE_FAILURES_MAX = 10,
	THROTTLE_WINDOW_MS = 10 * 60 * 1000,
	THROTTLE_DELAY_MIN_MS = 500,
	THROTTLE_DELAY_MAX_MS = 2000,
};

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle **throttle);
/* True if the address failed too often in the last ten minutes. */
bool throttle_is_banned(const struct throttle *throttle, struct str peer,
			uint64_t now_ms);
/* Counts a failure and says for how long its answer should be delayed.  guess stands for
 * the name and password given: the same wrong ones again, as from a phone that still has
 * the old password, count once. */
uint64_t throttle_failed(struct throttle *throttle, struct str peer, uint64_t guess,
			 uint64_t now_ms);
