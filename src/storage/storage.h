/* The back end's side of the seam: what the store process runs.  The embedded one keeps
 * everything in one data directory (embedded.h); others may follow.
 *
 * commit_group() is called by one thread, the writer; reads by any thread.  Nothing here
 * suspends a task: these calls block.
 */
#pragma once

#include "base/buf.h"
#include "store/types.h"

struct storage;

struct storage_options {
	const char *folder;       /* the data directory; it exists */
	uint64_t pack_bytes_max;  /* 0: 1 GB */
	uint64_t index_bytes_max; /* LMDB's map; 0: 64 GB, sparse */
};

/* Opens, replays what the packs prove beyond the index, cuts a torn tail.  On failure
 * *why (in arena) is a sentence for people.  ERR_DENIED: another process has it open;
 * ERR_SYNTAX: damaged or of a newer format. */
[[nodiscard]] err_t storage_open(const struct storage_options *options,
				 struct arena *arena, struct storage **storage,
				 struct str *why);
void storage_close(struct storage **storage);

/* One commit of a group: filled in by commit_group(). */
struct storage_commit {
	const struct store_commit *commit;
	struct arena *arena; /* of the results */
	struct store_result result;
	enum store_outcome outcome;
};
/* Commits as many as given in one go: one refusal does not touch the others.  When it
 * returns, each OK is durable.  UNKNOWN for all after a failed flush; then the storage
 * has reopened itself or is read-only. */
void storage_commit_group(struct storage *storage, struct storage_commit *commits,
			  size_t count);

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
enum store_outcome storage_changes(struct storage *storage, account_t account,
				   uint64_t mailbox, uint64_t since, struct arena *arena,
				   struct change_row **rows, size_t *count,
				   uint64_t *upto, bool *more);
/* Octets [offset, offset + room) of the message's zstd frame, checked against its
 * checksum where it is read whole; *frame_size and *raw_size are of all of it. */
enum store_outcome storage_frame(struct storage *storage, account_t account,
				 uint64_t message, uint64_t offset, size_t room,
				 struct buf *frame, uint64_t *frame_size,
				 uint64_t *raw_size);
enum store_outcome storage_kv_get(struct storage *storage, account_t account,
				  struct str key, struct arena *arena, struct str *value);
enum store_outcome storage_kv_scan(struct storage *storage, account_t account,
				   struct str prefix, struct str after, size_t limit,
				   struct arena *arena, struct kv_row **rows,
				   size_t *count);
/* Called by the writer's thread as well: it records the leases. */
enum store_outcome storage_queue_lease(struct storage *storage, enum queue_kind kind,
				       int64_t now, int64_t leased_until, size_t limit,
				       struct arena *arena, struct queue_row **rows,
				       size_t *count, int64_t *next_due);
enum store_outcome storage_queue_list(struct storage *storage, account_t after_account,
				      uint64_t after_row, size_t limit,
				      struct arena *arena, struct queue_row **rows,
				      size_t *count);
enum store_outcome storage_stats(struct storage *storage, struct store_stats *stats);
/* Housekeeping in a slice of about 5 ms, by the writer's thread: purges deleted
 * mailboxes, old keys, old changes.  True if there is more to do. */
bool storage_maintain(struct storage *storage, int64_t now);
