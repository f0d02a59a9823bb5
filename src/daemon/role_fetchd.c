#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/self.h"
#include "fetchd/fetchd.h"

enum { ROOTS_BYTES_MAX = 1024 * 1024 };

struct fetch_process {
	struct fetchd *fetchd;
	struct buf roots;
};

static void make(struct self *self)
{
	struct fetch_process *process = NEW(struct fetch_process);

	process->roots = BUF(ROOTS_BYTES_MAX);
	self->state = process;
}

static void read_roots(struct fetch_process *process, int fd)
{
	char *room = buf_room(&process->roots, ROOTS_BYTES_MAX);
	ssize_t len = 1;

	while (room && len > 0 && process->roots.len < ROOTS_BYTES_MAX) {
		len = read(fd, room + process->roots.len,
			   ROOTS_BYTES_MAX - process->roots.len);
		if (len > 0)
			buf_grew(&process->roots, (size_t)len);
	}
	(void)close(fd);
}

/* The supervisor sends the file before CHILD_GO; without it nobody is trusted, and
 * nothing can be fetched. */
static bool begin(struct self *self)
{
	struct fetch_process *process = self->state;

	if (process->roots.len == 0)
		LOG(WARN, "nobody is trusted, nothing can be fetched");
	return true;
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct fetch_process *process = self->state;

	if (message->fd < 0)
		return;
	if (message->type == CHILD_ROOTS && process->roots.len == 0) {
		read_roots(process, message->fd);
		return;
	}
	if (message->type != CHILD_SERVE) {
		(void)close(message->fd);
		return;
	}
	if (!process->fetchd)
		process->fetchd = fetchd_open(&process->roots);
	fetchd_serve(process->fetchd, message->fd);
}

static void end(struct self *self)
{
	struct fetch_process *process = self->state;

	fetchd_close(&process->fetchd);
	buf_fini(&process->roots);
	mem_free(process);
}

const struct role role_fetchd = {
	.sandbox = {SANDBOX_CONNECT, NULL, 0, 4096},
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
