/* The carrier of local mail: takes due rows of the queue under lease, appends each to its
 * recipient's INBOX, and settles it.
 *
 * A delivery is one commit of the recipient's account under a key made of the row, so it
 * happens once however often it is tried; the key is forgotten only after the settling is
 * durable, together with later deliveries to that account or after a while.
 *
 * A mail that cannot be delivered is tried again as queue/schedule.h says; its sender
 * hears of that, and of the delivery where he asked, by a report in the commit that
 * settles it.
 */
#pragma once

#include "queue/schedule.h"
#include "route/report.h"
#include "store/store.h"

struct mda {
	struct store *store;
	bool wants_delivered_to; /* adds Delivered-To with the recipient's address */
	unsigned parallel;       /* deliveries at a time; 0: 64 */
	struct schedule schedule;
	struct reporter reporter; /* with the same store */
	/* Delivers what comes for an account that has a script (deliverd/queued.h), by
	 * commits of that key; it may suspend. */
	enum store_outcome (*by_script)(void *arg, const struct queue_row *row,
					struct str key, struct str trace);
	void *by_script_arg;
};

/* A task's body; arg is a struct mda that lives, with its store, as long as the loop.
 * Ends when canceled; deliveries under way end soon after it, by themselves, and rows not
 * yet begun are left to their lease. */
void mda_task(void *arg);
