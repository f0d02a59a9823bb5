#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/self.h"
#include "resolverd/resolverd.h"

enum { ANCHORS_BYTES_MAX = 64 * 1024 };

/* The working directory is DIR/resolver. */
static const struct sandbox_path own_folder = {".", SANDBOX_WRITE};

struct resolver_process {
	struct resolverd *resolverd;
	struct buf anchors;
	bool has_anchors;
	struct waiters opened;
};

static void make(struct self *self)
{
	struct resolver_process *process = NEW(struct resolver_process);

	process->anchors = BUF(ANCHORS_BYTES_MAX);
	self->state = process;
}

static bool begin(struct self *self)
{
	struct resolver_process *process = self->state;
	struct str path = self->conf.dns_anchors;
	const struct resolverd_options options = {
		.server = self->conf.dns_server,
		.zones = self->conf.dns_zones,
		.is_validating = !str_same(path, STR("none")),
		.anchors = buf_str(&process->anchors),
	};
	const char *why = "The file of dns.trust-anchors cannot be read.";

	if (options.is_validating && path.len > 0 && !process->has_anchors)
		LOG(ERROR, "resolver cannot begin", KV("why", why));
	else if (resolverd_open(&options, &process->resolverd, &why) != OK)
		LOG(ERROR, "resolver cannot begin", KV("why", why));
	wake_all(&process->opened);
	return process->resolverd;
}

static void read_anchors(struct resolver_process *process, int fd)
{
	char *room = buf_room(&process->anchors, ANCHORS_BYTES_MAX);
	ssize_t len = room ? read(fd, room, ANCHORS_BYTES_MAX) : -1;

	if (len > 0)
		buf_grew(&process->anchors, (size_t)len);
	process->has_anchors = len > 0;
	(void)close(fd);
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct resolver_process *process = self->state;

	if (message->fd < 0)
		return;
	if (message->type == CHILD_ANCHORS) {
		read_anchors(process, message->fd);
		return;
	}
	while (!process->resolverd && message->type == CHILD_SERVE) {
		if (wait_on(&process->opened, NEVER) != OK)
			break;
	}
	if (process->resolverd && message->type == CHILD_SERVE)
		resolverd_serve(process->resolverd, message->fd);
	else
		(void)close(message->fd);
}

static void end(struct self *self)
{
	struct resolver_process *process = self->state;

	resolverd_close(&process->resolverd);
	buf_fini(&process->anchors);
	mem_free(process);
}

const struct role role_resolverd = {
	.sandbox = {SANDBOX_FILES | SANDBOX_CONNECT, &own_folder, 1, 65536},
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
