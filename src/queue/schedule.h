/* When a queued mail is tried again, and when its sender hears of it: back-off, expiry,
 * the notice of a delay, and the times that senders ask for (RFC 2852, RFC 4865).  Pure:
 * no clock, no store. */
#pragma once

#include "store/types.h"

/* From the settings of the same names; seconds. */
struct schedule {
	uint64_t retry_first_s;  /* after the first failure; then ever twice as long, */
	uint64_t retry_max_s;    /* up to this */
	uint64_t expire_s;       /* a mail is given up that long after it came in */
	uint64_t delay_notice_s; /* its sender is told of a delay then; 0: never */
};

enum schedule_step {
	SCHEDULE_RETRY,
	SCHEDULE_EXPIRED, /* settle it as failed: 5.4.7, or what was last said */
	SCHEDULE_LATE,    /* deliver_by has passed, and it is then of no use: 5.4.7 */
};

struct schedule_next {
	enum schedule_step step;
	int64_t due_at;      /* SCHEDULE_RETRY */
	int64_t retry_until; /* Will-Retry-Until of a notice */
	uint8_t tell; /* enum queue_told: what has come to pass that the sender was not
			 told of; put it into the settle when it was told, or does not
			 want it */
};

/* What follows from a try that failed for now; row->tries counts those before it.  chance
 * is any random number, so that what failed together does not come again together. */
struct schedule_next schedule_after_failure(const struct schedule *schedule,
					    const struct queue_row *row, int64_t now,
					    uint64_t chance);
/* Asked before a try: deliver_by has passed and its sender wants no later delivery.
 * RFC 2852 §4.1.3. */
bool schedule_is_late(const struct queue_row *row, int64_t now);
/* When a new mail is due first.  RFC 4865 §4.2. */
int64_t schedule_first_due(const struct queue_timing *timing, int64_t now);
/* The by-time to hand on in BY=, in seconds; negative if it has passed.  False: the
 * sender asked for none.  RFC 2852 §4.1.4. */
bool schedule_by_remaining(const struct queue_timing *timing, int64_t now, int64_t *by_s);
