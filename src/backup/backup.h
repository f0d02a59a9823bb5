/* Backup sets: everything a server keeps, as it stood at one moment, many times over in
 * little more room than once.
 *
 * A set is a folder, for its owner alone since it holds all mail and all secrets:
 *
 *   lock                         held (flock) by whoever works on it
 *   .tmp-NNNNNN/                 what a command works with; left only if it was killed
 *   packs/NNNNNNNN-HHHHHHHH.pack the beginnings of packs, shared by all backups: the
 *                                number, and the SHA-256 of the header's octets, so that
 *                                packs of different histories stay apart
 *   index/HH/HASH                the index in chunks of 32 KB, each one zstd frame under
 *                                the SHA-256 of what is in it: unchanged ones are shared
 *   TIME/                        one backup, named after when it was begun (UTC); while
 *                                it is being made it is called TIME.new
 *     manifest.json              all of it, with hashes (manifest.c)
 *     map                        the hashes of the index's chunks, 32 octets each
 *     secrets                    the vault's file as the vault keeps it: password hashes
 *                                and private keys
 *     postrider.conf             the configuration file, if there was one
 *
 * Packs only grow at their ends, so a backup copies what came since the last one; each
 * such stretch is a piece with a hash of its own.  The index in a backup is at a place of
 * the log that its packs reach.
 *
 * Calls block; those that talk to a store suspend as well.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { BACKUP_HASH_BYTES = 32, BACKUP_PATH_MAX = 4096 };

struct backup_hash {
	unsigned char bytes[BACKUP_HASH_BYTES];
};

/* A stretch of a pack, right behind the one before. */
struct backup_piece {
	uint64_t length;
	struct backup_hash hash;
	bool is_new; /* came with this backup; not written down */
};
struct backup_pack {
	uint32_t number;
	struct str file; /* in packs/ */
	struct backup_piece *pieces;
	size_t count, room;
};
struct backup_file {
	struct str name;
	uint64_t size;
	struct backup_hash hash;
};

enum { BACKUP_FILES_MAX = 4 };

struct manifest {
	struct str id;
	int64_t created_at;
	uint64_t data_format;     /* control/format.h */
	uint64_t epoch, sequence; /* of the log, that the packs reach */
	uint64_t accounts, mailboxes, messages;
	uint64_t added_bytes; /* what it added to the set */
	uint64_t index_bytes;
	struct backup_pack *packs;
	size_t pack_count;
	struct backup_file files[BACKUP_FILES_MAX]; /* beside the manifest */
	size_t file_count;
};
uint64_t backup_pack_bytes(const struct backup_pack *pack);
uint64_t manifest_pack_bytes(const struct manifest *manifest);

/* A set being worked on. */
struct backup {
	char folder[BACKUP_PATH_MAX];
	const char *file;   /* to be made of it; borrowed; NULL: none */
	bool is_temporary;  /* the folder is removed at the end */
	bool is_making;     /* chunks that are found damaged go, to be written anew */
	struct arena arena; /* of manifests */
	int lock_fd;
	struct manifest *list; /* whole backups, the oldest first */
	size_t count, room;
	/* What went wrong: sentences for people, a line each. */
	struct buf why;
	size_t problems;
	/* Told now and then; may be NULL. */
	void (*progress)(void *arg, const char *doing, uint64_t done, uint64_t all);
	void *arg;
};

enum backup_use { BACKUP_READ, BACKUP_WRITE };

/* The target is a set's folder or a file that holds one: what is a file, or is called
 * *.tar, is taken for a file.  Takes the set's lock and reads its manifests; BACKUP_WRITE
 * makes a folder if needed, and in place of a file a set to be packed later.  A file to
 * be read is unpacked in a temporary folder.  Failures are in why; backup_close() is
 * needed in any case.  progress and arg may be set before. */
[[nodiscard]] err_t backup_open(struct backup *backup, const char *target,
				enum backup_use use);
void backup_close(struct backup *backup);
/* Whether backup_create() will write a new file. */
bool backup_is_file(const struct backup *backup);
/* The one of that id, or the newest if it is ""; NULL, and said why, if there is none. */
const struct manifest *backup_find(struct backup *backup, struct str id);

struct store;
struct vault;
struct backup_source {
	const char *folder,
		*conf; /* the data directory; the configuration file or NULL */
	struct store *store;
	struct vault *vault;
};
/* Makes a backup and verifies what it added; then it is in the list, or in the file. What
 * an interrupted one left is used or removed.  May suspend. */
[[nodiscard]] err_t backup_create(struct backup *backup,
				  const struct backup_source *source);
/* Removes all but the newest `keep` backups (0: as many as there are) and those older
 * than that many days (0: however old), but never the newest; and what no backup needs
 * any more. *removed counts them. */
[[nodiscard]] err_t backup_prune(struct backup *backup, uint64_t keep, uint64_t keep_days,
				 size_t *removed);

/* What a verification saw. */
struct backup_seen {
	uint64_t bytes, groups, mails, accounts;
};
/* Reads all of it again: hashes, the groups of the packs, the index, which is opened.
 * only_new: but only what came with it, and the index.  OK only if nothing is wrong; what
 * is wrong is named in why. */
[[nodiscard]] err_t backup_verify(struct backup *backup, const struct manifest *manifest,
				  bool only_new, struct backup_seen *seen);

/* Everything, into a data directory without mail on which no server runs.  Numbers that
 * clients know are no longer good there: the epoch is raised. */
[[nodiscard]] err_t backup_restore(struct backup *backup, const struct manifest *manifest,
				   const char *folder, struct backup_seen *seen);

/* Which messages to bring back; "" and 0: any. */
struct backup_wanted {
	struct str address; /* of the account, in the backup */
	struct str mailbox; /* its path, with "/" */
	struct str message_id;
	int64_t since, before; /* of arrival; before 0: no end */
};
struct backup_brought {
	uint64_t matched, brought; /* messages; the others were there already */
	uint64_t mailboxes;        /* made */
};
/* Adds those that are not in `account` of the running store.  One is there already if its
 * mailbox holds one that arrived at the same time, with the same size, the same fields of
 * delivery and the same body as stored (SHA-256).  Flags and keywords come along,
 * missing mailboxes are made.  May suspend. */
[[nodiscard]] err_t backup_merge(struct backup *backup, const struct manifest *manifest,
				 const struct backup_wanted *wanted, struct store *store,
				 uint32_t account, struct backup_brought *brought);
