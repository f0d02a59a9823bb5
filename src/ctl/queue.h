/* What the files of "postrider queue" share. */
#pragma once

#include "ctl/word.h"
#include "store/types.h"

enum {
	QUEUE_SELECTORS = CTL_ID | CTL_SENDER | CTL_DOMAIN | CTL_CAUSE | CTL_OLDER_THAN |
			  CTL_ACCOUNT | CTL_HELD,
	QUEUE_ARENA_BYTES = 64 << 20, /* of one page */
};

/* What the options select; false, and said so, if one cannot be understood. */
bool queue_select(struct ctl *ctl, struct queue_select *select);
/* "90s", "15m", "2h", "3d" in seconds. */
bool queue_time_parse(const char *text, int64_t *seconds);

/* Calls see() for all rows that fit, page by page; they live until it returns.  False,
 * and said so, if the store could not. */
bool queue_each(struct ctl *ctl, const struct queue_select *select,
		void (*see)(void *arg, const struct queue_row *row), void *arg);
/* "2026-01-02T03:04:05Z", in the arena. */
struct str queue_time_text(struct arena *arena, int64_t unix_s);

/* The verbs of queue_act.c and queue_live.c. */
void queue_retry(struct ctl *ctl);
void queue_hold(struct ctl *ctl);
void queue_release(struct ctl *ctl);
void queue_drop(struct ctl *ctl);
void queue_reroute(struct ctl *ctl);
void queue_live(struct ctl *ctl);
