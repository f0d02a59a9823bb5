/* What is no longer to be kept. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "rt/clock.h"
#include "rt/file.h"

enum { DAY_S = 24 * 3600, MAP_BYTES_MAX = 1 << 30 };

/* Without its name it is no backup any more, whatever happens then. */
static err_t drop(struct backup *backup, size_t at)
{
	char from[BACKUP_PATH_MAX], to[BACKUP_PATH_MAX];
	struct manifest *manifest = &backup->list[at];

	(void)backup_path(backup, from, "%.*s", STR_FMT(manifest->id));
	(void)backup_path(backup, to, "%.*s.new", STR_FMT(manifest->id));
	if (file_rename(from, to) != OK)
		return backup_say(backup, ERR_IO, "%s cannot be removed.", from);
	(void)file_remove_tree(to);
	manifest_fini(manifest);
	memmove(manifest, manifest + 1, (backup->count - at - 1) * sizeof *manifest);
	backup->count--;
	return OK;
}

/* ---- packs ------------------------------------------------------------------------- */

static bool is_needed(const struct backup *backup, struct str file)
{
	for (size_t i = 0; i < backup->count; i++)
		for (size_t j = 0; j < backup->list[i].pack_count; j++)
			if (str_same(backup->list[i].packs[j].file, file))
				return true;
	return false;
}

static err_t sweep_packs(struct backup *backup)
{
	char path[BACKUP_PATH_MAX];
	DIR *folder = opendir(backup_path(backup, path, "packs"));

	if (!folder)
		return backup_say(backup, ERR_IO, "%s cannot be read.", path);
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (entry->d_name[0] != '.' && !is_needed(backup, str_c(entry->d_name)))
			(void)unlink(backup_path(backup, path, "packs/%s",
						 entry->d_name)); /* or next time */
	}
	(void)closedir(folder); /* it was only read */
	return OK;
}

/* ---- chunks ------------------------------------------------------------------------ */

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, BACKUP_HASH_BYTES);
}

/* The maps of all backups one after the other, sorted. */
static err_t needed_chunks(struct backup *backup, struct buf *maps)
{
	char path[BACKUP_PATH_MAX];

	for (size_t i = 0; i < backup->count; i++) {
		(void)backup_path(backup, path, "%.*s/" BACKUP_MAP,
				  STR_FMT(backup->list[i].id));
		if (file_read(path, maps) != OK || maps->len % BACKUP_HASH_BYTES != 0)
			return backup_say(backup, ERR_SYNTAX, "%s cannot be read.", path);
	}
	if (maps->len > 0)
		qsort(maps->ptr, maps->len / BACKUP_HASH_BYTES, BACKUP_HASH_BYTES,
		      by_hash);
	return OK;
}

static bool chunk_hash(const char *name, struct backup_hash *hash)
{
	for (size_t i = 0; i < BACKUP_HASH_BYTES; i++) {
		unsigned value = 0;

		for (size_t j = 0; j < 2; j++) {
			const char *digits = "0123456789abcdef";
			const char *digit =
				name[2 * i + j] ? strchr(digits, name[2 * i + j]) : NULL;

			if (!digit)
				return false;
			value = value << 4 | (unsigned)(digit - digits);
		}
		hash->bytes[i] = (unsigned char)value;
	}
	return name[2 * BACKUP_HASH_BYTES] == '\0';
}

static void sweep_chunks(struct backup *backup, const struct buf *maps, unsigned first)
{
	char path[BACKUP_PATH_MAX];
	DIR *folder = opendir(backup_path(backup, path, "index/%02x", first));

	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct backup_hash hash;

		if (entry->d_name[0] == '.' ||
		    (chunk_hash(entry->d_name, &hash) && maps->len > 0 &&
		     bsearch(hash.bytes, maps->ptr, maps->len / BACKUP_HASH_BYTES,
			     BACKUP_HASH_BYTES, by_hash)))
			continue;
		(void)unlink(backup_path(backup, path, "index/%02x/%s", first,
					 entry->d_name)); /* or next time */
	}
	if (folder)
		(void)closedir(folder); /* it was only read */
}

static err_t sweep(struct backup *backup)
{
	SCOPED(buf_fini) struct buf maps = BUF(MAP_BYTES_MAX);

	/* What cannot be understood may need anything. */
	if (backup->problems > 0)
		return OK;
	TRY(needed_chunks(backup, &maps));
	TRY(sweep_packs(backup));
	for (unsigned first = 0; first < 256; first++)
		sweep_chunks(backup, &maps, first);
	return OK;
}

err_t backup_prune(struct backup *backup, uint64_t keep, uint64_t keep_days,
		   size_t *removed)
{
	int64_t now = clock_s();

	*removed = 0;
	for (size_t i = 0; i + 1 < backup->count;) {
		bool is_too_many = keep > 0 && backup->count - i > keep;
		bool is_too_old = keep_days > 0 && now - backup->list[i].created_at >
							   (int64_t)keep_days * DAY_S;

		if (!is_too_many && !is_too_old) {
			i++;
			continue;
		}
		TRY(drop(backup, i));
		++*removed;
	}
	return sweep(backup);
}
