#include "storage/unclean.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "rt/panic.h"

/* Its first octet is the count; the second is there after a crash. */
enum { COUNT_MAX = 9, CRASHED_AT = 1 };

static const char crashed = 'c';

void unclean_open(struct unclean *unclean, const char *path)
{
	unclean->path = mem_zeroed(strlen(path) + 1, 1);
	memcpy(unclean->path, path, strlen(path));
	unclean->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	panic_mark(unclean->fd, CRASHED_AT, crashed);
}

static void put(struct unclean *unclean, unsigned count, bool has_crashed)
{
	char byte = (char)('0' + num_min(count, COUNT_MAX));

	if (unclean->fd < 0 || pwrite(unclean->fd, &byte, 1, 0) != 1 ||
	    (!has_crashed && ftruncate(unclean->fd, CRASHED_AT) != 0))
		LOG(WARN, "start not counted", KV("path", unclean->path));
}

struct unclean_starts unclean_count(struct unclean *unclean)
{
	struct unclean_starts found = {0};
	char bytes[2] = "";

	if (unclean->fd >= 0 && pread(unclean->fd, bytes, sizeof bytes, 0) > 0 &&
	    is_ascii_digit((unsigned char)bytes[0]))
		found.count = (unsigned)(bytes[0] - '0');
	found.has_crashed = bytes[CRASHED_AT] == crashed;
	put(unclean, found.count + 1, found.has_crashed);
	return found;
}

void unclean_begin_again(struct unclean *unclean)
{
	put(unclean, 1, false);
}

void unclean_close(struct unclean *unclean, bool is_good)
{
	if (!unclean->path)
		return;
	panic_mark(-1, 0, 0);
	if (is_good)
		(void)unlink(unclean->path); /* else one more is counted */
	if (unclean->fd >= 0)
		(void)close(unclean->fd);
	mem_free(unclean->path);
	*unclean = (struct unclean){.fd = -1};
}
