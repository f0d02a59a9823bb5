/* Ordered keys and values in one file: the index under the store's embedded back end.
 *
 * Few calls on purpose, so that other engines fit behind them: keys up to 500 octets,
 * values up to 64 KB, one writer at a time, readers that see the state of the last
 * commit. Keys are compared octet by octet.  Underneath is LMDB; only one process may
 * have the file open.  Calls block on the disk, never suspend a task.
 *
 * Each value stands there with a checksum over key and value, so that a row is right or
 * ERR_SYNTAX, however its page came to be what it is.
 * Fault sites (rt/fault.h): index.commit; index.put, whatever the action: the map is
 * full.
 */
#pragma once

#include "base/str.h"

enum { KV_KEY_BYTES_MAX = 500, KV_VALUE_BYTES_MAX = 64 * 1024 };

struct kv;
struct kv_txn;

enum kv_mode { KV_READ, KV_WRITE };

enum kv_sync {
	KV_SYNC_FULL, /* a commit that returned OK is on disk */
	KV_SYNC_LATE, /* the last commit may vanish in a power cut, but nothing breaks:
			 for an index that a log can bring up to date */
};

struct kv_options {
	/* The file; its lock file gets "-lock" appended.  NULL: none, everything is kept
	 * in memory and gone after kv_close(); it cannot be copied, has no bytes_max, and
	 * nothing of it is damaged. */
	const char *path;
	uint64_t bytes_max; /* how far the file may grow */
	enum kv_sync sync;
};

/* Failures are logged where they happen: ERR_IO, ERR_SYNTAX (the file is damaged), or
 * ERR_LIMIT (bytes_max reached, or the disk is full). */
[[nodiscard]] err_t kv_open(const struct kv_options *options, struct kv **kv);
/* No transaction may be open. */
void kv_close(struct kv **kv);

/* A write transaction belongs to the thread that began it, and there is only one: another
 * thread's begin waits.  Read transactions are cheap, any thread may use them, and they
 * should be short: space freed after they began is not used again before they end. */
[[nodiscard]] err_t kv_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **txn);
/* After a failure nothing of the transaction has happened, unless the log says that the
 * disk failed: then nobody knows before the file is opened again. */
[[nodiscard]] err_t kv_commit(struct kv_txn **txn);
void kv_drop(struct kv_txn **txn); /* for SCOPED; ends readers as well */

/* Puts, replacements and deletes of a write transaction so far. */
size_t kv_changes(const struct kv_txn *txn);
/* How many places in the index they have touched, by which it is bounded what memory and
 * a commit cost: each may keep a page or two.  What is replaced in a row stands on the
 * same page, mostly. */
size_t kv_pages(const struct kv_txn *txn);

/* The value stays good until the transaction writes or ends.  ERR_ABSENT: no such key. */
[[nodiscard]] err_t kv_get(struct kv_txn *txn, struct str key, struct str *value);
[[nodiscard]] err_t kv_put(struct kv_txn *txn, struct str key, struct str value);
/* ERR_ABSENT if it is not there. */
[[nodiscard]] err_t kv_delete(struct kv_txn *txn, struct str key);

/* A place within a write transaction to go back to.  There is one at a time. */
void kv_mark(struct kv_txn *txn);
void kv_unmark(struct kv_txn *txn);
/* Takes back all puts and deletes since the mark, and the mark. */
[[nodiscard]] err_t kv_rewind(struct kv_txn *txn);

/* Walks in key order.  After ERR_SYNTAX key and value are of the damaged row, and the
 * walk can go on behind it.  key and value stay good until the transaction ends, if it
 * only reads; else until the cursor moves or the transaction writes or ends, and after a
 * write, seek before going on. */
struct kv_cursor {
	struct str key, value;
	void *handle;
	bool is_in_memory;
	struct kv_txn *txn;
	size_t changes; /* of the transaction, when it was moved */
	uintptr_t page; /* in memory, where it stands */
};
[[nodiscard]] err_t kv_cursor_open(struct kv_txn *txn, struct kv_cursor *cursor);
void kv_cursor_close(struct kv_cursor *cursor); /* for SCOPED; closed twice is fine */
/* To the first key that is not less.  ERR_ABSENT at the end of all keys. */
[[nodiscard]] err_t kv_seek(struct kv_cursor *cursor, struct str key);
/* To the last key that is less; ERR_ABSENT if there is none. */
[[nodiscard]] err_t kv_seek_before(struct kv_cursor *cursor, struct str key);
[[nodiscard]] err_t kv_next(struct kv_cursor *cursor);
/* Also from "past the end", where it goes to the last key. */
[[nodiscard]] err_t kv_prev(struct kv_cursor *cursor);
/* Puts another value in place of the one that the cursor stands on, without a search; key
 * and value are "" then, and the walk can go on from there.  Nothing may have been
 * written since the cursor was moved; the value must not be of the index. */
[[nodiscard]] err_t kv_replace(struct kv_cursor *cursor, struct str value);

/* Writes the whole file to fd as it stood at one commit, page by page, so that what did
 * not change since an earlier copy is the same at the same place.  By any thread; waits
 * for a write transaction that is open, and others go on while it writes.  The result can
 * be opened by itself. */
[[nodiscard]] err_t kv_copy(struct kv *kv, int fd);

/* All that was committed is on disk; for KV_SYNC_LATE. */
[[nodiscard]] err_t kv_sync(struct kv *kv);

/* Can the file take so many octets more if it is not to grow beyond bytes_max, whatever
 * it was opened with?  As of the last commit. */
bool kv_has_room(struct kv *kv, uint64_t bytes_max, uint64_t octets);

struct kv_stats {
	uint64_t keys;
	uint64_t bytes_used; /* of the file */
	uint64_t bytes_max;
	uint64_t page_bytes;
};
[[nodiscard]] err_t kv_stats(struct kv *kv, struct kv_stats *stats);
