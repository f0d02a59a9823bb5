#include "net/connect.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"

static err_t failed(const char *what, const struct address *address)
{
	int error = errno;
	char text[ADDRESS_TEXT_BYTES];

	LOG(ERROR, what, KV_STR("address", address_text_port(address, text)),
	    KV("reason", strerror(error)));
	return ERR_IO;
}

/* Waits for the three-way handshake; the socket is writable when it is over. */
static err_t await(int fd, deadline_t deadline)
{
	struct poll poll;
	int error = 0;
	socklen_t len = sizeof error;

	TRY(poll_open(&poll, fd));
	poll.is_writable = false;
	err_t err = poll_writable(&poll, deadline);

	poll_close(&poll);
	if (err == OK &&
	    (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error))
		err = ERR_CLOSED;
	return err;
}

static err_t begin(int fd, const struct address *to, const struct address *from,
		   deadline_t deadline)
{
	if (from && bind(fd, (const struct sockaddr *)&from->socket, from->len) != 0)
		return failed("cannot bind", from);
	if (connect(fd, (const struct sockaddr *)&to->socket, to->len) == 0)
		return OK;
	switch (errno) {
	case EINPROGRESS:
	case EINTR:
		return await(fd, deadline);
	case EADDRNOTAVAIL:
	case EAGAIN:
	case EACCES:
	case EPERM:
		return failed("cannot connect", to);
	default:
		return ERR_CLOSED;
	}
}

err_t conn_connect(const struct address *to, const struct address *from,
		   deadline_t deadline, struct conn **conn)
{
	char text[ADDRESS_TEXT_BYTES];
	int fd = socket(to->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);

	*conn = NULL;
	if (fd < 0)
		return failed("cannot make a socket", to);
	err_t err = begin(fd, to, from, deadline);

	if (err == OK)
		*conn = conn_new(fd, address_text(to, text));
	else
		(void)close(fd); /* it never was connected */
	return err;
}
