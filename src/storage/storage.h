/* The back end's side of the seam: what the store process runs.  The embedded one keeps
 * everything in one data directory (embedded.h); others may follow.
 *
 * One thread, the writer, commits; reads are for any thread.  Nothing here suspends a
 * task: these calls block.
 *
 * A commit is acknowledged when it is durable in the log, and readers see it when it has
 * come into the index, a few milliseconds later: storage_is_behind() tells.
 */
#pragma once

#include "base/buf.h"
#include "search/index.h"
#include "store/search.h"

struct storage;

/* A folder in the data directory: what there was before its format changed.  While it is
 * there, everything stays in the packs, and those that it holds do not grow. */
#define STORAGE_SNAPSHOT "snapshot"

struct storage_options {
	/* The data directory; it exists.  NULL: none, everything is kept in memory and
	 * gone when it is closed: for tests. */
	const char *folder;
	uint64_t pack_bytes_max; /* 0: 1 GB */
	/* So much the index may take before nothing that grows is taken; 0: 64 GB. */
	uint64_t index_bytes_max;
	enum storage_open_as {
		STORAGE_LIVE,
		/* Only the calls for reading; the index says what there is, whatever the
		 * packs hold beyond it, and they are left as they are. */
		STORAGE_READ_ONLY,
		/* Live, from now on, after it was put back from a backup: nobody knows
		 * which numbers were given out since, so the epoch is raised. */
		STORAGE_RESTORED,
	} open_as;
	/* For those who repair: */
	const char *index_name;              /* another file than index.lmdb */
	uint64_t trusted;                    /* packs_trust() */
	bool is_as_it_is;                    /* no damaged index is made anew */
	bool has_search;                     /* keeps a search index, and may lose it, */
	enum search_attachments attachments; /* with these */
	/* How fast sparse packs are copied; 0: 8 MB, UINT64_MAX: no bound. */
	uint64_t copy_bytes_a_second;
};

/* Opens, replays what the packs prove beyond the index, cuts a torn tail.  A damaged
 * index is made anew if no group of the log is missing; whether its pages are damaged is
 * looked at after two starts that did not end in good order.  On failure *why (in arena)
 * is a sentence for people.  ERR_DENIED: another process has it open; ERR_SYNTAX: damaged
 * or of a newer format. */
[[nodiscard]] err_t storage_open(const struct storage_options *options,
				 struct arena *arena, struct storage **storage,
				 struct str *why);
void storage_close(struct storage **storage);

/* One commit of a group: the outcome and the result are filled in. */
struct storage_commit {
	const struct store_commit *commit;
	struct arena *arena; /* of the results */
	struct store_result result;
	enum store_outcome outcome;
};
enum { LEASE_S_MAX = 3600 }; /* a lease is prolonged by no more */

/* Rows of the queue to be taken: up to limit that are due now. */
struct storage_lease {
	enum queue_kind kind;
	int64_t now, leased_until;
	size_t limit;
	struct arena *arena; /* of the rows */
	struct queue_row *rows;
	size_t count;
	int64_t next_due;
	enum store_outcome outcome;
};

/* What is committed in one go; one refusal does not touch the others. */
struct storage_group {
	struct storage_commit *commits;
	size_t count;
	struct storage_lease **leases; /* taken after the commits */
	size_t lease_count;
	/* It is done when it is written, without a flush: so nothing is promised, and a
	 * crash may take back what was OK.  The next index commit makes it durable. */
	bool is_soft;
	/* Called by the writer's thread, unless it is NULL, once it is known what the
	 * commits do, which is not durable yet; not if they are refused.  As done. */
	void (*planned)(struct storage_group *group);
	/* Called once, by any thread, when the outcomes are final: each OK is durable,
	 * unless the group is soft.
	 * It must not call the storage; the group is the caller's again. */
	void (*done)(struct storage_group *group);
	/* The storage's, until then. */
	struct storage_group *next;
	uint64_t sequence;
};

/* What follows is for the writer's thread alone.
 *
 * Plans and writes the group, and sees to its being flushed.  Bodies and operations may
 * go when it returns; the arenas are needed until the group is done, which may be before
 * it returns.  UNKNOWN for all groups under way after a failed flush; before anything
 * else is done the storage reopens itself or goes read-only. */
void storage_submit(struct storage *storage, struct storage_group *group);
/* Puts what was committed into the index when it is time to, and recovers what failed.
 * Gives the microseconds after which it wants to be called again; UINT64_MAX if only a
 * group makes that necessary. */
uint64_t storage_tend(struct storage *storage);
/* The index shows all that was submitted, when it returns; it waits for the flushes.  To
 * be called before the writer's thread ends, if that does not close the storage. */
void storage_index_commit(struct storage *storage);

/* A group of commits, or one lease, from beginning to end. */
void storage_commit_group(struct storage *storage, struct storage_commit *commits,
			  size_t count);

enum store_outcome storage_take_due(struct storage *storage, struct storage_lease *lease);
/* Housekeeping in a slice of about 5 ms: purges deleted mailboxes, expunged messages
 * whose time is over, old keys, old changes; gives the space of dead bodies back.  True
 * if there is more to do.  It waits for no disk unless a new pack is due, and is in the
 * index with the next commit of that.  It does nothing while changes wait for one, so
 * that none has more than one slice; the time for it is when storage_tend() gives
 * UINT64_MAX. */
bool storage_maintain(struct storage *storage, int64_t now);

/* What follows is for any thread. */

enum storage_part {
	STORAGE_MAIL,   /* mailboxes, messages, changes and summary of the account */
	STORAGE_PAIRS,  /* its key-value pairs */
	STORAGE_RECENT, /* what is recent in the account's mailboxes */
	STORAGE_QUEUE,  /* queue rows, of any account */
	STORAGE_ALL,    /* anything at all */
};
/* True if something there was committed, and may have been acknowledged, that the index
 * does not show yet.  Never blocks. */
bool storage_is_behind(struct storage *storage, account_t account,
		       enum storage_part part);

/* While it is pinned, no pack is removed and no body is punched out of one: somebody,
 * such as a backup, reads the packs as they stand.  Counted; each pin needs its unpin.
 * Whoever frees space asks storage_is_pinned() in the writer's thread, and does nothing
 * then.  A step that the writer had begun before may still end: who pinned waits for it
 * (storage_index_commit()) before he looks. */
void storage_pin(struct storage *storage);
void storage_unpin(struct storage *storage);
bool storage_is_pinned(struct storage *storage);
/* All that was in the packs at that group is to stay; UINT64_MAX: nothing is pinned. */
uint64_t storage_pinned_sequence(struct storage *storage);

/* The index as it stood at one commit (kv_copy()); a failed flush meanwhile has to wait.
 * ERR_IO as well from a store that has stopped before its index had all that was
 * acknowledged. */
[[nodiscard]] err_t storage_copy_index(struct storage *storage, int fd);
/* How far the packs are durable.  Asked after storage_copy_index(), they hold all that
 * the copy needs. */
[[nodiscard]] err_t storage_extent(struct storage *storage, struct arena *arena,
				   struct store_extent *extent);

enum store_outcome storage_summary(struct storage *storage, account_t account,
				   struct account_summary *summary);
enum store_outcome storage_mailboxes(struct storage *storage, account_t account,
				     struct arena *arena, struct mailbox_row **rows,
				     size_t *count);
enum store_outcome storage_mailbox(struct storage *storage, account_t account,
				   uint64_t mailbox, struct arena *arena,
				   struct mailbox_row *row);
enum store_outcome storage_rows(struct storage *storage, account_t account,
				uint64_t mailbox, struct uid_range uids, unsigned columns,
				struct arena *arena, struct message_row **rows,
				size_t *count, uint32_t *next_uid);
/* The same of several ranges, one row after the other: take() gets each as it is found,
 * which it may change, and whose slices are good until it returns.  The arena is for the
 * work in between.  Other than OK: those that it got are none. */
enum store_outcome storage_each_row(struct storage *storage, account_t account,
				    uint64_t mailbox, struct uid_set uids,
				    unsigned columns, struct arena *arena,
				    void (*take)(void *arg, struct message_row *row),
				    void *arg, uint32_t *next_uid);
enum store_outcome storage_changes(struct storage *storage, account_t account,
				   uint64_t mailbox, uint64_t since, struct arena *arena,
				   struct change_row **rows, size_t *count,
				   uint64_t *upto, bool *more);
/* Octets [offset, offset + room) of the message's zstd frame, the frame checked
 * against its checksum where offset is 0; *frame_size and *raw_size are of all of it. */
enum store_outcome storage_frame(struct storage *storage, account_t account,
				 uint64_t message, uint64_t offset, size_t room,
				 struct buf *frame, uint64_t *frame_size,
				 uint64_t *raw_size);
/* Several whole ones, STORAGE_FRAMES_MAX at most, in octets with what stands between them
 * on disk: its bound has to leave STORAGE_FRAMES_EXTRA beyond room.  INVALID for those
 * that find no room. */
enum { STORAGE_FRAMES_MAX = 128, STORAGE_FRAMES_EXTRA = STORAGE_FRAMES_MAX * 4200 };
struct storage_frame {
	uint64_t message;
	enum store_outcome outcome;
	uint64_t raw_size;
	size_t from, len; /* in octets */
};
void storage_frames(struct storage *storage, account_t account,
		    struct storage_frame *frames, size_t count, size_t room,
		    struct buf *octets);
enum store_outcome storage_kv_get(struct storage *storage, account_t account,
				  struct str key, struct arena *arena, struct str *value);
enum store_outcome storage_kv_scan(struct storage *storage, account_t account,
				   struct str prefix, struct str after, size_t limit,
				   struct arena *arena, struct kv_row **rows,
				   size_t *count);
/* A page of the rows that fit, in the order of their numbers; it may be short, or empty,
 * before the end, since one call looks at so many rows only. */
enum store_outcome storage_queue_list(struct storage *storage,
				      const struct queue_select *select,
				      struct queue_place *place, size_t limit,
				      struct arena *arena, struct queue_row **rows,
				      size_t *count);
/* By membership, those after the given one; an empty page is the end. */
enum store_outcome storage_expunged(struct storage *storage, account_t account,
				    uint64_t after, size_t limit, struct arena *arena,
				    struct undelete_row **rows, size_t *count);
/* All rows counted, and those for each domain after the one given, by name. */
enum store_outcome storage_queue_counts(struct storage *storage, struct str after,
					size_t limit, struct arena *arena,
					struct queue_count *all,
					struct queue_domain **domains, size_t *count);
/* What was saved too long ago: how long a message stays in the mailboxes of these roles,
 * where they have no rule of their own (STORE_KV_RETENTION).  0: for ever. */
struct retention_rules {
	uint32_t junk_days, trash_days;
};
/* A walk over the mailboxes of all accounts; starts zeroed. */
struct retention_walk {
	account_t account;
	uint64_t mailbox;
	bool is_over;
	/* What the last step found: so many messages of that mailbox, from the first UID
	 * to the last, are to be expunged.  0: none.  The next step goes on behind
	 * them. */
	uint32_t count;
	struct uid_range uids;
};
/* One step: at most a few hundred mailboxes, each for the price of one look at its first
 * message, or some of the messages that are due.  Whoever asks commits an OP_EXPUNGE. */
enum store_outcome storage_retention(struct storage *storage,
				     const struct retention_rules *rules, int64_t now,
				     struct retention_walk *walk);
enum store_outcome storage_stats(struct storage *storage, struct store_stats *stats);

/* ---- the search index (search/index.h) --------------------------------------------- */

/* Those that store_search() gives.  ABSENT: there is no index. */
enum store_outcome storage_search(struct storage *storage, account_t account,
				  const struct store_find *find, struct arena *arena,
				  struct store_candidates *candidates);
/* The next messages of the account that are not in it yet. */
enum store_outcome storage_index_next(struct storage *storage, account_t account,
				      struct arena *arena, struct index_work *work);
/* What changes it is for one thread at a time, any. */
enum store_outcome storage_index_put(struct storage *storage, account_t account,
				     const struct index_done *done);
/* Takes out of one segment what was expunged; *more: there may be others. */
enum store_outcome storage_index_tidy(struct storage *storage, account_t account,
				      bool *more);
enum store_outcome storage_index_forget(struct storage *storage, account_t account);
/* A walk over the accounts, beginning with 1: the first that is not less; ABSENT at the
 * end.  *is_behind: it has messages that are not in the index. */
enum store_outcome storage_index_walk(struct storage *storage, account_t *account,
				      bool *is_behind);
enum store_outcome storage_index_state(struct storage *storage,
				       struct index_state *state);
