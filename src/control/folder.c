#include "control/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

err_t folder_path(char room[FOLDER_PATH_MAX], const char *folder, const char *part)
{
	int len = snprintf(room, FOLDER_PATH_MAX, "%s/%s", folder, part);

	return len < FOLDER_PATH_MAX ? OK : ERR_LIMIT;
}

/* Ends a sentence for people with what the system says. */
static err_t failed(struct buf *why, const char *what, const char *path)
{
	int error = errno;

	buf_printf(why, "cannot %s %s: %s.", what, path, strerror(error));
	return error == EACCES || error == EPERM ? ERR_DENIED : ERR_IO;
}

/* That it is a folder, not a link to one, belongs to uid, and nobody else may put
 * anything into it: whoever could, could give us other files in place of ours. */
static err_t check(struct buf *why, const char *path, uid_t uid)
{
	struct stat stat;

	if (lstat(path, &stat) != 0)
		return failed(why, "use", path);
	if (!S_ISDIR(stat.st_mode)) {
		buf_printf(why, "%s is no directory.", path);
		return ERR_DENIED;
	}
	if (stat.st_uid != uid) {
		buf_printf(why, "%s belongs to user %u, and should to user %u.", path,
			   stat.st_uid, uid);
		return ERR_DENIED;
	}
	if (stat.st_mode & (S_IWGRP | S_IWOTH)) {
		buf_printf(why,
			   "other users may write in %s; \"chmod go-w\" takes it from "
			   "them.",
			   path);
		return ERR_DENIED;
	}
	return OK;
}

static err_t make(struct buf *why, const char *path, mode_t mode)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return failed(why, "make", path);
	return check(why, path, geteuid());
}

/* Root's children belong to others and must reach their part; nobody else may look. */
err_t folder_make(const char *folder, struct buf *why)
{
	char path[FOLDER_PATH_MAX], *real = realpath(folder, NULL);
	err_t err = make(why, real ? real : folder, geteuid() == 0 ? 0711 : 0700);

	free(real);
	TRY(err);
	TRY(folder_path(path, folder, "run"));
	return make(why, path, 0700);
}

err_t folder_make_part(const char *folder, const char *part, uid_t uid, gid_t gid,
		       struct buf *why)
{
	char path[FOLDER_PATH_MAX];

	TRY(folder_path(path, folder, part));
	if (mkdir(path, 0700) == 0) {
		if (geteuid() == 0 && chown(path, uid, gid) != 0)
			return failed(why, "change the owner of", path);
		return OK;
	}
	return errno == EEXIST ? check(why, path, uid) : failed(why, "make", path);
}

err_t folder_make_drop(const char *folder, struct buf *why)
{
	char path[FOLDER_PATH_MAX];
	struct stat stat;

	TRY(folder_path(path, folder, "drop"));
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return failed(why, "make", path);
	if (lstat(path, &stat) != 0 || !S_ISDIR(stat.st_mode) ||
	    stat.st_uid != geteuid()) {
		buf_printf(why, "%s is no directory of ours.", path);
		return ERR_DENIED;
	}
	return chmod(path, 01733) == 0 ? OK : failed(why, "change the mode of", path);
}

err_t folder_owner(const char *folder, const char *part, uid_t *uid, gid_t *gid)
{
	char path[FOLDER_PATH_MAX];
	struct stat stat;

	TRY(folder_path(path, folder, part));
	if (lstat(path, &stat) != 0)
		return ERR_ABSENT;
	*uid = stat.st_uid;
	*gid = stat.st_gid;
	return OK;
}

bool folder_become_owner(const char *folder, const char *part)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return true;
	return folder_owner(folder, part, &uid, &gid) == OK &&
	       (uid == 0 ||
		(setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0));
}

err_t folder_lock(const char *folder, int *fd, struct buf *why)
{
	char path[FOLDER_PATH_MAX];

	TRY(folder_path(path, folder, "run/lock"));
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return failed(why, "open", path);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		bool is_taken = errno == EWOULDBLOCK;
		err_t err = is_taken ? ERR_LIMIT : failed(why, "lock", path);

		if (is_taken)
			buf_printf(why, "another server, or a command, works in %s.",
				   folder);
		(void)close(lock);
		return err;
	}
	*fd = lock;
	return OK;
}
