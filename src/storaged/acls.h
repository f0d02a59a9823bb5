/* The lists of rights that stand in an account. */
#pragma once

#include "storage/storage.h"

/* Calls take() for each, until it returns false; the list is good until then.  DAMAGED if
 * a list is of no mailbox: where they end is unknown. */
enum store_outcome acls_each(struct storage *storage, account_t owner,
			     bool (*take)(void *arg, uint64_t mailbox, struct str list),
			     void *arg);
