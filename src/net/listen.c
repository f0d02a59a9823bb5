#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/proxied.h"

enum { ACCEPTS_A_TURN = 64, PAUSE_MS = 100, LOG_EVERY_MS = 10 * 1000 };

struct listener {
	struct listen_options options;
	struct poll poll;
	size_t refs; /* the owner's and the accepting task's */
	deadline_t may_log_at;
};

struct session {
	struct listen_options options;
	struct address peer;
	struct limits_seat seat; /* taken on arrival, or when the proxy has spoken */
	int fd;
};

static void listener_unref(struct listener *listener)
{
	if (--listener->refs == 0)
		mem_free(listener);
}

/* Through a proxy: whom it speaks for is known now, and counted.  False: no session. */
static bool arrive_by_proxy(struct session *session, struct conn *conn)
{
	const struct listen_options *options = &session->options;
	err_t err = proxied_accept(conn, &session->peer);

	if (err != OK) {
		LOG(WARN, "no header from proxy", KV("door", options->name),
		    KV_STR("peer", conn_peer(conn)), KV("why", err_text(err)));
		return false;
	}
	if (limits_enter(options->limits, &session->peer, &session->seat))
		return true;
	conn_add(conn, options->refusal);
	(void)conn_flush(conn); /* a courtesy */
	return false;
}

static void session_run(void *arg)
{
	struct session session = *(struct session *)arg;
	char text[ADDRESS_TEXT_BYTES];

	mem_free(arg);
	struct conn *conn = conn_new(session.fd, address_text(&session.peer, text));
	bool is_counted = !session.options.proxies || arrive_by_proxy(&session, conn);

	task_describe(conn_peer(conn));
	if (is_counted) {
		conn_set_seat(conn, &session.seat);
		session.options.handler(conn, session.options.arg);
	}
	conn_free(&conn);
	if (is_counted)
		limits_leave(&session.seat);
}

/* Under an attack one line in a while tells enough. */
static bool may_log(struct listener *listener)
{
	if (loop_now() < listener->may_log_at)
		return false;
	listener->may_log_at = deadline_ms(LOG_EVERY_MS);
	return true;
}

static void turn_away(struct listener *listener, int fd, const struct address *peer)
{
	struct str refusal = listener->options.refusal;
	char text[ADDRESS_TEXT_BYTES];

	if (may_log(listener))
		LOG(WARN, "connection turned away", KV("door", listener->options.name),
		    KV_STR("peer", address_text(peer, text)),
		    KV_INT("open", limits_total(listener->options.limits)));
	if (refusal.len > 0)
		(void)send(fd, refusal.ptr, refusal.len,
			   MSG_NOSIGNAL | MSG_DONTWAIT); /* a courtesy */
	(void)close(fd);                                 /* nothing is owed */
}

/* Who is behind a proxy is counted when it has said who that is. */
static bool may_enter(struct listener *listener, const struct address *peer,
		      struct limits_seat *seat)
{
	const struct listen_options *options = &listener->options;

	return options->proxies ? networks_have(options->proxies, peer)
				: limits_enter(options->limits, peer, seat);
}

static void welcome(struct listener *listener, int fd, const struct address *peer)
{
	struct limits_seat seat;

	if (!may_enter(listener, peer, &seat)) {
		turn_away(listener, fd, peer);
		return;
	}
	struct session *session = NEW(struct session);

	*session = (struct session){listener->options, *peer, seat, fd};
	if (task_start(listener->options.name, session_run, session))
		return;
	mem_free(session);
	if (!listener->options.proxies)
		limits_leave(&seat);
	turn_away(listener, fd, peer);
}

/* What accept() failed with: wait for more, try again, or pause. */
static err_t on_failure(struct listener *listener, int error)
{
	switch (error) {
	case EAGAIN:
		listener->poll.is_readable = false;
		return OK;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (may_log(listener))
			LOG(ERROR, "cannot accept", KV("door", listener->options.name),
			    KV("reason", strerror(error)));
		return task_sleep_ms(PAUSE_MS);
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		return ERR_CLOSED;
	default:
		return OK; /* that connection's trouble, accept(2) */
	}
}

static err_t accept_some(struct listener *listener)
{
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct address peer = {.len = sizeof peer.socket};
		int fd = accept4(listener->poll.fd, (struct sockaddr *)&peer.socket,
				 &peer.len, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return on_failure(listener, errno);
		welcome(listener, fd, &peer);
	}
	task_yield();
	return OK;
}

static void accepting(void *arg)
{
	struct listener *listener = arg;
	err_t err = OK;

	while (err == OK) {
		err = poll_readable(&listener->poll, NEVER);
		if (err == OK)
			err = accept_some(listener);
	}
	listener_unref(listener);
}

struct listener *listen_start(int fd, const struct listen_options *options)
{
	struct listener *listener = NEW(struct listener);
	int flags = fcntl(fd, F_GETFL);

	ASSERT(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
	*listener = (struct listener){.options = *options, .refs = 2};
	ASSERT(poll_open(&listener->poll, fd) == OK);
	ASSERT(task_start("accept", accepting, listener));
	return listener;
}

void listen_stop(struct listener **listener_ptr)
{
	struct listener *listener = *listener_ptr;

	if (!listener)
		return;
	*listener_ptr = NULL;
	int fd = listener->poll.fd;

	poll_close(&listener->poll);
	(void)close(fd); /* a listening socket holds no data */
	listener_unref(listener);
}
