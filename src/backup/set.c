/* The set: opened, listed, closed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "rt/file.h"

enum { ARENA_MAX = 1 << 30, WHY_MAX = 1 << 20, FOLDER_MAX = 3800 };

err_t backup_say(struct backup *backup, err_t err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (backup->why.len > 0)
		buf_add_byte(&backup->why, '\n');
	buf_vprintf(&backup->why, format, args);
	va_end(args);
	backup->problems++;
	return err;
}

const char *backup_path(const struct backup *backup, char room[BACKUP_PATH_MAX],
			const char *format, ...)
{
	int at = snprintf(room, BACKUP_PATH_MAX, "%s/", backup->folder);
	va_list args;

	va_start(args, format);
	int len = vsnprintf(room + at, (size_t)(BACKUP_PATH_MAX - at), format, args);
	va_end(args);
	ASSERT(len < BACKUP_PATH_MAX - at);
	return room;
}

void backup_progress(struct backup *backup, const char *doing, uint64_t done,
		     uint64_t all)
{
	if (backup->progress)
		backup->progress(backup->arg, doing, done, all);
}

static err_t take_lock(struct backup *backup)
{
	char path[BACKUP_PATH_MAX];

	(void)backup_path(backup, path, "lock");
	backup->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (backup->lock_fd < 0 && errno == EROFS)
		return OK; /* nobody else can write there either */
	if (backup->lock_fd < 0)
		return backup_say(backup, ERR_IO, "%s cannot be written: %s.", path,
				  strerror(errno));
	if (flock(backup->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return backup_say(backup, ERR_LIMIT,
				  "Another command works on the backups in %s.",
				  backup->folder);
	return OK;
}

/* "20261122T050102Z", perhaps with a number behind it. */
static bool is_id(const char *name)
{
	return strlen(name) >= 16 && strspn(name, "0123456789TZ-") == strlen(name);
}

static int by_id(const void *a, const void *b)
{
	const struct manifest *first = a, *second = b;

	return str_cmp(first->id, second->id);
}

static err_t add_one(struct backup *backup, const char *name)
{
	char path[BACKUP_PATH_MAX];
	struct manifest manifest;
	err_t err = manifest_load(
		backup, backup_path(backup, path, "%s/manifest.json", name), &manifest);

	if (err == OK && !str_same(manifest.id, str_c(name))) {
		manifest_fini(&manifest);
		err = ERR_SYNTAX;
	}
	if (err != OK)
		return backup_say(backup, err, "%s: the manifest is %s.", path,
				  err == ERR_ABSENT ? "missing" : "damaged");
	MEM_ROOM(backup->list, backup->count, backup->room);
	backup->list[backup->count++] = manifest;
	return OK;
}

/* A backup whose manifest cannot be read is named, and the others are still there. */
static err_t read_list(struct backup *backup)
{
	DIR *folder = opendir(backup->folder);

	if (!folder)
		return backup_say(backup, ERR_IO, "%s cannot be read: %s.",
				  backup->folder, strerror(errno));
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (is_id(entry->d_name))
			(void)add_one(backup, entry->d_name); /* it was said */
	}
	(void)closedir(folder); /* it was only read */
	if (backup->count > 0)
		qsort(backup->list, backup->count, sizeof *backup->list, by_id);
	return OK;
}

static err_t make_folders(struct backup *backup)
{
	static const char *const parts[] = {"", "packs", "index"};
	char path[BACKUP_PATH_MAX];

	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		(void)backup_path(backup, path, "%s", parts[i]);
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return backup_say(backup, ERR_IO, "%s cannot be made: %s.", path,
					  strerror(errno));
	}
	return OK;
}

/* A whole backup in a folder that was to become a file was being packed, and is no longer
 * whole. */
static err_t open_parts(struct backup *backup)
{
	TRY(make_folders(backup));
	TRY(take_lock(backup));
	TRY(read_list(backup));
	if (backup->count == 0 && backup->problems == 0)
		return OK;
	while (backup->count > 0)
		manifest_fini(&backup->list[--backup->count]);
	backup->problems = 0;
	buf_reset(&backup->why);
	(void)file_remove_tree(backup->folder);
	(void)close(backup->lock_fd); /* it is gone */
	TRY(make_folders(backup));
	return take_lock(backup);
}

static bool is_file(const char *target)
{
	struct stat stat_of_target;

	if (stat(target, &stat_of_target) == 0)
		return S_ISREG(stat_of_target.st_mode);
	return str_ends(str_c(target), STR(".tar"));
}

err_t backup_open(struct backup *backup, const char *target, enum backup_use use)
{
	bool is_packed = is_file(target);

	arena_init(&backup->arena, ARENA_MAX);
	backup->lock_fd = -1;
	backup->why = BUF(WHY_MAX);
	if (strlen(target) > FOLDER_MAX)
		return backup_say(backup, ERR_LIMIT, "The name is too long.");
	(void)snprintf(backup->folder, sizeof backup->folder, "%s%s", target,
		       is_packed ? ".parts" : "");
	if (use == BACKUP_WRITE && is_packed) {
		backup->file = target;
		return open_parts(backup);
	}
	if (access(target, F_OK) != 0 && use == BACKUP_READ)
		return backup_say(backup, ERR_ABSENT, "There is no %s.", target);
	if (is_packed) {
		TRY(temporary_folder(backup, backup->folder));
		backup->is_temporary = true;
		TRY(archive_unpack(backup, target, backup->folder));
	}
	if (use == BACKUP_WRITE)
		TRY(make_folders(backup));
	TRY(take_lock(backup));
	return read_list(backup);
}

bool backup_is_file(const struct backup *backup)
{
	return backup->file;
}

void backup_close(struct backup *backup)
{
	if (backup->lock_fd >= 0)
		(void)close(backup->lock_fd); /* gives the lock back */
	if (backup->is_temporary)
		(void)file_remove_tree(backup->folder);
	for (size_t i = 0; i < backup->count; i++)
		manifest_fini(&backup->list[i]);
	mem_free(backup->list);
	arena_fini(&backup->arena);
	buf_fini(&backup->why);
	*backup = (struct backup){.lock_fd = -1};
}

const struct manifest *backup_find(struct backup *backup, struct str id)
{
	for (size_t i = backup->count; i > 0; i--)
		if (id.len == 0 || str_same(backup->list[i - 1].id, id))
			return &backup->list[i - 1];
	if (id.len > 0)
		(void)backup_say(backup, ERR_ABSENT, "There is no whole backup %.*s.",
				 STR_FMT(id));
	else
		(void)backup_say(backup, ERR_ABSENT, "There is no whole backup in %s.",
				 backup->folder);
	return NULL;
}

uint64_t backup_pack_bytes(const struct backup_pack *pack)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < pack->count; i++)
		bytes += pack->pieces[i].length;
	return bytes;
}

uint64_t manifest_pack_bytes(const struct manifest *manifest)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < manifest->pack_count; i++)
		bytes += backup_pack_bytes(&manifest->packs[i]);
	return bytes;
}
