/* The change log: for every commit that changed mail, what it changed. */
#pragma once

#include "storage/work.h"

enum {
	CHANGES_KEPT = 20000,     /* rows of an account's log that are not too many */
	CHANGES_TOO_MANY = 25000, /* from here on it waits to be trimmed */
	/* So long it tells what happened to a mail program that did not ask: it then sees
	 * all again (RFC 7162 §3.2.6).  However old, the last numbers of an account stay:
	 * where hardly anything happens, little is gained by that. */
	CHANGES_DAYS = 180,
	CHANGES_LEAST = 100,
	CHANGES_LOOK_DAYS = 7, /* between two looks at one account */
};

/* Days since 1970, as rows of the log have them. */
uint32_t change_day(int64_t time);
/* Adds to the commit's change; an empty set is for the kinds that have no UIDs. */
[[nodiscard]] err_t change_add(struct work *work, enum change_kind kind, uint64_t mailbox,
			       struct uid_set uids);
/* The account's turn to be trimmed, which was due on that day (0: the log is too long):
 * drops up to limit of its oldest rows, and sees to the next turn when no more are to go.
 */
[[nodiscard]] err_t changes_trim(struct work *work, account_t account, uint32_t due,
				 int64_t now, unsigned limit);
/* Also what a pair's being put or removed means, if the log tells of it. */
[[nodiscard]] err_t change_add_pair(struct work *work, struct str name);
/* Decodes a row's value; the UID ranges are appended, or an annotation's name.  False:
 * damaged. */
[[nodiscard]] bool change_read(struct str value, enum change_kind *kind, uint32_t *day,
			       uint64_t *mailbox, struct dec *uids);
/* The next range behind those read before; false at the end or if damaged. */
bool change_next(struct dec *uids, uint64_t *last, struct uid_range *range);
