/* Descriptors are registered once and edge-triggered: the kernel says once that something
 * can be read, and the reader remembers it until it has read all.  Writability is asked
 * for only while somebody waits for it: a Unix socket would wake us at each read of its
 * peer.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "rt/loop_state.h"

/* A task that always finds its descriptor ready lets others run this often. */
enum { READY_STREAK_MAX = 64 };

/* The kernel reports anew what is true at that moment. */
static int enlist(struct poll *poll, int operation, uint32_t more)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLET | more,
		.data.ptr = poll,
	};

	return epoll_ctl(loop.epoll_fd, operation, poll->fd, &event);
}

err_t poll_open(struct poll *poll, int fd)
{
	*poll = (struct poll){.fd = fd, .is_writable = true};
	if (enlist(poll, EPOLL_CTL_ADD, 0) == 0)
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
		if (events & EPOLLOUT)
			ASSERT(enlist(poll, EPOLL_CTL_MOD, 0) == 0);
	}
}

/* What holds before every wait. */
static err_t may_wait(const struct poll *poll)
{
	if (poll->fd < 0)
		return ERR_CLOSED;
	return task_is_canceled() ? ERR_CANCELED : OK;
}

/* It is ready; others run before a task that always finds it so. */
static err_t go_on(const struct poll *poll)
{
	if (!loop.running || ++loop.running->ready_streak <= READY_STREAK_MAX)
		return OK;
	task_yield();
	return may_wait(poll);
}

err_t poll_readable(struct poll *poll, deadline_t deadline)
{
	TRY(may_wait(poll));
	return poll->is_readable ? go_on(poll) : wait_on(&poll->readers, deadline);
}

err_t poll_writable(struct poll *poll, deadline_t deadline)
{
	TRY(may_wait(poll));
	if (poll->is_writable)
		return go_on(poll);
	if (!poll->writers.first)
		ASSERT(enlist(poll, EPOLL_CTL_MOD, EPOLLOUT) == 0);
	return wait_on(&poll->writers, deadline);
}
