/* How many connections may be open: to this process in all, and from each stranger to all
 * doors together (net/tally.h).  A stranger is an IPv4 address or the /64 of an IPv6
 * address, of which one customer has all; one who has a whole /48 may have some times
 * as much.  Who has logged in is no stranger any more: sessions are counted by account
 * then (login/login.h). */
#pragma once

#include "net/address.h"
#include "net/tally.h"

struct limits;
struct networks;

enum { LIMITS_SITE_TIMES = 4 }; /* a /48 may have so many times what a /64 may */

struct limits_options {
	size_t total_max; /* of this process */
	size_t each_max;  /* of a stranger, everywhere; 0: no bound */
	/* Whose connections count towards the total only; outlives the limits. */
	const struct networks *exempt;
};

/* The place of one connection. */
struct limits_seat {
	struct limits *limits;
	bool is_stranger; /* counts for its address now */
	unsigned key_count;
	struct tally_key keys[2];
};

/* Both must outlive it. */
struct limits *limits_new(const struct limits_options *options, struct tally *tally);
/* Nobody may be inside. */
void limits_free(struct limits **limits);
/* Counts one more, or says that it would be too many.  Each true needs a leave. */
[[nodiscard]] bool limits_enter(struct limits *limits, const struct address *address,
				struct limits_seat *seat);
/* Somebody has logged in there, or is gone again. */
void limits_known(struct limits_seat *seat, bool is_known);
void limits_leave(struct limits_seat *seat);
size_t limits_total(const struct limits *limits);
