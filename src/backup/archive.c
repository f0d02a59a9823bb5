/* A set in one file, in the ustar form that every tar reads (POSIX.1-2001, pax(1)): for
 * each file a header of 512 octets, its octets, zeros up to a multiple of 512; at the end
 * 1024 zeros.  Sizes from 8 GB on are in base 256, as GNU tar has them.  The manifests
 * come last: what was cut off has none. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/file.h"

enum {
	BLOCK = 512,
	STEP_BYTES = 1 << 20,
	NAME_AT = 0,
	NAME_MAX_BYTES = 100,
	MODE_AT = 100,
	SIZE_AT = 124,
	SIZE_BYTES = 12,
	TIME_AT = 136,
	SUM_AT = 148,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	DEPTH_MAX = 3,
};
#define OCTAL_MAX ((uint64_t)1 << 33)

struct archive {
	struct backup *backup;
	int fd;
	const char *path;
	char *bytes;     /* STEP_BYTES */
	EVP_MD_CTX *sum; /* of what was written */
	uint64_t done;
};

/* ---- the header -------------------------------------------------------------------- */

static unsigned header_sum(const char *block)
{
	unsigned sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + 8 ? ' ' : (unsigned char)block[i];
	return sum;
}

static void header_write(char block[BLOCK], const char *name, uint64_t size)
{
	memset(block, 0, BLOCK);
	ASSERT(strlen(name) < NAME_MAX_BYTES);
	memcpy(block + NAME_AT, name, strlen(name));
	(void)snprintf(block + MODE_AT, 8, "%07o", 0600);
	(void)snprintf(block + MODE_AT + 8, 8, "%07o", 0);
	(void)snprintf(block + MODE_AT + 16, 8, "%07o", 0);
	if (size < OCTAL_MAX) {
		(void)snprintf(block + SIZE_AT, SIZE_BYTES, "%011llo",
			       (unsigned long long)size);
	} else {
		block[SIZE_AT] = (char)0x80;
		for (int i = 0; i < 8; i++)
			block[SIZE_AT + SIZE_BYTES - 1 - i] =
				(char)(unsigned char)(size >> (8 * i));
	}
	(void)snprintf(block + TIME_AT, 12, "%011o", 0);
	block[TYPE_AT] = '0';
	memcpy(block + MAGIC_AT,
	       "ustar\0"
	       "00",
	       8);
	(void)snprintf(block + SUM_AT, 8, "%06o", header_sum(block));
	block[SUM_AT + 7] = ' ';
}

static bool octal_read(const char *field, size_t len, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < len && field[i] != '\0' && field[i] != ' '; i++) {
		if (field[i] < '0' || field[i] > '7')
			return false;
		*number = *number << 3 | (uint64_t)(field[i] - '0');
	}
	return true;
}

static bool header_read(const char block[BLOCK], char name[NAME_MAX_BYTES],
			uint64_t *size)
{
	uint64_t sum;

	if (memcmp(block + MAGIC_AT, "ustar", 5) != 0 || block[TYPE_AT] != '0' ||
	    !octal_read(block + SUM_AT, 7, &sum) || sum != header_sum(block) ||
	    block[NAME_MAX_BYTES - 1] != '\0')
		return false;
	memcpy(name, block, NAME_MAX_BYTES);
	if ((unsigned char)block[SIZE_AT] != 0x80)
		return octal_read(block + SIZE_AT, SIZE_BYTES, size);
	*size = 0;
	for (int i = 4; i < SIZE_BYTES; i++)
		*size = *size << 8 | (unsigned char)block[SIZE_AT + i];
	return *size < INT64_MAX;
}

/* Two levels of folders and a name, none of which leads elsewhere. */
static bool is_good_name(const char *name)
{
	struct str rest = str_c(name);

	for (unsigned depth = 0; rest.len > 0; depth++) {
		struct str part = str_cut(&rest, '/');

		if (part.len == 0 || part.ptr[0] == '.' || depth == DEPTH_MAX)
			return false;
	}
	return name[0] != '\0';
}

static err_t write_summed(struct archive *a, struct str bytes)
{
	ASSERT(EVP_DigestUpdate(a->sum, bytes.ptr, bytes.len) == 1);
	return file_write_all(a->fd, bytes);
}

/* ---- packing ----------------------------------------------------------------------- */

static err_t octets_pack(struct archive *a, int from, uint64_t size)
{
	while (size > 0) {
		size_t len = (size_t)num_min(STEP_BYTES, size);
		size_t padded = (len + BLOCK - 1) / BLOCK * BLOCK;
		ssize_t got = read(from, a->bytes, len);

		if (got <= 0)
			return ERR_IO;
		/* Only the last piece is no multiple of a block. */
		while ((size_t)got < len) {
			ssize_t more = read(from, a->bytes + got, len - (size_t)got);

			if (more <= 0)
				return ERR_IO;
			got += more;
		}
		memset(a->bytes + len, 0, padded - len);
		TRY(write_summed(a, (struct str){a->bytes, padded}));
		size -= len;
		backup_progress(a->backup, "writing the file", a->done += len, 0);
	}
	return OK;
}

/* The file goes once it is in the archive. */
static err_t one_pack(struct archive *a, const char *name)
{
	char path[BACKUP_PATH_MAX], block[BLOCK];
	struct stat stat;
	int from = open(backup_path(a->backup, path, "%s", name), O_RDONLY | O_CLOEXEC);

	if (from < 0 || fstat(from, &stat) != 0)
		return ERR_IO;
	header_write(block, name, (uint64_t)stat.st_size);
	err_t err = write_summed(a, (struct str){block, BLOCK});

	if (err == OK)
		err = octets_pack(a, from, (uint64_t)stat.st_size);
	(void)close(from); /* it was only read */
	if (err == OK && unlink(path) != 0)
		err = ERR_IO;
	return err;
}

static bool is_manifest(const char *name)
{
	return str_ends(str_c(name), STR("manifest.json"));
}

/* All files below the folder ("" is the set), manifests or all but them. */
static err_t folder_pack(struct archive *a, const char *below, bool manifests)
{
	char path[BACKUP_PATH_MAX], name[2 * NAME_MAX_BYTES + 512];
	DIR *folder = opendir(backup_path(a->backup, path, "%s", below));
	err_t err = folder ? OK : ERR_IO;

	for (struct dirent *entry; err == OK && (entry = readdir(folder));) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0)
			continue;
		(void)snprintf(name, sizeof name, "%s%s%s", below, below[0] ? "/" : "",
			       entry->d_name);
		struct stat stat;

		if (lstat(backup_path(a->backup, path, "%s", name), &stat) != 0)
			err = ERR_IO;
		else if (S_ISDIR(stat.st_mode))
			err = folder_pack(a, name, manifests);
		else if (is_manifest(name) == manifests)
			err = one_pack(a, name);
	}
	if (folder)
		(void)closedir(folder); /* it was only read */
	return err;
}

/* Is what the disk holds what was written? */
static err_t file_end(struct archive *a)
{
	static const char end[2 * BLOCK];
	struct backup_hash wanted;
	struct backup_file file;

	TRY(write_summed(a, (struct str){end, sizeof end}));
	TRY(file_sync(a->fd));
	ASSERT(EVP_DigestFinal_ex(a->sum, wanted.bytes, NULL) == 1);
	TRY(copy_sum(a->path, &file));
	return hash_same(&file.hash, &wanted) ? OK : ERR_SYNTAX;
}

err_t archive_pack(struct backup *backup, const char *file)
{
	char fresh[BACKUP_PATH_MAX];
	struct archive a = {.backup = backup, .path = fresh};

	if (snprintf(fresh, sizeof fresh, "%s.new", file) >= (int)sizeof fresh)
		return backup_say(backup, ERR_LIMIT, "The file's name is too long.");
	a.fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a.fd < 0)
		return backup_say(backup, ERR_IO, "%s cannot be written: %s.", fresh,
				  strerror(errno));
	a.bytes = mem_zeroed(STEP_BYTES + BLOCK, 1);
	a.sum = EVP_MD_CTX_new();
	ASSERT(a.sum && EVP_DigestInit_ex(a.sum, EVP_sha256(), NULL) == 1);
	err_t err = folder_pack(&a, "", false);

	if (err == OK)
		err = folder_pack(&a, "", true);
	if (err == OK)
		err = file_end(&a);
	(void)close(a.fd); /* synced, or no good */
	EVP_MD_CTX_free(a.sum);
	mem_free(a.bytes);
	if (err == OK)
		err = file_rename(fresh, file);
	return err == OK ? OK : backup_say(backup, err, "%s cannot be written.", file);
}

/* ---- unpacking --------------------------------------------------------------------- */

static err_t folders_make(const char *folder, const char *name)
{
	char path[BACKUP_PATH_MAX];

	for (size_t i = 0; name[i] != '\0'; i++) {
		if (name[i] != '/')
			continue;
		if (snprintf(path, sizeof path, "%s/%.*s", folder, (int)i, name) >=
		    (int)sizeof path)
			return ERR_LIMIT;
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return ERR_IO;
	}
	return OK;
}

static bool is_zero(const char *bytes, size_t len)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Zeros become holes again. */
static err_t octets_unpack(struct archive *a, int to, uint64_t at, uint64_t size)
{
	for (uint64_t done = 0; done < size;) {
		size_t len = (size_t)num_min(STEP_BYTES, size - done);

		TRY(file_pread_all(a->fd, a->bytes, len, at + done));
		if (!is_zero(a->bytes, len))
			TRY(file_pwrite_all(to, (struct str){a->bytes, len}, done));
		done += len;
		backup_progress(a->backup, "reading the file", a->done += len, 0);
	}
	return ftruncate(to, (off_t)size) == 0 ? OK : ERR_IO;
}

static err_t one_unpack(struct archive *a, const char *folder, uint64_t *at, bool *is_end)
{
	char block[BLOCK], name[NAME_MAX_BYTES], path[BACKUP_PATH_MAX];
	uint64_t size;

	TRY(file_pread_all(a->fd, block, BLOCK, *at));
	*is_end = is_zero(block, BLOCK);
	if (*is_end)
		return OK;
	if (!header_read(block, name, &size) || !is_good_name(name))
		return ERR_SYNTAX;
	TRY(folders_make(folder, name));
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return ERR_LIMIT;
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (to < 0)
		return ERR_IO;
	err_t err = octets_unpack(a, to, *at + BLOCK, size);

	if (close(to) != 0)
		err = ERR_IO;
	*at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
	return err;
}

err_t archive_unpack(struct backup *backup, const char *file, const char *folder)
{
	struct archive a = {.backup = backup, .path = file};
	uint64_t at = 0;
	bool is_end = false;
	err_t err = OK;

	a.fd = open(file, O_RDONLY | O_CLOEXEC);
	if (a.fd < 0)
		return backup_say(backup, ERR_IO, "%s cannot be read: %s.", file,
				  strerror(errno));
	a.bytes = mem_zeroed(STEP_BYTES, 1);
	while (err == OK && !is_end)
		err = one_unpack(&a, folder, &at, &is_end);
	(void)close(a.fd); /* it was only read */
	mem_free(a.bytes);
	if (err != OK)
		return backup_say(backup, err,
				  "%s is not a whole backup file: %s at octet %llu.",
				  file, err_text(err), (unsigned long long)at);
	return OK;
}
