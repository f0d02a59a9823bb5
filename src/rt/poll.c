/* Descriptors are registered once and edge-triggered: the kernel says once that something
 * can be read, and the reader remembers it until it has read all. */
#include <errno.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "rt/loop_state.h"

/* A task that always finds its descriptor ready lets others run this often. */
enum { READY_STREAK_MAX = 64 };

err_t poll_open(struct poll *poll, int fd)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = poll,
	};

	*poll = (struct poll){.fd = fd, .is_writable = true};
	if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
		return OK;
	LOG(ERROR, "cannot poll", KV_INT("fd", fd), KV("reason", strerror(errno)));
	poll->fd = -1;
	return ERR_IO;
}

void poll_close(struct poll *poll)
{
	if (poll->fd < 0)
		return;
	/* Needed even before close(): another process may hold the same socket. */
	ASSERT(epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, poll->fd, NULL) == 0);
	poll->fd = -1;
	wake_all_with(&poll->readers, ERR_CLOSED);
	wake_all_with(&poll->writers, ERR_CLOSED);
}

void poll_event(struct poll *poll, uint32_t events)
{
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		poll->is_hung_up = true;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
		poll->is_readable = true;
		wake_all(&poll->readers);
	}
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
		poll->is_writable = true;
		wake_all(&poll->writers);
	}
}

static err_t await(struct poll *poll, const bool *is_ready, struct waiters *waiters,
		   deadline_t deadline)
{
	if (poll->fd < 0)
		return ERR_CLOSED;
	if (task_is_canceled())
		return ERR_CANCELED;
	if (!*is_ready)
		return wait_on(waiters, deadline);
	if (loop.running && ++loop.running->ready_streak > READY_STREAK_MAX) {
		task_yield();
		return poll->fd < 0 ? ERR_CLOSED : OK;
	}
	return OK;
}

err_t poll_readable(struct poll *poll, deadline_t deadline)
{
	return await(poll, &poll->is_readable, &poll->readers, deadline);
}

err_t poll_writable(struct poll *poll, deadline_t deadline)
{
	return await(poll, &poll->is_writable, &poll->writers, deadline);
}
