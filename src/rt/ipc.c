#include "rt/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "rt/ipc_state.h"

enum {
	SLOT_BITS = 20,
	SOCKET_BYTES = 212992, /* what Linux gives to anybody; it allows twice that */
};

struct ipc *ipc_open(const char *name, int fd, ipc_handler *handler, ipc_gone *gone,
		     void *arg)
{
	struct ipc *ipc = NEW(struct ipc);
	int flags = fcntl(fd, F_GETFL);

	ASSERT(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
	*ipc = (struct ipc){
		.name = name,
		.handler = handler,
		.gone = gone,
		.arg = arg,
		.refs = 2, /* the owner's and the reader's */
		.is_open = true,
		.out = BUF(IPC_QUEUE_MAX),
	};
	ASSERT(poll_open(&ipc->poll, fd) == OK);
	ASSERT(task_start("ipc reader", ipc_reader, ipc));
	return ipc;
}

void ipc_unref(struct ipc *ipc)
{
	if (--ipc->refs > 0)
		return;
	ipc_out_fini(ipc);
	ipc_in_fini(ipc);
	mem_free(ipc->slots);
	mem_free(ipc);
}

void ipc_caller_finish(struct ipc_caller *caller, err_t err)
{
	caller->err = err;
	caller->is_done = true;
	wake_all(&caller->waiters);
}

void ipc_lose(struct ipc *ipc)
{
	if (!ipc->is_open)
		return;
	ipc->is_open = false;
	for (size_t i = 0; i < ipc->slot_count; i++)
		if (ipc->slots[i].caller && !ipc->slots[i].caller->is_done)
			ipc_caller_finish(ipc->slots[i].caller, ERR_CLOSED);
	wake_all_with(&ipc->room, ERR_CLOSED);
	/* The reader may not be reading (wait_for_room()) or not know yet. */
	ipc->poll.is_readable = true;
	wake_all(&ipc->poll.readers);
	wake_all(&ipc->poll.writers);
}

void ipc_close(struct ipc **ipc_ptr)
{
	struct ipc *ipc = *ipc_ptr;

	if (!ipc)
		return;
	*ipc_ptr = NULL;
	ipc->is_closed = true;
	ipc_flush(ipc); /* what still leaves at once, leaves */
	ipc_lose(ipc);
	int fd = ipc->poll.fd;

	poll_close(&ipc->poll);
	(void)close(fd); /* what mattered was answered */
	ipc_out_fini(ipc);
	ipc_unref(ipc);
}

bool ipc_is_open(const struct ipc *ipc)
{
	return ipc->is_open;
}

static void caller_add(struct ipc *ipc, struct ipc_caller *caller)
{
	size_t slot;

	if (ipc->slot_free) {
		slot = ipc->slot_free - 1;
		ipc->slot_free = ipc->slots[slot].next_free;
	} else {
		MEM_ROOM(ipc->slots, ipc->slot_count, ipc->slot_room);
		slot = ipc->slot_count++;
	}
	ASSERT(slot < (size_t)1 << SLOT_BITS); /* TASKS_MAX tasks cannot need more */
	caller->id = ++ipc->last_serial << SLOT_BITS | slot;
	ipc->slots[slot].caller = caller;
}

struct ipc_caller *ipc_caller_of(struct ipc *ipc, struct ipc_head head)
{
	size_t slot = head.id & ((1u << SLOT_BITS) - 1);
	struct ipc_caller *caller =
		slot < ipc->slot_count ? ipc->slots[slot].caller : NULL;

	return caller && caller->id == head.id && !caller->is_done ? caller : NULL;
}

static void caller_remove(struct ipc *ipc, struct ipc_caller *caller)
{
	size_t slot = caller->id & ((1u << SLOT_BITS) - 1);

	ipc->slots[slot] = (struct ipc_slot){NULL, ipc->slot_free};
	ipc->slot_free = slot + 1;
}

void ipc_answered(struct ipc *ipc, struct ipc_head head, struct str body, int fd)
{
	struct ipc_caller *caller = ipc_caller_of(ipc, head);

	if (!caller) { /* too late: it has given up */
		if (fd >= 0)
			(void)close(fd); /* nobody wants it */
		return;
	}
	buf_add(caller->reply, body);
	caller->reply_type = head.type;
	caller->reply_fd = fd;
	ipc_caller_finish(caller, buf_ok(caller->reply) ? OK : ERR_LIMIT);
}

/* Waits until a frame may be queued. */
static err_t wait_to_send(struct ipc *ipc, size_t len, deadline_t deadline)
{
	if (len > IPC_BODY_MAX)
		return ERR_LIMIT;
	while (ipc->is_open && ipc_queued(ipc) > IPC_QUEUE_HIGH)
		TRY(wait_on(&ipc->room, deadline));
	return ipc->is_open ? OK : ERR_CLOSED;
}

/* What is asked, in one piece or in two. */
struct question {
	uint16_t type;
	struct str body, more;
	int fd;
};

static err_t call(struct ipc *ipc, const struct question *question, deadline_t deadline,
		  struct ipc_caller *caller)
{
	TRY(wait_to_send(ipc, question->body.len + question->more.len, deadline));
	caller_add(ipc, caller);
	err_t err = ipc_queue(ipc,
			      (struct ipc_head){.type = question->type, .id = caller->id},
			      question->body, question->more, question->fd);

	if (err == OK && !caller->is_done)
		err = wait_on(&caller->waiters, deadline);
	caller_remove(ipc, caller);
	/* It may have come in the very turn that its wait ended. */
	return caller->is_done ? caller->err : err;
}

static err_t ask(struct ipc *ipc, const struct question *question, deadline_t deadline,
		 uint16_t *reply_type, struct buf *reply, int *reply_fd)
{
	struct ipc_caller caller = {.reply = reply, .reply_fd = -1};

	ipc->refs++;
	err_t err = call(ipc, question, deadline, &caller);

	ipc_unref(ipc);
	*reply_type = caller.reply_type;
	if (reply_fd)
		*reply_fd = -1;
	if (err == OK && reply_fd)
		*reply_fd = caller.reply_fd;
	else if (caller.reply_fd >= 0)
		(void)close(caller.reply_fd); /* nobody wants it */
	return err;
}

err_t ipc_call(struct ipc *ipc, uint16_t type, struct str body, int fd,
	       deadline_t deadline, uint16_t *reply_type, struct buf *reply,
	       int *reply_fd)
{
	const struct question question = {type, body, STR(""), fd};

	return ask(ipc, &question, deadline, reply_type, reply, reply_fd);
}

err_t ipc_call_two(struct ipc *ipc, uint16_t type, struct str body, struct str more,
		   deadline_t deadline, uint16_t *reply_type, struct buf *reply)
{
	const struct question question = {type, body, more, -1};

	return ask(ipc, &question, deadline, reply_type, reply, NULL);
}

err_t ipc_event(struct ipc *ipc, uint16_t type, struct str body, int fd)
{
	ipc->refs++;
	err_t err = wait_to_send(ipc, body.len, NEVER);

	if (err == OK)
		err = ipc_queue(ipc, (struct ipc_head){.type = type}, body, STR(""), fd);
	ipc_unref(ipc);
	return err;
}

void ipc_reply(struct ipc *ipc, uint64_t id, uint16_t type, struct str body, int fd)
{
	struct ipc_head head = {.type = type, .flags = IPC_IS_REPLY, .id = id};

	if (ipc_queue(ipc, head, body, STR(""), fd) == ERR_IO)
		(void)ipc_queue(ipc, head, body, STR(""),
				-1); /* fails only if nobody is left */
}

err_t ipc_pair(int fds[2])
{
	const int octets = SOCKET_BYTES;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		LOG(ERROR, "cannot make a socket pair", KV("reason", strerror(errno)));
		return ERR_IO;
	}
	/* So that a page of a body fits as a whole; it may fail: then it is slower. */
	for (int i = 0; i < 2; i++)
		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets);
	return OK;
}
