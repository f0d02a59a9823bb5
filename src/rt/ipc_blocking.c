/* ipc_call_blocking(): for a socket used for nothing else. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "rt/clock.h"
#include "rt/ipc_state.h"

static err_t await(int fd, short events, uint64_t until_ms)
{
	struct pollfd one = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now = clock_monotonic_ms();

		if (now >= until_ms)
			return ERR_TIMEOUT;
		uint64_t wait = until_ms - now;
		int ready = poll(&one, 1, wait > 60000 ? 60000 : (int)wait);

		if (ready > 0)
			return OK;
		if (ready < 0 && errno != EINTR)
			return ERR_IO;
	}
}

static err_t send_all(int fd, struct str bytes, uint64_t until_ms)
{
	while (bytes.len > 0) {
		ssize_t sent =
			send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0)
			bytes = str_skip(bytes, (size_t)sent);
		else if (errno == EAGAIN)
			TRY(await(fd, POLLOUT, until_ms));
		else if (errno != EINTR)
			return ERR_CLOSED;
	}
	return OK;
}

static err_t recv_all(int fd, char *at, size_t len, uint64_t until_ms)
{
	while (len > 0) {
		ssize_t got = recv(fd, at, len, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			return ERR_CLOSED;
		if (got < 0) {
			TRY(await(fd, POLLIN, until_ms));
			continue;
		}
		at += got;
		len -= (size_t)got;
	}
	return OK;
}

static err_t recv_frame(int fd, uint64_t until_ms, struct ipc_head *head,
			struct buf *body)
{
	char bytes[IPC_HEAD_BYTES];

	TRY(await(fd, POLLIN, until_ms));
	TRY(recv_all(fd, bytes, sizeof bytes, until_ms));
	*head = ipc_head_read(bytes);
	char *room = head->length <= IPC_BODY_MAX ? buf_room(body, head->length) : NULL;

	if (!room && head->length > 0)
		return ERR_LIMIT;
	TRY(recv_all(fd, room, head->length, until_ms));
	buf_grew(body, head->length);
	return OK;
}

static err_t exchange(int fd, struct ipc_head head, struct str body, uint64_t until_ms,
		      struct ipc_head *answer, struct buf *reply)
{
	char bytes[IPC_HEAD_BYTES];
	size_t before = reply->len;

	ipc_head_write(bytes, head);
	TRY(send_all(fd, (struct str){bytes, sizeof bytes}, until_ms));
	TRY(send_all(fd, body, until_ms));
	do {
		buf_cut(reply, before); /* an answer that came too late for its call */
		TRY(recv_frame(fd, until_ms, answer, reply));
	} while (!(answer->flags & IPC_IS_REPLY) || answer->id != head.id);
	return OK;
}

err_t ipc_call_blocking(int fd, uint16_t type, struct str body, uint64_t timeout_ms,
			uint16_t *reply_type, struct buf *reply)
{
	static uint64_t last_id;
	struct ipc_head answer = {0};
	uint64_t id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);

	*reply_type = 0;
	if (body.len > IPC_BODY_MAX)
		return ERR_LIMIT;
	struct ipc_head head = {.length = (uint32_t)body.len, .type = type, .id = id};
	err_t err = exchange(fd, head, body, clock_monotonic_ms() + timeout_ms, &answer,
			     reply);

	/* Where the next frame begins is not known any more. */
	if (err != OK)
		(void)shutdown(fd, SHUT_RDWR); /* later calls find it closed */
	*reply_type = answer.type;
	return err;
}
