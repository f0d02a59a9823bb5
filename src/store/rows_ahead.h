/* A page of rows, asked for before it is its turn: the store reads it while the page
 * before it is looked at. */
#pragma once

#include "store/store.h"

struct rows_ahead;

/* Begins to read; runs when the caller suspends.  NULL if that cannot be: ask
 * store_rows() when it is its turn. */
struct rows_ahead *rows_ahead_start(struct store *store, account_t account,
				    uint64_t mailbox, struct uid_range uids,
				    unsigned columns, size_t arena_max);
/* What store_rows() would have given, in place of what is in the arena, and its end.  May
 * suspend. */
enum store_outcome rows_ahead_take(struct rows_ahead **ahead, struct arena *arena,
				   struct message_row **rows, size_t *count,
				   uint32_t *next_uid);
/* Does not wait for what is under way. */
void rows_ahead_drop(struct rows_ahead **ahead);
