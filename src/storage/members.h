/* Walking over messages of a mailbox in the order of their UIDs.  It goes by the work's
 * cursor, row by row where UIDs follow each other, so that many cost no search each.
 * After a write it finds its way again; nothing else may move that cursor without one. */
#pragma once

#include "storage/work.h"

struct members {
	/* What members_next() came to; slices are good until the next call or write. */
	uint32_t uid;
	struct member_row row;

	/* Its own: */
	struct work *work;
	uint64_t mailbox;
	struct uid_set left;
	uint64_t next;  /* those below are behind it */
	size_t changes; /* of the transaction, when the cursor was moved last */
	bool is_on;     /* the cursor stands on a row of the mailbox */
	struct key key;
};

/* A row was put for that UID, which is a new one: where it makes so many of them, these
 * are put together.  Rows of new messages stand in front of the older ones, behind what
 * is kept of the messages themselves, so that a delivery writes one page for both; but
 * that page is split again and again, and leaves a dozen rows on each that would hold
 * 80. */
[[nodiscard]] err_t members_gather(struct work *work, uint64_t mailbox, uint32_t uid);

/* Of the work's account; the set is the caller's until the end. */
void members_begin(struct members *members, struct work *work, uint64_t mailbox,
		   struct uid_set uids);
/* To the next that is there.  ERR_ABSENT: no more. */
[[nodiscard]] err_t members_next(struct members *members);
/* Puts the row in place of the one it came to last, before anything else is written. */
[[nodiscard]] err_t members_replace(struct members *members,
				    const struct member_row *row);
