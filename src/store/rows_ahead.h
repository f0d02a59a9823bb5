/* Rows of a range of UIDs, read before it is their turn: while one page is looked at, the
 * next is there or on its way, and so is the one behind it. */
#pragma once

#include "store/store.h"

struct rows_ahead;

/* Begins to read; runs when the caller suspends.  NULL if that cannot be: ask
 * store_rows() page by page. */
struct rows_ahead *rows_ahead_start(struct store *store, account_t account,
				    uint64_t mailbox, struct uid_range uids,
				    unsigned columns, size_t arena_max);
/* What store_rows() would have given, in place of what is in the arena.  May suspend.
 * With the last page, and after a failure, *next_uid is 0 and *ahead has ended. */
enum store_outcome rows_ahead_take(struct rows_ahead **ahead, struct arena *arena,
				   struct message_row **rows, size_t *count,
				   uint32_t *next_uid);
/* Does not wait for what is under way. */
void rows_ahead_drop(struct rows_ahead **ahead);
