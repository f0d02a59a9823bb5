#include "control/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

err_t folder_path(char room[FOLDER_PATH_MAX], const char *folder, const char *part)
{
	int len = snprintf(room, FOLDER_PATH_MAX, "%s/%s", folder, part);

	return len < FOLDER_PATH_MAX ? OK : ERR_LIMIT;
}

static err_t failed(const char *operation, const char *path)
{
	LOG(ERROR, "data directory refused", KV("operation", operation), KV("path", path),
	    KV_INT("errno", errno));
	return ERR_IO;
}

static err_t make(const char *path, mode_t mode)
{
	if (mkdir(path, mode) != 0 && errno != EEXIST)
		return failed("mkdir", path);
	return OK;
}

/* Root's children belong to others and must reach their part; nobody else may look. */
err_t folder_make(const char *folder)
{
	char path[FOLDER_PATH_MAX];

	TRY(folder_path(path, folder, "run"));
	TRY(make(folder, geteuid() == 0 ? 0711 : 0700));
	return make(path, 0700);
}

err_t folder_make_part(const char *folder, const char *part, uid_t uid, gid_t gid)
{
	char path[FOLDER_PATH_MAX];
	struct stat stat;

	TRY(folder_path(path, folder, part));
	if (mkdir(path, 0700) == 0) {
		if (geteuid() == 0 && chown(path, uid, gid) != 0)
			return failed("chown", path);
		return OK;
	}
	if (errno != EEXIST || lstat(path, &stat) != 0)
		return failed("mkdir", path);
	if (S_ISDIR(stat.st_mode) && (geteuid() != 0 || stat.st_uid == uid))
		return OK;
	LOG(ERROR, "data directory belongs to another user", KV("path", path),
	    KV_INT("owner", stat.st_uid), KV_INT("wanted", uid));
	return ERR_DENIED;
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

err_t folder_lock(const char *folder, int *fd)
{
	char path[FOLDER_PATH_MAX];

	TRY(folder_path(path, folder, "run/lock"));
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0)
		return failed("open", path);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		err_t err = errno == EWOULDBLOCK ? ERR_DENIED : failed("flock", path);

		(void)close(lock);
		return err;
	}
	*fd = lock;
	return OK;
}
