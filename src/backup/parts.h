/* What the files of backup/ share. */
#pragma once

#include "backup/backup.h"

enum { BACKUP_CHUNK_BYTES = 32 * 1024 };
#define BACKUP_MAP       "map"
#define BACKUP_SECRETS   "secrets"
#define BACKUP_CONF      "postrider.conf"
#define BACKUP_TEMPORARY ".tmp-"

/* Adds a sentence to why, and gives err. */
err_t backup_say(struct backup *backup, err_t err, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* A path in the set; panics if it is too long, which backup_open() excludes. */
const char *backup_path(const struct backup *backup, char room[BACKUP_PATH_MAX],
			const char *format, ...) PRINTF_LIKE(3, 4);
void backup_progress(struct backup *backup, const char *doing, uint64_t done,
		     uint64_t all);

/* manifest.c */
[[nodiscard]] err_t manifest_save(struct backup *backup, const char *path,
				  const struct manifest *manifest);
/* ERR_ABSENT: there is none; ERR_SYNTAX: it is damaged. */
[[nodiscard]] err_t manifest_load(struct backup *backup, const char *path,
				  struct manifest *manifest);
/* Frees what is not in the arena. */
void manifest_fini(struct manifest *manifest);
const struct backup_file *manifest_file(const struct manifest *manifest,
					const char *name);

/* copy.c: octets [offset, offset + length) of one file at the same place in another (-1:
 * they are only read), with their hash.  Holes stay holes. */
[[nodiscard]] err_t copy_range(int from, int to, uint64_t offset, uint64_t length,
			       struct backup_hash *hash);
/* A whole file: its size and hash.  ERR_ABSENT. */
[[nodiscard]] err_t copy_sum(const char *path, struct backup_file *file);
void copy_hash(struct str bytes, struct backup_hash *hash);
bool hash_same(const struct backup_hash *a, const struct backup_hash *b);
/* For reading, past what the cache believes. */
[[nodiscard]] int open_from_disk(const char *path);
/* The data that it holds is of this program's format; else says so. */
[[nodiscard]] err_t manifest_fits(struct backup *backup, const struct manifest *manifest);

/* chunks.c: the index at path as chunks, and their map as BACKUP_MAP in folder;
 * *added counts the octets of new chunks. */
[[nodiscard]] err_t chunks_add(struct backup *backup, const char *path,
			       const char *folder, uint64_t *added);
/* The index of a backup into the file, checked; to -1: only checked. */
[[nodiscard]] err_t chunks_join(struct backup *backup, const struct manifest *manifest,
				int to);
void chunk_path(const struct backup *backup, const struct backup_hash *hash,
		char room[BACKUP_PATH_MAX]);

/* packs.c: the packs of the data directory, as far as they are durable.  known: backups
 * whose pieces need no copying.  What is there already of the manifest is saved at
 * manifest_path after each pack. */
struct store_extent;
[[nodiscard]] err_t packs_copy_in(struct backup *backup, const char *folder,
				  const struct manifest *known, size_t known_count,
				  const struct store_extent *extent,
				  const char *manifest_path, struct manifest *manifest);

/* archive.c: a set in one file, a ustar archive of its files, manifests last.  Packing
 * removes the folder bit by bit. */
[[nodiscard]] err_t archive_pack(struct backup *backup, const char *file);
[[nodiscard]] err_t archive_unpack(struct backup *backup, const char *file,
				   const char *folder);

/* view.c: a backup opened as a storage, read-only, in a folder of its own. */
struct view {
	char folder[BACKUP_PATH_MAX];
	struct storage *storage;
};
[[nodiscard]] err_t view_open(struct backup *backup, const struct manifest *manifest,
			      struct view *view);
void view_close(struct view *view);
/* A new folder where there is room for temporary files, for us alone. */
[[nodiscard]] err_t temporary_folder(struct backup *backup, char room[BACKUP_PATH_MAX]);
