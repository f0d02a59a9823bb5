/* The store as a door sees it: about fifteen mail-level calls over one channel to the
 * store process.  Every call may suspend, and ends at its own deadline (30 s) with
 * UNAVAILABLE or UNKNOWN.
 *
 * Who may do what is decided in one place, the gate of the store process: by the role of
 * the channel (deliverd may deliver to anyone and read nothing), and by the grants
 * presented on it.  When the store restarts, the client gets a new channel, presents its
 * grants again and repeats what was under way: reads, and commits by their key.
 */
#pragma once

#include "base/buf.h"
#include "rt/task.h"
#include "store/types.h"

struct body_pages;
struct store;

/* fd is a channel to the store process (see daemon/), owned from here on; -1: not yet. */
struct store *store_open(int fd);
void store_close(struct store **store);
/* A new channel after a restart; presents the grants again. */
void store_reconnect(struct store *store, int fd);

/* Presents a grant (vault.h) so that its account may be used on this channel; counted, so
 * each success needs one store_leave(). */
enum store_outcome store_enter(struct store *store, account_t account, struct str grant);
void store_leave(struct store *store, account_t account);
/* Opens a visit: from now on *visit may stand wherever an account does, for the owner's
 * account as it is for the account that visits it (store/acl.h), which is in use here.
 * Each call is judged by the rights that it has in that mailbox at that moment: DENIED
 * without them, ABSENT where it may not even know of the mailbox.  ABSENT here: the owner
 * shares nothing with it.  Each success needs one store_visit_end(). */
enum store_outcome store_visit(struct store *store, account_t account, account_t owner,
			       account_t *visit);
void store_visit_end(struct store *store, account_t visit);
/* The grant that was presented for an account in use here, to be shown by who works for
 * this process; good until it suspends. */
struct str store_grant(struct store *store, account_t account);
/* Tells ended, which must not suspend, whenever the store has ended what the account's
 * grants made before that generation gave: who came in with them has to go. */
void store_on_ended(struct store *store,
		    void (*ended)(account_t account, uint32_t generation));

/* Durable when it returns OK.  Makes the digest's and body's bytes travel; op bodies are
 * given raw.  result and its slices live in arena; result may be NULL. */
enum store_outcome store_commit(struct store *store, const struct store_commit *commit,
				struct arena *arena, struct store_result *result);

enum store_outcome store_summary(struct store *store, account_t account,
				 struct account_summary *summary);
/* All mailboxes of the account, parents before children, siblings by name. */
enum store_outcome store_mailboxes(struct store *store, account_t account,
				   struct arena *arena, struct mailbox_row **rows,
				   size_t *count);
enum store_outcome store_mailbox(struct store *store, account_t account, uint64_t mailbox,
				 struct arena *arena, struct mailbox_row *row);

/* Messages of a mailbox in these ranges, of which there are up to ROWS_RANGES_MAX,
 * ascending, as many as fit a page (ROWS_PAGE_BYTES); *next_uid is where to go on, within
 * one of them, 0 when there are no more. */
enum store_outcome store_rows_among(struct store *store, account_t account,
				    uint64_t mailbox, struct uid_set uids,
				    unsigned columns, struct arena *arena,
				    struct message_row **rows, size_t *count,
				    uint32_t *next_uid);
static inline enum store_outcome store_rows(struct store *store, account_t account,
					    uint64_t mailbox, struct uid_range uids,
					    unsigned columns, struct arena *arena,
					    struct message_row **rows, size_t *count,
					    uint32_t *next_uid)
{
	return store_rows_among(store, account, mailbox, (struct uid_set){&uids, 1},
				columns, arena, rows, count, next_uid);
}
/* What changed after `since`, oldest first; CONFLICT when the log no longer reaches back
 * so far.  *upto is the change number that has then been told; *more if a page was not
 * enough.  mailbox 0: of all mailboxes. */
enum store_outcome store_changes(struct store *store, account_t account, uint64_t mailbox,
				 uint64_t since, struct arena *arena,
				 struct change_row **rows, size_t *count, uint64_t *upto,
				 bool *more);

/* The body of a message without its trace, appended to body whole (INVALID if it does not
 * fit), or piece by piece to take() until it returns false. */
enum store_outcome store_body(struct store *store, account_t account,
			      struct message_ref ref, struct buf *body);
/* Several small ones in one call (BODIES_MAX in store/codec.h at most), each appended to
 * its buffer.  What each came to is in outcomes: INVALID for one that is too long to be
 * read so, which store_body() may still read.  Other than OK: none was read. */
enum store_outcome store_bodies(struct store *store, account_t account,
				const struct message_ref *refs, size_t count,
				struct buf *bodies, enum store_outcome *outcomes);
enum store_outcome store_body_each(struct store *store, account_t account,
				   struct message_ref ref,
				   bool (*take)(void *arg, struct str), void *arg);
/* The latter in two steps.  The first asks for the beginning of the body, which then
 * waits, once all of `after` has been asked for (NULL: at once); it never suspends.  One
 * of the others ends it. */
struct body_pages *store_body_begin(struct store *store, account_t account,
				    struct message_ref ref, struct body_pages *after);
enum store_outcome store_body_rest(struct body_pages **begun,
				   bool (*take)(void *arg, struct str), void *arg);
void store_body_drop(struct body_pages **begun);

/* Small key-value pairs of an account.  The scan gives keys that start with prefix and
 * are greater than after ("" from the start), at most limit, in octet order. */
enum store_outcome store_kv_get(struct store *store, account_t account, struct str key,
				struct arena *arena, struct str *value);
enum store_outcome store_kv_scan(struct store *store, account_t account,
				 struct str prefix, struct str after, size_t limit,
				 struct arena *arena, struct kv_row **rows,
				 size_t *count);

/* Takes up to limit due rows under lease until leased_until (seconds since 1970), of the
 * more urgent ones more than of others, and counts them as being delivered.  An expired
 * lease may be taken over; one is prolonged by settling with QUEUE_PROLONG, and given
 * back when the channel ends.  *next_due is when the next row will be due, 0 if none is
 * waiting.  A row that is_given_up is not to be delivered but returned to its sender. */
enum store_outcome store_queue_lease(struct store *store, enum queue_kind kind,
				     int64_t now, int64_t leased_until, size_t limit,
				     struct arena *arena, struct queue_row **rows,
				     size_t *count, int64_t *next_due);
/* For people: a page of the rows that fit, by account and number, and where to go on.  A
 * page may be short, or empty, before place->is_end: one call looks at a few thousand
 * rows only (a queue id is found at once). */
enum store_outcome store_queue_list(struct store *store,
				    const struct queue_select *select,
				    struct queue_place *place, size_t limit,
				    struct arena *arena, struct queue_row **rows,
				    size_t *count);
/* How many rows there are, and for which domains (after the one given, "" from the start,
 * in octet order).  Costs what the page costs, however many rows there are. */
enum store_outcome store_queue_counts(struct store *store, struct str after, size_t limit,
				      struct arena *arena, struct queue_count *all,
				      struct queue_domain **domains, size_t *count);

/* An exclusive lock by name on an account, such as the maildrop of POP3; CONFLICT if
 * somebody has it.  It ends with store_unlock(), or with the channel. */
enum store_outcome store_lock(struct store *store, account_t account, struct str name);
/* The next who asks gets it, once this has returned. */
void store_unlock(struct store *store, account_t account, struct str name);

/* Wakes changed whenever the account may have changed (also for other processes'
 * commits); a hint: ask store_changes().  Who suspends between looking and waiting
 * compares rings, or misses what came then. */
struct store_watch {
	struct waiters changed;
	uint64_t rings; /* how often it was woken */
	account_t account;
	struct store *store;
	struct store_watch *also; /* set once it is open: is woken along with it */
	struct store_watch *next, *prev;
};
enum store_outcome store_watch_open(struct store *store, struct store_watch *watch,
				    account_t account);
void store_watch_close(struct store_watch *watch);
/* A watch on the queue: wakes when a row of that kind was added. */
enum store_outcome store_watch_queue(struct store *store, struct store_watch *watch,
				     enum queue_kind kind);

/* For the command line.  From begin to end, or to the end of the channel, everything
 * stays in the packs that stands there, so that they can be copied; begin writes the
 * index to index_fd (a file, which stays the caller's), however long that takes.  What
 * was committed before is in both.  The end is ABSENT if the channel has not been pinned:
 * the store has started anew, and what was copied meanwhile may have holes. */
enum store_outcome store_backup_begin(struct store *store, int index_fd,
				      struct arena *arena, struct store_extent *extent);
enum store_outcome store_backup_end(struct store *store);

/* Messages of the account that were expunged and can be brought back (OP_UNDELETE), by
 * membership after the given one, EXPUNGED_PAGE_MAX at most; an empty page is the end.
 * One whose `until` has come may still be told until housekeeping has been there, but can
 * no longer be brought back. */
enum store_outcome store_expunged(struct store *store, account_t account, uint64_t after,
				  struct arena *arena, struct undelete_row **rows,
				  size_t *count);
enum store_outcome store_stats(struct store *store, struct store_stats *stats);
/* A word for it: none, dns, connect, tls, reply, policy, quota, other. */
const char *queue_cause_text(enum queue_cause cause);
/* The outcome in words that a person understands. */
const char *store_outcome_text(enum store_outcome outcome);
