/* smtpd's side of DIR/drop: each file it is given is a mail of a program here. */
#include <unistd.h>

#include "base/codec.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/door.h"
#include "queue/id.h"
#include "smtpd/spooled.h"

struct drop_in {
	struct door *door;
	char id[QUEUE_ID_LETTERS];
	uint32_t uid;
	int fd;
};

static void run(void *arg)
{
	struct drop_in *in = arg;
	struct door *door = in->door;
	struct str id = {in->id, sizeof in->id};
	const struct spooled spooled = {
		.service = &door->local, .fd = in->fd, .id = id, .uid = in->uid};
	SCOPED(buf_fini) struct buf body = BUF(1 + QUEUE_ID_LETTERS);

	enc_u8(&body, smtpd_spooled(&spooled));
	buf_add(&body, id);
	(void)ipc_event(door->self->control, CHILD_DROP_END, buf_str(&body),
			-1); /* else it is given again, and known */
	(void)close(in->fd);
	mem_free(in);
}

void door_take_drop(struct door *door, const struct ipc_message *message)
{
	struct drop_in *in = NEW(struct drop_in);
	struct dec dec = dec_over(message->body);

	in->door = door;
	in->fd = message->fd;
	in->uid = dec_u32(&dec);
	if (dec_ok(&dec) && dec.rest.len == sizeof in->id) {
		memcpy(in->id, dec.rest.ptr, sizeof in->id);
		if (task_start("dropped mail", run, in))
			return;
	}
	LOG(ERROR, "dropped file not taken", KV_INT("owner", in->uid));
	(void)close(in->fd);
	mem_free(in);
}
