/* A backup as a storage. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/parts.h"
#include "rt/file.h"
#include "storage/storage.h"

err_t temporary_folder(struct backup *backup, char room[BACKUP_PATH_MAX])
{
	const char *parent = getenv("TMPDIR");
	int len;

	/* In the set there is room, and what a killed command left is found again. */
	if (backup->lock_fd >= 0)
		len = snprintf(room, BACKUP_PATH_MAX, "%s/" BACKUP_TEMPORARY "XXXXXX",
			       backup->folder);
	else
		len = snprintf(room, BACKUP_PATH_MAX, "%s/postrider-XXXXXX",
			       parent ? parent : "/var/tmp");
	if (len < BACKUP_PATH_MAX && mkdtemp(room))
		return OK;
	return backup_say(backup, ERR_IO, "%s cannot be made: %s.", room,
			  strerror(errno));
}

static err_t packs_link(struct backup *backup, const struct manifest *manifest,
			const char *folder)
{
	char from[BACKUP_PATH_MAX], to[BACKUP_PATH_MAX + 64];
	char *real = realpath(backup->folder, NULL);
	err_t err = real ? OK : ERR_IO;

	(void)snprintf(to, sizeof to, "%s/packs", folder);
	if (mkdir(to, 0700) != 0)
		err = ERR_IO;
	for (size_t i = 0; i < manifest->pack_count && err == OK; i++) {
		const struct backup_pack *pack = &manifest->packs[i];

		(void)snprintf(to, sizeof to, "%s/packs/%08u.pack", folder, pack->number);
		if (snprintf(from, sizeof from, "%s/packs/%.*s", real,
			     STR_FMT(pack->file)) >= (int)sizeof from ||
		    symlink(from, to) != 0)
			err = ERR_IO;
	}
	free(real);
	return err;
}

static err_t index_put(struct backup *backup, const struct manifest *manifest,
		       const char *folder)
{
	char path[BACKUP_PATH_MAX + 64];

	(void)snprintf(path, sizeof path, "%s/index.lmdb", folder);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return ERR_IO;
	err_t err = chunks_join(backup, manifest, fd);

	(void)close(fd); /* it need not last */
	return err;
}

err_t view_open(struct backup *backup, const struct manifest *manifest, struct view *view)
{
	struct storage_options options = {.folder = view->folder,
					  .open_as = STORAGE_READ_ONLY};
	struct str why;

	view->storage = NULL;
	view->folder[0] = '\0';
	TRY(manifest_fits(backup, manifest));
	TRY(temporary_folder(backup, view->folder));
	size_t said = backup->problems;
	err_t err = index_put(backup, manifest, view->folder);

	if (err == OK)
		err = packs_link(backup, manifest, view->folder);
	if (err != OK && backup->problems == said)
		(void)backup_say(backup, err, "%s cannot be filled.", view->folder);
	TRY(err);
	err = storage_open(&options, &backup->arena, &view->storage, &why);
	if (err != OK)
		return backup_say(backup, err,
				  "The index of %.*s cannot be opened: %.*s.",
				  STR_FMT(manifest->id), STR_FMT(why));
	return OK;
}

void view_close(struct view *view)
{
	if (view->storage)
		storage_close(&view->storage);
	if (view->folder[0])
		(void)file_remove_tree(view->folder);
}
