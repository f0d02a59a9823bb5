/* slowflush: a library to be loaded before others (LD_PRELOAD) into programs that are
 * measured as if their disk were slow.  Each flush, and each write to a descriptor that
 * flushes by itself, takes FLUSH_DELAY_US longer.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static long delay_us(void)
{
	static long known = -1;

	if (known < 0) {
		const char *words = getenv("FLUSH_DELAY_US");

		known = words ? atol(words) : 0;
	}
	return known;
}

static void wait_for_disk(void)
{
	long us = delay_us();
	struct timespec t = {us / 1000000, us % 1000000 * 1000};

	if (us > 0)
		(void)nanosleep(&t, NULL);
}

static int next_flush(const char *name, int fd)
{
	union {
		void *found;
		int (*flush)(int);
	} next = {dlsym(RTLD_NEXT, name)};

	wait_for_disk();
	return next.flush(fd);
}

int fsync(int fd)
{
	return next_flush("fsync", fd);
}

int fdatasync(int fd)
{
	return next_flush("fdatasync", fd);
}

static void flushed_by_itself(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && (flags & O_DSYNC))
		wait_for_disk();
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	union {
		void *found;
		ssize_t (*pwrite)(int, const void *, size_t, off_t);
	} next = {dlsym(RTLD_NEXT, "pwrite")};

	flushed_by_itself(fd);
	return next.pwrite(fd, bytes, len, at);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
	union {
		void *found;
		ssize_t (*write)(int, const void *, size_t);
	} next = {dlsym(RTLD_NEXT, "write")};

	flushed_by_itself(fd);
	return next.write(fd, bytes, len);
}
