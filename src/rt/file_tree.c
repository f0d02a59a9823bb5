/* Whole files and folders: copied, linked, removed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "rt/fault.h"
#include "rt/file.h"

enum { COPY_STEP = 32 << 20, DEPTH_MAX = 16 };

bool file_is_there(const char *path)
{
	struct stat stat;

	return lstat(path, &stat) == 0;
}

static err_t failed(const char *what, const char *path)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT;

	LOG(ERROR, what, KV("path", path), KV("reason", strerror(errno)));
	return is_full ? ERR_LIMIT : ERR_IO;
}

static err_t copy_all(int in, int out, uint64_t all, const char *path,
		      void (*progress)(void *arg, uint64_t done, uint64_t all), void *arg)
{
	uint64_t done = 0;

	while (done < all) {
		errno = fault_point("file.copy");
		ssize_t got =
			errno > 0 ? -1
				  : copy_file_range(in, NULL, out, NULL,
						    num_min(all - done, COPY_STEP), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) /* it became shorter, or the disk fails */
			return failed("cannot copy", path);
		done += (uint64_t)got;
		if (progress)
			progress(arg, done, all);
	}
	return file_sync(out);
}

err_t file_copy(const char *from, const char *to,
		void (*progress)(void *arg, uint64_t done, uint64_t all), void *arg)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = in < 0 ? -1
			 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
				0600);
	struct stat stat;
	err_t err = OK;

	if (in < 0 || out < 0 || fstat(in, &stat) != 0)
		err = failed("cannot copy", from);
	if (err == OK)
		err = copy_all(in, out, (uint64_t)stat.st_size, to, progress, arg);
	if (in >= 0)
		(void)close(in); /* it was only read */
	if (out >= 0)
		(void)close(out); /* synced, or no good */
	return err;
}

err_t file_link(const char *from, const char *to)
{
	return link(from, to) == 0 || errno == EEXIST ? OK : failed("cannot link", to);
}

static err_t remove_tree(const char *path, unsigned depth);

static err_t remove_inside(DIR *folder, const char *path, unsigned depth)
{
	for (struct dirent *entry; (entry = readdir(folder));) {
		char inside[PATH_MAX];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) >=
		    (int)sizeof inside)
			return ERR_LIMIT;
		TRY(remove_tree(inside, depth + 1));
	}
	return OK;
}

static err_t remove_tree(const char *path, unsigned depth)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return OK;
	if ((errno != EISDIR && errno != EPERM) || depth > DEPTH_MAX)
		return failed("cannot remove", path);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

	if (!folder)
		return failed("cannot remove", path);
	err_t err = remove_inside(folder, path, depth);

	(void)closedir(folder); /* it was only read */
	if (err == OK && rmdir(path) != 0)
		err = failed("cannot remove", path);
	return err;
}

err_t file_remove_tree(const char *path)
{
	return remove_tree(path, 0);
}
