/* Bodies that will be needed next, asked for before it is their turn: a FETCH of many
 * then waits for the store once, not once a message. */
#pragma once

#include "store/store.h"

enum { AHEAD_BODY_MAX = 256 * 1024 }; /* of longer ones the next has been begun */

struct ahead;

/* The rows will be of that mailbox. */
struct ahead *ahead_new(struct store *store, account_t account, uint64_t mailbox);
/* Does not wait for what is under way. */
void ahead_free(struct ahead **ahead);
/* These are the next rows (with ROW_MESSAGE), by UID, in the order they will be wanted;
 * what was asked for and is not among them is wanted no more.  Never suspends. */
void ahead_want(struct ahead *ahead, const struct message_row *rows, size_t count);
/* Whether the last of these was asked for: then those that follow it may be, too, of
 * which the first is not the next.  Neither suspends. */
bool ahead_has_asked(const struct ahead *ahead, const struct message_row *last);
void ahead_want_more(struct ahead *ahead, const struct message_row *rows, size_t count);
/* May suspend.  If the body was asked for, puts it in place of what is in *body.  False
 * if it was not. */
bool ahead_take(struct ahead *ahead, uint64_t message, struct buf *body,
		enum store_outcome *outcome);
/* The same for a long one, which was begun (store_body_begin()), and is the caller's from
 * now on; NULL if it was not. */
struct body_pages *ahead_take_long(struct ahead *ahead, uint64_t message);
/* Any body as store_body_each() gives it; goes on with one that was begun. */
enum store_outcome ahead_each(struct ahead *ahead, struct message_ref ref,
			      bool (*take)(void *arg, struct str), void *arg);
