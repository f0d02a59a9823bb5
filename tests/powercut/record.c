/* Loaded with LD_PRELOAD: records what the process asks of the disk under POWERCUT_FOLDER
 * in the file POWERCUT_TRACE (trace.h).
 *
 *   POWERCUT_FLUSH_US=N   each flush takes up to N microseconds, as on a real disk, so
 *                         that several writes and flushes are under way together
 *   POWERCUT_SITES=FILE   at the end, each place in the program that asked, and how often
 *   POWERCUT_FAIL=SITE:N:EIO|ENOSPC|kill   the Nth call at that place fails so; of a
 * write, `kill` lets one half through POWERCUT_LIE=WORD     a disk that lies (lies[]):
 * the test of the test
 */
/* Both names of each call are defined here, so none may be turned into the other. */
#undef _FILE_OFFSET_BITS

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "powercut/site.h"
#include "powercut/trace.h"
/* Nobody declares __open_2() and its like. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

/* LMDB writes up to 64 pages at once, and takes a short write for a failure. */
enum { FILES_MAX = 1024, COPY_BYTES = 1 << 16, PARTS_MAX = 128 };

struct file {
	bool is_ours, is_dsync;
	uint64_t ino;
	char path[300];
};

static struct file files[FILES_MAX];
static char folder[PATH_MAX];
static size_t folder_len;
static int trace = -1;
static unsigned flush_us;
static uint64_t flushes;
static bool lies_of_packs, lies_of_folders, lies_of_index;

/* ---- the trace --------------------------------------------------------------------- */

static void record(struct trace_record head, const struct iovec *parts, size_t count,
		   size_t length)
{
	struct iovec all[PARTS_MAX + 1] = {{&head, sizeof head}};
	size_t used = 1, left = length;

	head.length = (uint32_t)length;
	for (size_t i = 0; i < count && left > 0 && used <= PARTS_MAX; i++) {
		size_t take = parts[i].iov_len < left ? parts[i].iov_len : left;

		all[used++] = (struct iovec){parts[i].iov_base, take};
		left -= take;
	}
	if (left > 0 ||
	    syscall(SYS_writev, trace, all, used) != (long)(sizeof head + length)) {
		(void)fprintf(stderr, "powercut: the trace cannot be written\n");
		abort();
	}
}

static void record_text(enum trace_kind kind, uint64_t file, uint64_t number,
			const char *text)
{
	struct iovec part = {(void *)(uintptr_t)text, strlen(text)};

	record((struct trace_record){.kind = kind, .file = file, .number = number}, &part,
	       1, part.iov_len);
}

static bool is_inside(const char *path)
{
	size_t len = strlen(path);

	if (trace < 0 || strncmp(path, folder, folder_len) != 0 ||
	    (path[folder_len] != '/' && path[folder_len] != '\0'))
		return false;
	/* LMDB's table of readers is made anew by whoever opens it, and mapped. */
	return len < 5 || strcmp(path + len - 5, "-lock") != 0;
}

static struct file *ours(int fd)
{
	return fd >= 0 && fd < FILES_MAX && files[fd].is_ours ? &files[fd] : NULL;
}

#define CALLER __builtin_return_address(0)

/* ---- opening ----------------------------------------------------------------------- */

static void opened(int fd, const char *path, int flags, bool was_there)
{
	struct stat stat;

	if (fd < 0 || fd >= FILES_MAX || fstat(fd, &stat) != 0)
		return;
	struct file *file = &files[fd];

	*file = (struct file){.is_ours = true,
			      .is_dsync = (flags & (O_DSYNC | O_SYNC)) != 0,
			      .ino = stat.st_ino};
	(void)snprintf(file->path, sizeof file->path, "%s", path);
	if (!was_there && (flags & O_CREAT))
		record_text(TRACE_CREATE, stat.st_ino, 0, path);
	else if (flags & O_TRUNC)
		record((struct trace_record){.kind = TRACE_CUT, .file = stat.st_ino},
		       NULL, 0, 0);
}

static int open_in(const char *path, int flags, mode_t mode, void *caller)
{
	struct stat stat;

	if (!is_inside(path))
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	bool was_there = lstat(path, &stat) == 0;

	if (site_fails(flags & O_CREAT ? "create" : "open", path, caller))
		return -1;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);

	opened(fd, path, flags, was_there);
	return fd;
}

#define MODE_OF(flags)                                                                   \
	mode_t mode = 0;                                                                 \
	if ((flags) & (O_CREAT | __O_TMPFILE)) {                                         \
		va_list rest;                                                            \
		va_start(rest, flags);                                                   \
		mode = va_arg(rest, mode_t);                                             \
		va_end(rest);                                                            \
	}

int open(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_in(path, flags, mode, CALLER);
}

int open64(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return open_in(path, flags, mode, CALLER);
}

int __open_2(const char *path, int flags)
{
	return open_in(path, flags, 0, CALLER);
}

int __open64_2(const char *path, int flags)
{
	return open_in(path, flags, 0, CALLER);
}

static int openat_in(int at, const char *path, int flags, mode_t mode, void *caller)
{
	char base[PATH_MAX / 2], whole[PATH_MAX];

	if (at == AT_FDCWD || path[0] == '/')
		return open_in(path, flags, mode, caller);
	if (!ours(at))
		return (int)syscall(SYS_openat, at, path, flags, mode);
	(void)snprintf(base, sizeof base, "%s", files[at].path);
	(void)snprintf(whole, sizeof whole, "%s/%s", base, path);
	return open_in(whole, flags, mode, caller);
}

int openat(int at, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return openat_in(at, path, flags, mode, CALLER);
}

int openat64(int at, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return openat_in(at, path, flags, mode, CALLER);
}

int close(int fd)
{
	if (fd >= 0 && fd < FILES_MAX)
		files[fd].is_ours = false;
	return (int)syscall(SYS_close, fd);
}

/* ---- writing ----------------------------------------------------------------------- */

static size_t size_of(const struct iovec *parts, int count)
{
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	return size;
}

/* At a place; where < 0: where the descriptor stands. */
static ssize_t write_in(const char *call, int fd, const struct iovec *parts, int count,
			off_t where, void *caller)
{
	struct file *file = ours(fd);
	off_t at = where;
	int code = file ? site_failure(call, file->path, caller) : 0;
	struct iovec few[PARTS_MAX];

	if (code > 0) {
		errno = code;
		return -1;
	}
	if (file && count > PARTS_MAX) { /* a short write: the caller goes on */
		memcpy(few, parts, sizeof few);
		parts = few;
		count = PARTS_MAX;
	}
	if (code < 0) {
		few[0] = (struct iovec){parts[0].iov_base, size_of(parts, 1) / 2};
		parts = few;
		count = 1;
	}
	if (file && where < 0)
		at = lseek(fd, 0, SEEK_CUR);
	ssize_t n = where < 0 ? syscall(SYS_writev, fd, parts, count)
			      : syscall(SYS_pwritev, fd, parts, count, where, 0);

	if (file && n > 0)
		record((struct trace_record){.kind = TRACE_WRITE,
					     .file = file->ino,
					     .at = (uint64_t)at,
					     .number = file->is_dsync},
		       parts, (size_t)count, (size_t)n);
	if (code < 0)
		site_die();
	return n;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	struct iovec part = {(void *)(uintptr_t)bytes, len};

	return write_in("pwrite", fd, &part, 1, at, CALLER);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
	struct iovec part = {(void *)(uintptr_t)bytes, len};

	return write_in("pwrite", fd, &part, 1, at, CALLER);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	return write_in("pwritev", fd, parts, count, at, CALLER);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
	return write_in("pwritev", fd, parts, count, at, CALLER);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	struct iovec part = {(void *)(uintptr_t)bytes, len};

	if (!ours(fd))
		return syscall(SYS_write, fd, bytes, len);
	return write_in("write", fd, &part, 1, -1, CALLER);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return write_in("writev", fd, parts, count, -1, CALLER);
}

/* In the kernel: the octets are read back for the record. */
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t len,
			unsigned flags)
{
	static __thread char bytes[COPY_BYTES];
	struct file *file = ours(to);
	(void)flags; /* none is defined */

	if (!file)
		return syscall(SYS_copy_file_range, from, from_at, to, to_at, len, flags);
	if (!from_at || !to_at)
		record_text(TRACE_BLIND, file->ino, 0, "copy_file_range without places");
	ssize_t n = pread(from, bytes, len < sizeof bytes ? len : sizeof bytes,
			  from_at ? *from_at : 0);

	if (n <= 0)
		return n;
	struct iovec part = {bytes, (size_t)n};

	n = write_in("copy_file_range", to, &part, 1, to_at ? *to_at : 0, CALLER);
	if (n > 0 && from_at && to_at) {
		*from_at += n;
		*to_at += n;
	}
	return n;
}

/* ---- sizes and space --------------------------------------------------------------- */

static int cut_in(int fd, off_t size, void *caller)
{
	struct file *file = ours(fd);

	if (file && site_fails("ftruncate", file->path, caller))
		return -1;
	int result = (int)syscall(SYS_ftruncate, fd, size);

	if (file && result == 0)
		record((struct trace_record){.kind = TRACE_CUT,
					     .file = file->ino,
					     .at = (uint64_t)size},
		       NULL, 0, 0);
	return result;
}

int ftruncate(int fd, off_t size)
{
	return cut_in(fd, size, CALLER);
}

int ftruncate64(int fd, off_t size)
{
	return cut_in(fd, size, CALLER);
}

static int allocate_in(int fd, int mode, off_t at, off_t len, void *caller)
{
	struct file *file = ours(fd);
	bool is_punch = (mode & FALLOC_FL_PUNCH_HOLE) != 0;

	if (file && site_fails(is_punch ? "punch" : "fallocate", file->path, caller))
		return -1;
	int result = (int)syscall(SYS_fallocate, fd, mode, at, len);

	if (!file || result != 0)
		return result;
	if (is_punch || mode == FALLOC_FL_ZERO_RANGE)
		record((struct trace_record){.kind = TRACE_PUNCH,
					     .file = file->ino,
					     .at = (uint64_t)at,
					     .number = (uint64_t)len},
		       NULL, 0, 0);
	else if (mode == 0)
		record((struct trace_record){.kind = TRACE_ALLOCATE,
					     .file = file->ino,
					     .at = (uint64_t)(at + len)},
		       NULL, 0, 0);
	else if (mode != FALLOC_FL_KEEP_SIZE)
		record_text(TRACE_BLIND, file->ino, 0, "fallocate of an unknown kind");
	return 0;
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	return allocate_in(fd, mode, at, len, CALLER);
}

int fallocate64(int fd, int mode, off_t at, off_t len)
{
	return allocate_in(fd, mode, at, len, CALLER);
}

int posix_fallocate(int fd, off_t at, off_t len)
{
	return allocate_in(fd, 0, at, len, CALLER) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off_t at, off_t len)
{
	return allocate_in(fd, 0, at, len, CALLER) == 0 ? 0 : errno;
}

/* ---- flushing ---------------------------------------------------------------------- */

static bool is_lie(const struct file *file)
{
	struct stat stat;
	bool is_folder = lstat(file->path, &stat) == 0 && S_ISDIR(stat.st_mode);

	return (lies_of_packs && strstr(file->path, ".pack")) ||
	       (lies_of_index && strstr(file->path, "index.lmdb")) ||
	       (lies_of_folders && is_folder);
}

static int flush_in(const char *call, long number, int fd, void *caller)
{
	struct file *file = ours(fd);

	if (!file)
		return (int)syscall(number, fd);
	if (site_fails(call, file->path, caller))
		return -1;
	uint64_t flush = __atomic_add_fetch(&flushes, 1, __ATOMIC_RELAXED);
	uint64_t ino = file->ino;
	bool is_told = !is_lie(file);

	if (is_told)
		record_text(TRACE_FLUSH_BEGIN, ino, flush, file->path);
	if (flush_us)
		(void)usleep((useconds_t)(flush * 2654435761U % flush_us));
	int result = (int)syscall(number, fd);

	if (is_told && result == 0)
		record((struct trace_record){.kind = TRACE_FLUSH_END,
					     .file = ino,
					     .number = flush},
		       NULL, 0, 0);
	return result;
}

int fsync(int fd)
{
	return flush_in("fsync", SYS_fsync, fd, CALLER);
}

int fdatasync(int fd)
{
	return flush_in("fdatasync", SYS_fdatasync, fd, CALLER);
}

/* ---- names ------------------------------------------------------------------------- */

static void record_pair(enum trace_kind kind, const char *from, const char *to)
{
	struct iovec parts[] = {{(void *)(uintptr_t)from, strlen(from) + 1},
				{(void *)(uintptr_t)to, strlen(to)}};

	record((struct trace_record){.kind = kind}, parts, 2,
	       parts[0].iov_len + parts[1].iov_len);
}

int rename(const char *from, const char *to)
{
	bool is_ours = is_inside(from) || is_inside(to);

	if (is_ours && site_fails("rename", to, CALLER))
		return -1;
	int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (is_ours && result == 0)
		record_pair(TRACE_RENAME, from, to);
	return result;
}

int link(const char *from, const char *to)
{
	bool is_ours = is_inside(from) || is_inside(to);

	if (is_ours && site_fails("link", to, CALLER))
		return -1;
	int result = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (is_ours && result == 0)
		record_pair(TRACE_LINK, from, to);
	return result;
}

int unlink(const char *path)
{
	bool is_ours = is_inside(path);

	if (is_ours && site_fails("unlink", path, CALLER))
		return -1;
	int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);

	if (is_ours && result == 0)
		record_text(TRACE_UNLINK, 0, 0, path);
	return result;
}

int mkdir(const char *path, mode_t mode)
{
	struct stat stat;
	bool is_ours = is_inside(path);

	if (is_ours && site_fails("mkdir", path, CALLER))
		return -1;
	int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);

	if (is_ours && result == 0 && lstat(path, &stat) == 0)
		record_text(TRACE_CREATE, stat.st_ino, 1, path);
	return result;
}

/* ---- what cannot be followed ------------------------------------------------------- */

static void *map_in(void *at, size_t len, int protection, int flags, int fd, off_t offset,
		    void *caller)
{
	struct file *file = ours(fd);

	if (file && site_fails("mmap", file->path, caller))
		return MAP_FAILED;
	if (file && (protection & PROT_WRITE) && (flags & MAP_SHARED))
		record_text(TRACE_BLIND, file->ino, 0, "mapped for writing");
	return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	return map_in(at, len, protection, flags, fd, offset, CALLER);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	return map_in(at, len, protection, flags, fd, offset, CALLER);
}

static void blind_at(const char *call, int at)
{
	if (ours(at))
		record_text(TRACE_BLIND, 0, 0, call);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
	if (from_at == AT_FDCWD && to_at == AT_FDCWD)
		return rename(from, to);
	blind_at("renameat", from_at);
	blind_at("renameat", to_at);
	return (int)syscall(SYS_renameat2, from_at, from, to_at, to, 0);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
	if (from_at == AT_FDCWD && to_at == AT_FDCWD && flags == 0)
		return link(from, to);
	blind_at("linkat", from_at);
	blind_at("linkat", to_at);
	return (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
}

int unlinkat(int at, const char *path, int flags)
{
	if (at == AT_FDCWD && flags == 0)
		return unlink(path);
	blind_at("unlinkat", at);
	return (int)syscall(SYS_unlinkat, at, path, flags);
}

int mkdirat(int at, const char *path, mode_t mode)
{
	if (at == AT_FDCWD)
		return mkdir(path, mode);
	blind_at("mkdirat", at);
	return (int)syscall(SYS_mkdirat, at, path, mode);
}

/* ---- life -------------------------------------------------------------------------- */

static const struct {
	const char *word;
	bool *lie;
} lies[] = {
	{"packs", &lies_of_packs},     /* replies before the flush */
	{"folders", &lies_of_folders}, /* names are never durable */
	{"index", &lies_of_index},     /* nor is what the index holds */
};

__attribute__((constructor)) static void begin(void)
{
	const char *name = getenv("POWERCUT_FOLDER"), *path = getenv("POWERCUT_TRACE");
	const char *us = getenv("POWERCUT_FLUSH_US"), *fail = getenv("POWERCUT_FAIL");
	const char *lie = getenv("POWERCUT_LIE");

	if (!name || !path)
		return;
	folder_len = (size_t)snprintf(folder, sizeof folder, "%s", name);
	flush_us = us ? (unsigned)strtoul(us, NULL, 10) : 0;
	for (size_t i = 0; lie && i < sizeof lies / sizeof *lies; i++)
		if (strcmp(lie, lies[i].word) == 0)
			*lies[i].lie = true;
	if (fail)
		sites_arm(fail);
	trace = (int)syscall(SYS_openat, AT_FDCWD, path,
			     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (trace < 0)
		abort();
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("POWERCUT_SITES");

	if (path && trace >= 0)
		sites_write(path);
}
