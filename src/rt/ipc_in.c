/* The reader: one task a socket takes many frames from one read, wakes the callers whose
 * replies came, and starts a task for each other message. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/ipc_state.h"

enum {
	NO_TASK_RETRY_MS = 10,
	STRAIGHT_BYTES = 2 * IPC_READ_BYTES, /* a reply that is worth it */
};

/* A message on its way through its handler's task. */
struct job {
	struct ipc *ipc;
	struct ipc_message message;
	char body[];
};

static void job_run(void *arg)
{
	struct job *job = arg;

	struct ipc *ipc = job->ipc;

	ipc->handler(ipc, &job->message, ipc->arg);
	bool was_too_much = ipc->work_bytes > IPC_WORK_MAX;

	ipc->work_bytes -= job->message.body.len;
	if (was_too_much && ipc->work_bytes <= IPC_WORK_MAX)
		wake_all(&ipc->room);
	ipc_unref(ipc);
	mem_free(job);
}

static void close_if_any(int fd)
{
	if (fd >= 0)
		(void)close(fd); /* nobody wants it */
}

static err_t dispatch(struct ipc *ipc, struct ipc_head head, struct str body, int fd)
{
	if (!ipc->handler) {
		close_if_any(fd);
		return OK;
	}
	struct job *job = mem_grown(NULL, 1, sizeof *job + body.len);

	*job = (struct job){
		.ipc = ipc,
		.message = {head.type, head.id, {job->body, body.len}, fd},
	};
	if (body.len > 0)
		memcpy(job->body, body.ptr, body.len);
	while (!task_start(ipc->name, job_run, job)) {
		err_t err = task_sleep_ms(NO_TASK_RETRY_MS);

		if (err != OK) {
			close_if_any(fd);
			mem_free(job);
			return err;
		}
	}
	ipc->work_bytes += body.len;
	ipc->refs++;
	return OK;
}

static err_t take_fds(struct ipc *ipc, struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (ipc->in_fd_count == IPC_FDS_MAX)
				(void)close(fd); /* the count is checked below */
			else
				ipc->in_fds[ipc->in_fd_count++] = fd;
		}
	}
	bool is_whole = !(message->msg_flags & MSG_CTRUNC);

	return is_whole && ipc->in_fd_count < IPC_FDS_MAX ? OK : ERR_SYNTAX;
}

/* Room for the frame under way, and at least for some octets. */
static void make_room(struct ipc *ipc)
{
	size_t have = ipc->in_end - ipc->in_start, need = IPC_READ_BYTES;

	if (have >= IPC_HEAD_BYTES)
		need = IPC_HEAD_BYTES + ipc_head_read(ipc->in + ipc->in_start).length;
	if (need < IPC_READ_BYTES)
		need = IPC_READ_BYTES;
	if (have > 0 && ipc->in_start > 0)
		memmove(ipc->in, ipc->in + ipc->in_start, have);
	ipc->in_start = 0;
	ipc->in_end = have;
	/* Grows for a big frame, and shrinks again after it. */
	if (need > ipc->in_room || (have == 0 && ipc->in_room > IPC_READ_BYTES)) {
		ipc->in = mem_grown(ipc->in, need, 1);
		ipc->in_room = need;
	}
}

/* ---- long replies ------------------------------------------------------------------ */

/* The beginning of one is there, and its caller can take it.  The octets that are there
 * are the last. */
static bool straight_begin(struct ipc *ipc, struct ipc_head head, struct str there)
{
	struct ipc_caller *caller =
		head.length >= STRAIGHT_BYTES && head.flags == IPC_IS_REPLY
			? ipc_caller_of(ipc, head)
			: NULL;
	char *room = caller ? buf_room(caller->reply, head.length) : NULL;

	if (!room)
		return false;
	memcpy(room, there.ptr, there.len);
	ipc->straight = head;
	ipc->straight_at = there.len;
	return true;
}

/* Where the next octets go; those that come too late, nowhere in particular. */
static struct iovec straight_room(struct ipc *ipc)
{
	struct ipc_caller *caller = ipc_caller_of(ipc, ipc->straight);
	size_t left = ipc->straight.length - ipc->straight_at;

	if (!caller)
		return (struct iovec){ipc->in, num_min(left, ipc->in_room)};
	return (struct iovec){caller->reply->ptr + caller->reply->len + ipc->straight_at,
			      left};
}

static void straight_came(struct ipc *ipc, size_t len)
{
	ipc->straight_at += len;
	if (ipc->straight_at < ipc->straight.length)
		return;
	struct ipc_caller *caller = ipc_caller_of(ipc, ipc->straight);

	if (caller) {
		buf_grew(caller->reply, ipc->straight.length);
		caller->reply_type = ipc->straight.type;
		ipc_caller_finish(caller, OK);
	}
	ipc->straight = (struct ipc_head){0};
}

/* ---- reading ----------------------------------------------------------------------- */

static err_t fill(struct ipc *ipc)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec parts[2] = {0};

	make_room(ipc);
	TRY(poll_readable(&ipc->poll, NEVER));
	if (ipc->straight.length > 0)
		parts[0] = straight_room(ipc);
	if (parts[0].iov_base != ipc->in)
		parts[1] =
			(struct iovec){ipc->in + ipc->in_end, ipc->in_room - ipc->in_end};
	size_t room = parts[0].iov_len + parts[1].iov_len;
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = COUNT_OF(parts),
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t got = recvmsg(ipc->poll.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (got < 0 && errno == EINTR)
		return OK;
	if (got < 0 && errno == EAGAIN) {
		ipc->poll.is_readable = false;
		return OK;
	}
	if (got <= 0)
		return ERR_CLOSED;
	size_t straight = num_min((size_t)got, parts[0].iov_len);

	if (straight > 0)
		straight_came(ipc, straight);
	ipc->in_end += (size_t)got - straight;
	/* A short read took all there was, unless a descriptor cut it short. */
	if ((size_t)got < room && message.msg_controllen == 0 && !ipc->poll.is_hung_up)
		ipc->poll.is_readable = false;
	return take_fds(ipc, &message);
}

/* The descriptors come in the order of the frames that announce them. */
static err_t next_fd(struct ipc *ipc, struct ipc_head head, int *fd)
{
	*fd = -1;
	if (!(head.flags & IPC_HAS_FD))
		return OK;
	if (ipc->in_fd_count == 0)
		return ERR_SYNTAX;
	*fd = ipc->in_fds[0];
	ipc->in_fd_count--;
	memmove(ipc->in_fds, ipc->in_fds + 1, ipc->in_fd_count * sizeof *ipc->in_fds);
	return OK;
}

/* While our replies pile up, we take no more work from a side that does not read them.
 * Events make no replies: if they waited for that too, both sides could wait for each
 * other.  Nor do we take more than we can hold, whatever the other side has become. */
static bool is_too_much(const struct ipc *ipc, struct ipc_head head)
{
	return ipc->work_bytes > IPC_WORK_MAX ||
	       (head.id != 0 && ipc_queued(ipc) > IPC_QUEUE_HIGH);
}

static err_t wait_for_room(struct ipc *ipc, struct ipc_head head)
{
	while (ipc->is_open && is_too_much(ipc, head))
		TRY(wait_on(&ipc->room, NEVER));
	return ipc->is_open ? OK : ERR_CLOSED;
}

static err_t take_frames(struct ipc *ipc)
{
	while (ipc->in_end - ipc->in_start >= IPC_HEAD_BYTES) {
		struct ipc_head head = ipc_head_read(ipc->in + ipc->in_start);
		struct str body = {ipc->in + ipc->in_start + IPC_HEAD_BYTES, head.length};
		int fd;

		if (head.length > IPC_BODY_MAX)
			return ERR_SYNTAX;
		struct str there =
			str_first(body, ipc->in_end - ipc->in_start - IPC_HEAD_BYTES);

		if (there.len < body.len) {
			if (straight_begin(ipc, head, there))
				ipc->in_start = ipc->in_end = 0;
			break;
		}
		TRY(next_fd(ipc, head, &fd));
		ipc->in_start += IPC_HEAD_BYTES + body.len;
		if (head.flags & IPC_IS_REPLY) {
			ipc_answered(ipc, head, body, fd);
			continue;
		}
		err_t err = wait_for_room(ipc, head);

		if (err != OK) {
			close_if_any(fd);
			return err;
		}
		TRY(dispatch(ipc, head, body, fd));
	}
	return OK;
}

void ipc_reader(void *arg)
{
	struct ipc *ipc = arg;
	err_t err;

	do {
		err = fill(ipc);
		if (err == OK)
			err = take_frames(ipc);
	} while (err == OK && ipc->is_open);
	if (err == ERR_SYNTAX)
		LOG(ERROR, "malformed message", KV("ipc", ipc->name));
	/* When we stop ourselves, handlers under way may still reply. */
	if (err != ERR_CANCELED) {
		ipc_lose(ipc);
		if (!ipc->is_closed && ipc->gone)
			ipc->gone(ipc, ipc->arg);
	}
	ipc_unref(ipc);
}

void ipc_in_fini(struct ipc *ipc)
{
	while (ipc->in_fd_count > 0)
		(void)close(ipc->in_fds[--ipc->in_fd_count]); /* no frame took it */
	mem_free(ipc->in);
	ipc->in = NULL;
}
