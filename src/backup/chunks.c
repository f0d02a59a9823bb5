/* The index in chunks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/file.h"

enum {
	ZSTD_LEVEL = 3,
	FRAME_BYTES_MAX = 2 * BACKUP_CHUNK_BYTES,
	MAP_BYTES_MAX = 1 << 30, /* for an index of a terabyte */
};

void chunk_path(const struct backup *backup, const struct backup_hash *hash,
		char room[BACKUP_PATH_MAX])
{
	char hex[2 * BACKUP_HASH_BYTES + 1];

	for (size_t i = 0; i < BACKUP_HASH_BYTES; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", hash->bytes[i]);
	(void)backup_path(backup, room, "index/%.2s/%s", hex, hex);
}

/* ---- adding ------------------------------------------------------------------------ */

/* Whole or not at all; that it is on disk is seen to for all chunks together. */
static err_t chunk_write(const char *path, struct str frame)
{
	char fresh[BACKUP_PATH_MAX + 8], folder[BACKUP_PATH_MAX];
	size_t folder_len = str_rfind_byte(str_c(path), '/');

	(void)snprintf(folder, sizeof folder, "%.*s", (int)folder_len, path);
	(void)snprintf(fresh, sizeof fresh, "%s.new", path);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return ERR_IO;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return ERR_IO;
	err_t err = file_write_all(fd, frame);

	if (close(fd) != 0 || (err == OK && rename(fresh, path) != 0))
		return ERR_IO;
	return err;
}

static err_t chunk_add(struct backup *backup, struct str raw, char *frame,
		       struct buf *map, uint64_t *added)
{
	char path[BACKUP_PATH_MAX];
	struct backup_hash hash;

	copy_hash(raw, &hash);
	buf_add(map, (struct str){(const char *)hash.bytes, BACKUP_HASH_BYTES});
	chunk_path(backup, &hash, path);
	if (access(path, F_OK) == 0)
		return OK;
	size_t len = ZSTD_compress(frame, FRAME_BYTES_MAX, raw.ptr, raw.len, ZSTD_LEVEL);

	ASSERT(!ZSTD_isError(len));
	*added += len;
	if (chunk_write(path, (struct str){frame, len}) != OK)
		return backup_say(backup, ERR_IO, "%s cannot be written: %s.", path,
				  strerror(errno));
	return OK;
}

static err_t chunks_of(struct backup *backup, int fd, uint64_t size, struct buf *map,
		       uint64_t *added)
{
	char *raw = mem_zeroed(BACKUP_CHUNK_BYTES + FRAME_BYTES_MAX, 1);
	char *frame = raw + BACKUP_CHUNK_BYTES;
	err_t err = OK;

	for (uint64_t at = 0; at < size && err == OK; at += BACKUP_CHUNK_BYTES) {
		size_t len = (size_t)num_min(BACKUP_CHUNK_BYTES, size - at);

		err = file_pread_all(fd, raw, len, at);
		if (err == OK)
			err = chunk_add(backup, (struct str){raw, len}, frame, map,
					added);
		backup_progress(backup, "index", at, size);
	}
	mem_free(raw);
	return err;
}

err_t chunks_add(struct backup *backup, const char *path, const char *folder,
		 uint64_t *added)
{
	SCOPED(buf_fini) struct buf map = BUF(MAP_BYTES_MAX);
	char map_path[BACKUP_PATH_MAX + 8];
	struct stat stat;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat) != 0)
		return backup_say(backup, ERR_IO, "%s cannot be read.", path);
	err_t err = chunks_of(backup, fd, (uint64_t)stat.st_size, &map, added);

	(void)close(fd); /* it was only read */
	TRY(err);
	if (!buf_ok(&map))
		return backup_say(backup, ERR_LIMIT, "The index is too big.");
	*added += map.len;
	(void)snprintf(map_path, sizeof map_path, "%s/" BACKUP_MAP, folder);
	err = file_replace(map_path, buf_str(&map), 0600);
	return err == OK ? OK
			 : backup_say(backup, err, "%s cannot be written.", map_path);
}

/* ---- joining ----------------------------------------------------------------------- */

static err_t chunk_read(struct backup *backup, const struct backup_hash *wanted,
			size_t len, char *raw)
{
	SCOPED(buf_fini) struct buf frame = BUF(FRAME_BYTES_MAX);
	char path[BACKUP_PATH_MAX];
	struct backup_hash hash;

	chunk_path(backup, wanted, path);
	err_t err = file_read(path, &frame);

	if (err == ERR_ABSENT)
		return backup_say(backup, ERR_SYNTAX, "%s is missing.", path);
	if (err == ERR_IO)
		return backup_say(backup, ERR_IO, "%s cannot be read.", path);
	if (err == OK)
		copy_hash((struct str){raw, ZSTD_decompress(raw, len, frame.ptr,
							    frame.len) == len
						    ? len
						    : 0},
			  &hash);
	if (err != OK || !hash_same(&hash, wanted)) {
		if (backup->is_making)
			(void)unlink(path); /* the next one may have more luck */
		return backup_say(backup, ERR_SYNTAX, "%s is damaged.", path);
	}
	return OK;
}

static err_t map_read(struct backup *backup, const struct manifest *manifest,
		      struct buf *map)
{
	const struct backup_file *file = manifest_file(manifest, BACKUP_MAP);
	uint64_t chunks =
		(manifest->index_bytes + BACKUP_CHUNK_BYTES - 1) / BACKUP_CHUNK_BYTES;
	char path[BACKUP_PATH_MAX];
	struct backup_hash hash;

	(void)backup_path(backup, path, "%.*s/" BACKUP_MAP, STR_FMT(manifest->id));
	if (file_read(path, map) != OK)
		return backup_say(backup, ERR_SYNTAX, "%s cannot be read.", path);
	copy_hash(buf_str(map), &hash);
	if (!file || !hash_same(&hash, &file->hash) ||
	    map->len != chunks * BACKUP_HASH_BYTES)
		return backup_say(backup, ERR_SYNTAX, "%s is damaged.", path);
	return OK;
}

err_t chunks_join(struct backup *backup, const struct manifest *manifest, int to)
{
	SCOPED(buf_fini) struct buf map = BUF(MAP_BYTES_MAX);
	err_t result = OK;
	uint64_t at = 0;

	TRY(map_read(backup, manifest, &map));
	char *raw = mem_zeroed(BACKUP_CHUNK_BYTES, 1);

	/* All bad chunks are named, not only the first. */
	for (size_t i = 0; i < map.len; i += BACKUP_HASH_BYTES) {
		size_t len =
			(size_t)num_min(BACKUP_CHUNK_BYTES, manifest->index_bytes - at);
		struct backup_hash hash;

		memcpy(hash.bytes, map.ptr + i, BACKUP_HASH_BYTES);
		err_t err = chunk_read(backup, &hash, len, raw);

		if (err == OK && to >= 0 && result == OK)
			err = file_pwrite_all(to, (struct str){raw, len}, at);
		if (err != OK)
			result = err;
		at += len;
		backup_progress(backup, "index", at, manifest->index_bytes);
	}
	mem_free(raw);
	return result;
}
