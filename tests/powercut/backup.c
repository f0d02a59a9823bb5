#include "powercut/backup.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "powercut/state.h"
#include "storage/embedded.h"

enum { ARENA_BYTES = 64 << 20, PATH_BYTES = 400 };

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
	(void)stat;
	(void)kind;
	(void)at;
	return remove(path);
}

static void folder_remove(const char *folder)
{
	(void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* there may be none */
}

static void path_of(char path[PATH_BYTES], const char *folder, const char *name)
{
	ASSERT(snprintf(path, PATH_BYTES, "%s/%s", folder, name) < PATH_BYTES);
}

static err_t index_copy(const struct backup *backup)
{
	char path[PATH_BYTES];

	path_of(path, backup->folder, STORAGE_INDEX);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ASSERT(fd >= 0);
	err_t err = storage_copy_index(backup->storage, fd);

	(void)close(fd); /* it is only for a look */
	return err;
}

static void pack_copy(const struct backup *backup, const char *store_folder,
		      const struct pack_extent *pack)
{
	char name[40], from[PATH_BYTES], to[PATH_BYTES];

	(void)snprintf(name, sizeof name, "packs/%08u.pack", pack->number);
	path_of(from, store_folder, name);
	path_of(to, backup->folder, name);
	int in = open(from, O_RDONLY | O_CLOEXEC);

	if (in < 0) /* a call that fails does so once */
		in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t copied = 0;
	ssize_t done = 1;

	ASSERT(in >= 0 && out >= 0);
	while (copied < pack->length && done > 0) {
		done = sendfile(out, in, NULL, pack->length - copied);
		copied += done > 0 ? (uint64_t)done : 0;
	}
	ASSERT(copied == pack->length);
	(void)close(in);
	(void)close(out); /* it is only for a look */
}

void backup_drop(struct backup *backup)
{
	if (!backup->storage)
		return;
	storage_unpin(backup->storage);
	folder_remove(backup->folder);
	arena_fini(&backup->arena);
	backup->storage = NULL;
}

err_t backup_begin(struct backup *backup, struct storage *storage,
		   struct storage *reference, const char *folder)
{
	char path[PATH_BYTES];

	*backup = (struct backup){.storage = storage};
	(void)snprintf(backup->folder, sizeof backup->folder, "%s", folder);
	path_of(path, folder, "packs");
	folder_remove(folder); /* of a process before */
	ASSERT(mkdir(folder, 0700) == 0 && mkdir(path, 0700) == 0);
	arena_init(&backup->arena, ARENA_BYTES);
	storage_pin(storage);
	err_t err = index_copy(backup);

	if (err == OK)
		err = storage_extent(storage, &backup->arena, &backup->extent);
	if (err == OK && picture_all(reference, &backup->arena, backup->states))
		err = ERR_IO;
	if (err != OK)
		backup_drop(backup);
	return err;
}

static const char *look(struct backup *backup)
{
	struct account_state got[ACCOUNTS + 1];
	struct storage *copy;
	struct str sentence;

	if (!state_open(backup->folder, &backup->arena, &copy, &sentence)) {
		(void)printf("%.*s\n", STR_FMT(sentence));
		return "a backup does not open";
	}
	const char *why = picture_all(copy, &backup->arena, got);

	for (size_t i = 0; i <= ACCOUNTS && !why; i++)
		if (got[i].hash != backup->states[i].hash ||
		    got[i].next != backup->states[i].next)
			why = "a backup shows another state than that it was made of";
	storage_close(&copy);
	return why;
}

const char *backup_end(struct backup *backup, const char *store_folder)
{
	for (size_t i = 0; i < backup->extent.count; i++)
		pack_copy(backup, store_folder, &backup->extent.packs[i]);
	const char *why = look(backup);

	backup_drop(backup);
	return why;
}
