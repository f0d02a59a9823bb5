/* The keys that TLS session tickets are sealed with, shared by all doors.  A new one
 * comes every hour and the one before stays good for another; they are never on disk. */
#pragma once

#include "base/base.h"

enum { TICKET_KEY_BYTES = 80, TICKET_SECONDS = 3600 };

struct tickets {
	unsigned char keys[2][TICKET_KEY_BYTES]; /* of now, of before */
	uint64_t renew_ms;                       /* 0: there are none yet */
};

/* Renews them if it is time; now_ms is of a clock that never goes back. */
void tickets_renew(struct tickets *tickets, uint64_t now_ms);
