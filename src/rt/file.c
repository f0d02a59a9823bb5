#include "rt/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "rt/fault.h"

enum { READ_BYTES = 64 * 1024, PARTS_MAX = 1024 };

static err_t failed(const char *what, const char *path)
{
	LOG(ERROR, what, KV("path", path), KV("reason", strerror(errno)));
	return ERR_IO;
}

static err_t failed_fd(const char *what, int fd)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT;

	LOG(ERROR, what, KV_INT("fd", fd), KV("reason", strerror(errno)));
	return is_full ? ERR_LIMIT : ERR_IO;
}

/* True if the site is to fail; errno says how. */
static bool is_faulty(const char *site)
{
	int fault = fault_point(site);

	if (fault > 0)
		errno = fault;
	return fault > 0;
}

static err_t read_to_end(int fd, const char *path, struct buf *content)
{
	for (;;) {
		size_t left = content->max - content->len;
		/* At the bound, one octet more tells whether the file ends there. */
		char beyond;
		size_t want = num_min(left, READ_BYTES);
		char *room = left > 0 ? buf_room(content, want) : &beyond;
		ssize_t got = read(fd, room, left > 0 ? want : 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || is_faulty("file.read"))
			return failed("cannot read", path);
		if (got == 0)
			return OK;
		if (left == 0)
			return ERR_LIMIT;
		buf_grew(content, (size_t)got);
	}
}

err_t file_read(const char *path, struct buf *content)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return ERR_ABSENT;
	if (fd < 0)
		return failed("cannot open", path);
	err_t err = read_to_end(fd, path, content);

	(void)close(fd); /* only read */
	return err;
}

err_t file_pread_all(int fd, void *bytes, size_t len, uint64_t at)
{
	char *to = bytes;

	while (len > 0) {
		ssize_t got = pread(fd, to, len, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || is_faulty("file.read"))
			return failed_fd("cannot read", fd);
		if (got == 0)
			return ERR_SYNTAX;
		to += got;
		at += (uint64_t)got;
		len -= (size_t)got;
	}
	return OK;
}

/* Where the writing goes: at a place, or (NO_PLACE) where the descriptor stands. */
#define NO_PLACE UINT64_MAX

static ssize_t write_once(int fd, const struct iovec *parts, size_t count, uint64_t at)
{
	int n = (int)num_min(count, PARTS_MAX);

	if (at == NO_PLACE)
		return writev(fd, parts, n);
	return pwritev(fd, parts, n, (off_t)at);
}

/* write_once(), or what is asked instead of it. */
static ssize_t write_some(int fd, const struct iovec *parts, size_t count, uint64_t at)
{
	int fault = fault_point("file.write");

	if (fault == 0)
		return write_once(fd, parts, count, at);
	if (fault > 0) {
		errno = fault;
		return -1;
	}
	struct iovec half = {parts->iov_base, (parts->iov_len + 1) / 2};
	ssize_t written = write_once(fd, &half, 1, at);

	if (fault == FAULT_TORN)
		(void)raise(SIGKILL); /* does not return */
	return written;
}

static void skip_written(struct iovec **parts, size_t *count, size_t written)
{
	while (*count > 0 && written >= (*parts)->iov_len) {
		written -= (*parts)->iov_len;
		(*parts)++;
		(*count)--;
	}
	if (written > 0) {
		(*parts)->iov_base = (char *)(*parts)->iov_base + written;
		(*parts)->iov_len -= written;
	}
}

err_t file_pwritev_all(int fd, struct iovec *parts, size_t count, uint64_t at)
{
	skip_written(&parts, &count, 0);
	while (count > 0) {
		ssize_t written = write_some(fd, parts, count, at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return failed_fd("cannot write", fd);
		if (at != NO_PLACE)
			at += (uint64_t)written;
		skip_written(&parts, &count, (size_t)written);
	}
	return OK;
}

err_t file_writev_all(int fd, struct iovec *parts, size_t count)
{
	return file_pwritev_all(fd, parts, count, NO_PLACE);
}

err_t file_pwrite_all(int fd, struct str bytes, uint64_t at)
{
	struct iovec part = {(void *)(uintptr_t)bytes.ptr, bytes.len};

	return file_pwritev_all(fd, &part, 1, at);
}

err_t file_write_all(int fd, struct str bytes)
{
	return file_pwrite_all(fd, bytes, NO_PLACE);
}

err_t file_sync(int fd)
{
	if (is_faulty("file.sync") || fsync(fd) != 0)
		return failed_fd("cannot sync", fd);
	return OK;
}

err_t file_sync_data(int fd)
{
	if (is_faulty("file.sync") || fdatasync(fd) != 0)
		return failed_fd("cannot sync", fd);
	return OK;
}

err_t file_sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return failed("cannot open", path);
	bool is_synced = !is_faulty("file.sync_folder") && fsync(fd) == 0;
	err_t err = is_synced ? OK : failed("cannot sync", path);

	(void)close(fd); /* synced or not is known */
	return err;
}

/* The folder that the path's last part is in. */
static void folder_of(const char *path, char folder[PATH_MAX])
{
	struct str whole = str_c(path);

	while (whole.len > 1 && whole.ptr[whole.len - 1] == '/')
		whole.len--;
	size_t slash = str_rfind_byte(whole, '/');
	struct str found = slash == whole.len ? STR(".")
			   : slash == 0       ? STR("/")
					      : str_first(whole, slash);

	ASSERT(str_to_c(found, folder, PATH_MAX));
}

static err_t sync_folder_of(const char *path)
{
	char folder[PATH_MAX];

	folder_of(path, folder);
	return file_sync_folder(folder);
}

err_t file_rename(const char *from, const char *to)
{
	char from_folder[PATH_MAX], to_folder[PATH_MAX];

	if (is_faulty("file.rename") || rename(from, to) != 0)
		return errno == ENOENT ? ERR_ABSENT : failed("cannot rename", from);
	folder_of(from, from_folder);
	folder_of(to, to_folder);
	TRY(file_sync_folder(to_folder));
	return strcmp(from_folder, to_folder) == 0 ? OK : file_sync_folder(from_folder);
}

static err_t create_with(const char *path, struct str content, mode_t mode)
{
	int fd = -1;

	if (!is_faulty("file.create"))
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			  mode);
	if (fd < 0)
		return failed("cannot create", path);
	err_t err = fchmod(fd, mode) == 0 ? OK : failed("cannot set the mode of", path);

	if (err == OK)
		err = file_write_all(fd, content);
	if (err == OK)
		err = file_sync(fd);
	(void)close(fd); /* synced or not is known */
	return err;
}

err_t file_replace(const char *path, struct str content, mode_t mode)
{
	char fresh[PATH_MAX];
	int len = snprintf(fresh, sizeof fresh, "%s.new", path);

	if (len < 0 || (size_t)len >= sizeof fresh)
		return ERR_LIMIT;
	TRY(create_with(fresh, content, mode));
	return file_rename(fresh, path);
}

err_t file_make_folder(const char *path, mode_t mode)
{
	if (is_faulty("file.mkdir") || mkdir(path, mode) != 0)
		return errno == EEXIST ? OK : failed("cannot make the folder", path);
	return sync_folder_of(path);
}

err_t file_remove(const char *path)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return OK;
	return failed("cannot remove", path);
}
