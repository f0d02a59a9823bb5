/* Who may try to log in, and how many may be in: the one place where all doors' failures
 * and counts come together.  What is refused here is refused whatever a door says.
 *
 * Failures count by address (IPv6: by /64, and by /48 with a larger bound) and by
 * account.  An account with too many is refused to strangers only: where it logged in
 * within the last week it still may, so that nobody is locked out by others' guesses.
 * All of it is in memory: a new vault process knows of no failures, and is told all
 * counts anew.  Nothing suspends but guard_door_hot().
 */
#pragma once

#include "base/buf.h"
#include "net/proxied.h"
#include "net/tally.h"

struct guard;

struct guard_options {
	uint32_t address_failures_max, account_failures_max;
	uint32_t account_sessions_max;
	struct networks exempt; /* addresses whose failures do not count */
};

enum {
	GUARD_SITE_TIMES = 4, /* a /48 may fail so many times as often as a /64 */
	GUARD_DELAY_MIN_MS = 500,
	GUARD_DELAY_MAX_MS = 2000,
};

/* A bound of 0 is none. */
struct guard *guard_new(const struct guard_options *options);
/* There is no door any more. */
void guard_free(struct guard **guard);

/* True if there were too many failures from that address or for that account, if it is
 * not 0. */
bool guard_refuses(const struct guard *guard, uint32_t account, struct str peer);
/* Counts a failure; how many milliseconds late it should be answered.  guess: see
 * throttle_add(). */
uint32_t guard_failed(struct guard *guard, uint32_t account, struct str peer,
		      uint64_t guess);
/* The account logs in from there. */
void guard_succeeded(struct guard *guard, uint32_t account, struct str peer);

/* The counts of one door process. */
struct guard_door;

struct guard_door *guard_door_new(struct guard *guard);
void guard_door_free(struct guard_door **door);
/* Takes counts (vault/codec.h) and appends what other doors have of each.  False if it
 * has too many. */
[[nodiscard]] bool guard_door_tell(struct guard_door *door, struct str counts,
				   struct buf *elsewhere);
/* May suspend: waits for what others have much of (vault_hot_counts()).  False if the
 * door has gone meanwhile. */
[[nodiscard]] bool guard_door_hot(struct guard_door *door, struct buf *counts);
/* One more session of the account at this door, for a client with that address; or false
 * if it has too many. */
[[nodiscard]] bool guard_door_enter(struct guard_door *door, uint32_t account,
				    struct str peer);
