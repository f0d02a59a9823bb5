#include <unistd.h>

#include "daemon/self.h"
#include "extractd/extractd.h"

enum { MEMORY_MAX = 512 << 20 /* of addresses, of which most are never used */ };

static void make(struct self *self)
{
	self->state = extractd_open();
}

static bool begin(struct self *self)
{
	(void)self;
	return true;
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct extractd *extractd = self->state;

	if (message->fd < 0)
		return;
	if (message->type == CHILD_SERVE)
		extractd_serve(extractd, message->fd);
	else
		(void)close(message->fd); /* not for us */
}

static void end(struct self *self)
{
	struct extractd *extractd = self->state;

	extractd_close(&extractd);
}

const struct role role_extractd = {
	.sandbox = {.powers = SANDBOX_LEAST,
		    .descriptors_max = 256,
		    .memory_max = MEMORY_MAX},
	.is_patient = true,
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
