/* Rows of ranges of UIDs, read before it is their turn: while one page is looked at, the
 * next are there or on their way, two at a time. */
#pragma once

#include "store/store.h"

struct rows_ahead;

struct rows_wanted {
	account_t account;
	uint64_t mailbox;
	struct uid_set uids; /* copied */
	unsigned columns;
};

/* Begins to read; runs when the caller suspends.  So many of the UIDs fill a page, by
 * what is known so far.  NULL if that cannot be: ask store_rows_among() page by page. */
struct rows_ahead *rows_ahead_start(struct store *store, const struct rows_wanted *wanted,
				    uint64_t uids_a_page, size_t arena_max);
/* What store_rows_among() would have given, in place of what is in the arena.  May
 * suspend.  With the last page, and after a failure, *ahead has ended. */
enum store_outcome rows_ahead_take(struct rows_ahead **ahead, struct arena *arena,
				   struct message_row **rows, size_t *count);
/* The page that rows_ahead_take() will give next, if it is there and good; NULL if not.
 * The rows are good until it is taken.  Never suspends. */
const struct message_row *rows_ahead_look(struct rows_ahead *ahead, size_t *count);
/* Does not wait for what is under way. */
void rows_ahead_drop(struct rows_ahead **ahead);
