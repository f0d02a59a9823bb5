/* The output queue: frames are appended to one buffer and leave in one write at the end
 * of the turn.  A descriptor travels with the first octet of its frame, so a write begins
 * there. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "rt/ipc_state.h"

enum {
	AT_ONCE_BYTES = 64 * 1024,
	FLUSH_EARLY_BYTES = 256 * 1024,
	QUEUE_KEEP_BYTES = 256 * 1024,
	COMPACT_BYTES = 1024 * 1024,
};

size_t ipc_queued(const struct ipc *ipc)
{
	return ipc->out.len - ipc->out_sent;
}

static ssize_t send_with_fd(int fd, struct str bytes, int carried)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {(void *)(uintptr_t)bytes.ptr, bytes.len};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(rights), &carried, sizeof carried);
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One write, up to where the next descriptor must begin. */
static ssize_t send_some(struct ipc *ipc)
{
	size_t at = ipc->out_fds_sent;
	bool has_fd = at < ipc->out_fd_count && ipc->out_fds[at].at == ipc->out_sent;
	size_t after = has_fd ? at + 1 : at;
	size_t until = after < ipc->out_fd_count ? ipc->out_fds[after].at : ipc->out.len;
	struct str bytes = {ipc->out.ptr + ipc->out_sent, until - ipc->out_sent};

	if (!has_fd)
		return send(ipc->poll.fd, bytes.ptr, bytes.len,
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	ssize_t sent = send_with_fd(ipc->poll.fd, bytes, ipc->out_fds[at].fd);

	if (sent > 0) {
		(void)close(ipc->out_fds[at].fd); /* the other side has it now */
		ipc->out_fds_sent++;
	}
	return sent;
}

static void all_sent(struct ipc *ipc)
{
	buf_reset(&ipc->out);
	if (ipc->out.room > QUEUE_KEEP_BYTES)
		buf_release(&ipc->out);
	ipc->out_sent = ipc->out_fd_count = ipc->out_fds_sent = 0;
}

/* A queue that is never empty must not keep what has left.  At least as much has left as
 * is moved, so each octet is moved once on average. */
static void compact(struct ipc *ipc)
{
	size_t gone = ipc->out_sent, count = ipc->out_fd_count - ipc->out_fds_sent;

	if (gone < COMPACT_BYTES || gone < ipc->out.len / 2)
		return;
	buf_drop_front(&ipc->out, gone);
	for (size_t i = 0; i < count; i++) {
		ipc->out_fds[i] = ipc->out_fds[ipc->out_fds_sent + i];
		ipc->out_fds[i].at -= gone;
	}
	ipc->out_fd_count = count;
	ipc->out_sent = ipc->out_fds_sent = 0;
}

/* Waits for the other side to read; there is one only while the queue is stuck. */
static void writer(void *arg)
{
	struct ipc *ipc = arg;

	while (ipc->is_open && ipc_queued(ipc) > 0) {
		if (poll_writable(&ipc->poll, NEVER) != OK)
			break;
		ipc_flush(ipc);
	}
	ipc->has_writer = false;
	ipc_unref(ipc);
}

static void flush_deferred(void *arg);

static void flush_later(struct ipc *ipc)
{
	if (ipc->is_flush_due)
		return;
	ipc->is_flush_due = true;
	ipc->refs++;
	loop_defer(flush_deferred, ipc);
}

static void flush_when_writable(struct ipc *ipc)
{
	if (ipc->has_writer || ipc->is_closed)
		return;
	if (!task_start("ipc writer", writer, ipc)) {
		flush_later(ipc); /* no task is free: try again next turn */
		return;
	}
	ipc->has_writer = true;
	ipc->refs++;
}

void ipc_flush(struct ipc *ipc)
{
	while (ipc->is_open && ipc_queued(ipc) > 0) {
		ssize_t sent = send_some(ipc);

		if (sent >= 0) {
			ipc->out_sent += (size_t)sent;
		} else if (errno == EAGAIN) {
			ipc->poll.is_writable = false;
			flush_when_writable(ipc);
			break;
		} else if (errno != EINTR) {
			ipc_lose(ipc);
			return;
		}
	}
	if (ipc_queued(ipc) == 0)
		all_sent(ipc);
	else
		compact(ipc);
	if (ipc_queued(ipc) < IPC_QUEUE_HIGH)
		wake_all(&ipc->room);
}

static void flush_deferred(void *arg)
{
	struct ipc *ipc = arg;

	ipc->is_flush_due = false;
	if (!ipc->has_writer)
		ipc_flush(ipc);
	ipc_unref(ipc);
}

/* A frame, as it travels. */
struct frame {
	char head[IPC_HEAD_BYTES];
	struct str pieces[3]; /* the head, and the body in two */
	size_t len;
};

/* What much is to be said leaves without being copied to the queue, as far as the socket
 * takes it.  Returns how far. */
static size_t send_at_once(struct ipc *ipc, const struct frame *frame)
{
	struct iovec parts[COUNT_OF(frame->pieces)];
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = COUNT_OF(parts)};
	ssize_t sent;

	if (frame->len < AT_ONCE_BYTES || ipc_queued(ipc) > 0 || !ipc->poll.is_writable)
		return 0;
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		parts[i] = (struct iovec){(void *)(uintptr_t)frame->pieces[i].ptr,
					  frame->pieces[i].len};
	do
		sent = sendmsg(ipc->poll.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && errno != EAGAIN)
		return 0; /* the next attempt will see it, too */
	if (sent < (ssize_t)frame->len)
		ipc->poll.is_writable = false;
	return sent > 0 ? (size_t)sent : 0;
}

static void frame_add(char *room, const struct frame *frame, size_t skip)
{
	for (size_t i = 0; i < COUNT_OF(frame->pieces); i++) {
		struct str rest = str_skip(frame->pieces[i], skip);

		skip -= frame->pieces[i].len - rest.len;
		if (rest.len > 0)
			memcpy(room, rest.ptr, rest.len);
		room += rest.len;
	}
}

static err_t add_fd(struct ipc *ipc, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0) {
		LOG(ERROR, "cannot pass a descriptor", KV("ipc", ipc->name),
		    KV("reason", strerror(errno)));
		return ERR_IO;
	}
	MEM_ROOM(ipc->out_fds, ipc->out_fd_count, ipc->out_fd_room);
	ipc->out_fds[ipc->out_fd_count++] = (struct ipc_out_fd){ipc->out.len, copy};
	return OK;
}

err_t ipc_queue(struct ipc *ipc, struct ipc_head head, struct str body, struct str more,
		int fd)
{
	struct frame frame;

	if (!ipc->is_open)
		return ERR_CLOSED;
	head.length = (uint32_t)(body.len + more.len);
	ASSERT(body.len + more.len <= IPC_BODY_MAX);
	if (fd >= 0) {
		TRY(add_fd(ipc, fd));
		head.flags |= IPC_HAS_FD;
	}
	ipc_head_write(frame.head, head);
	frame.pieces[0] = (struct str){frame.head, sizeof frame.head};
	frame.pieces[1] = body;
	frame.pieces[2] = more;
	frame.len = IPC_HEAD_BYTES + head.length;
	size_t sent = fd < 0 ? send_at_once(ipc, &frame) : 0;
	size_t left = frame.len - sent;

	if (left == 0)
		return OK;
	char *room = buf_room(&ipc->out, left);

	if (!room) {
		LOG(ERROR, "the other side does not read", KV("ipc", ipc->name));
		ipc_lose(ipc);
		return ERR_CLOSED;
	}
	frame_add(room, &frame, sent);
	buf_grew(&ipc->out, left);
	if (!ipc->poll.is_writable)
		flush_when_writable(ipc);
	else if (ipc_queued(ipc) >= FLUSH_EARLY_BYTES)
		ipc_flush(ipc);
	else
		flush_later(ipc);
	return OK;
}

void ipc_out_fini(struct ipc *ipc)
{
	while (ipc->out_fds_sent < ipc->out_fd_count)
		(void)close(ipc->out_fds[ipc->out_fds_sent++].fd); /* never left */
	mem_free(ipc->out_fds);
	ipc->out_fds = NULL;
	ipc->out_fd_count = ipc->out_fd_room = ipc->out_fds_sent = ipc->out_sent = 0;
	buf_release(&ipc->out);
}
