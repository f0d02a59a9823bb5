#include "db/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "rt/fault.h"

static err_t failed(const char *call, int code)
{
	char text[128];

	LOG(ERROR, "disk failed", KV("call", call),
	    KV("error", strerror_r(code, text, sizeof text)));
	return code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_LIMIT : ERR_IO;
}

/* Moves past n written octets; returns how many pieces are done with. */
static size_t pieces_skip(struct iovec *pieces, size_t count, size_t n)
{
	size_t done = 0;

	while (done < count && n >= pieces[done].iov_len)
		n -= pieces[done++].iov_len;
	if (done < count) {
		pieces[done].iov_base = (char *)pieces[done].iov_base + n;
		pieces[done].iov_len -= n;
	}
	return done;
}

/* Half of the first piece, where a test asks for it. */
static ssize_t write_half(int fd, const struct iovec *pieces, uint64_t offset, int fault)
{
	ssize_t n =
		pwrite(fd, pieces->iov_base, (pieces->iov_len + 1) / 2, (off_t)offset);

	if (fault == FAULT_TORN)
		(void)raise(SIGKILL); /* does not return */
	return n;
}

err_t disk_write(int fd, struct iovec *pieces, size_t count, uint64_t offset)
{
	while (count > 0) {
		int now = (int)num_min(count, IOV_MAX);
		int fault = fault_point("pack.write");

		if (fault > 0 && fault != EINTR)
			return failed("pwritev", fault);
		ssize_t n = fault < 0 ? write_half(fd, pieces, offset, fault)
				      : pwritev(fd, pieces, now, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed("pwritev", errno);
		size_t done = pieces_skip(pieces, count, (size_t)n);

		pieces += done;
		count -= done;
		offset += (uint64_t)n;
	}
	return OK;
}

err_t disk_flush(int fd)
{
	int fault = fault_point("pack.flush");

	if (fault > 0)
		return failed("fdatasync", fault);
	return fdatasync(fd) != 0 ? failed("fdatasync", errno) : OK;
}

err_t disk_flush_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return failed("open folder", errno);
	err_t err = fsync(fd) != 0 ? failed("fsync folder", errno) : OK;

	(void)close(fd); /* read-only: nothing to lose */
	return err;
}

err_t disk_allocate(int fd, uint64_t from, uint64_t size)
{
	int fault = fault_point("pack.allocate");
	int code = fault > 0 ? fault
			     : posix_fallocate(fd, (off_t)from, (off_t)(size - from));

	return code ? failed("fallocate", code) : OK;
}

err_t disk_punch(int fd, uint64_t offset, uint64_t len)
{
	int fault = fault_point("pack.punch");

	if (fault > 0)
		return failed("fallocate", fault);
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
		      (off_t)len) == 0)
		return OK;
	return errno == EOPNOTSUPP || errno == ENOSYS ? ERR_DENIED
						      : failed("fallocate", errno);
}

err_t disk_read(int fd, void *bytes, size_t len, uint64_t offset, size_t *got)
{
	*got = 0;
	while (*got < len) {
		ssize_t n = pread(fd, (char *)bytes + *got, len - *got,
				  (off_t)(offset + *got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed("pread", errno);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return OK;
}

err_t disk_cut(int fd, uint64_t size)
{
	int fault = fault_point("pack.cut");

	if (fault > 0)
		return failed("ftruncate", fault);
	if (ftruncate(fd, (off_t)size) != 0)
		return failed("ftruncate", errno);
	return fsync(fd) != 0 ? failed("fsync", errno) : OK;
}

void disk_forget_cache(int fd)
{
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); /* a hint; scanning checks */
}

bool disk_is_used_up(int fd)
{
	enum { WRITE_MAX = 8 << 20 };
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < WRITE_MAX;
}
