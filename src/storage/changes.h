/* The change log: for every commit that changed mail, what it changed. */
#pragma once

#include "storage/work.h"

enum {
	CHANGES_KEPT = 20000,     /* rows of an account's log that are always kept */
	CHANGES_TOO_MANY = 25000, /* from here on it waits to be trimmed */
};

/* Adds to the commit's change; an empty set is for the kinds that have no UIDs. */
[[nodiscard]] err_t change_add(struct work *work, enum change_kind kind, uint64_t mailbox,
			       struct uid_set uids);
/* Drops up to limit of the account's oldest rows; *more if it is still too long. */
[[nodiscard]] err_t changes_trim(struct work *work, account_t account, unsigned limit,
				 bool *more);
/* Decodes a row's value; the UID ranges are appended.  False: damaged. */
[[nodiscard]] bool change_read(struct str value, enum change_kind *kind,
			       uint64_t *mailbox, struct dec *uids);
/* The next range behind those read before; false at the end or if damaged. */
bool change_next(struct dec *uids, uint64_t *last, struct uid_range *range);
