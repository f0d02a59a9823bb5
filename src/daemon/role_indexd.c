#include <unistd.h>

#include "base/mem.h"
#include "daemon/self.h"
#include "extract/extract.h"
#include "indexd/indexd.h"

static void make(struct self *self)
{
	struct indexd *indexd = NEW(struct indexd);

	indexd->store = store_open(-1);
	indexd->extract = extract_open(-1);
	self->state = indexd;
}

static bool begin(struct self *self)
{
	struct indexd *indexd = self->state;

	indexd->are_attachments_searched = self->conf.are_attachments_searched;
	return task_start("index", indexd_task, indexd);
}

static void take(struct self *self, const struct ipc_message *message)
{
	struct indexd *indexd = self->state;

	if (message->fd < 0)
		return;
	if (message->type == CHILD_STORE)
		store_reconnect(indexd->store, message->fd);
	else if (message->type == CHILD_EXTRACT)
		extract_reconnect(indexd->extract, message->fd);
	else
		(void)close(message->fd); /* not for us */
}

static void end(struct self *self)
{
	struct indexd *indexd = self->state;

	store_close(&indexd->store);
	extract_close(&indexd->extract);
	mem_free(indexd);
}

const struct role role_indexd = {
	.sandbox = {.descriptors_max = 64},
	.is_patient = true,
	.make = make,
	.begin = begin,
	.take = take,
	.end = end,
};
