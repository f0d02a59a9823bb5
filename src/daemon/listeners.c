#include "daemon/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { BACKLOG = 4096 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_of(const struct conf_listener *listener, union address *address)
{
	char text[INET6_ADDRSTRLEN];

	memset(address, 0, sizeof *address);
	if (!str_to_c(listener->address, text, sizeof text))
		return 0;
	if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(listener->port);
		return sizeof address->v4;
	}
	if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(listener->port);
		return sizeof address->v6;
	}
	return 0;
}

enum sharing { ALONE, SHARED };

/* -1 and errno. */
static int bound(const union address *address, socklen_t len, enum sharing sharing)
{
	int on = 1, family = address->any.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (sharing == SHARED)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, &address->any, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}

/* Sockets that share a port would share it with another server of ours as well, so first
 * one that shares with nobody must go. */
static bool is_free(const union address *address, socklen_t len)
{
	int fd = bound(address, len, ALONE);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static void add(struct listeners *listeners, struct port port)
{
	MEM_ROOM(listeners->ports, listeners->count, listeners->room);
	listeners->ports[listeners->count++] = port;
}

static err_t refuse(const struct conf_listener *at, enum service service)
{
	int why = errno;

	char port[20] = "";

	if (conf_listener_path(at).len == 0)
		(void)snprintf(port, sizeof port, " port %u", at->port);
	(void)fprintf(stderr,
		      "postrider: cannot offer %s at %.*s%s: %s.\n%s"
		      "Nothing was started.\n",
		      service_entry(service)->name, STR_FMT(at->address), port,
		      strerror(why),
		      why == EACCES && port[0]
			      ? "Ports below 1024 are for root, or for who has "
				"CAP_NET_BIND_SERVICE.\n"
			      : "");
	return ERR_IO;
}

/* A machine without IPv6 goes without. */
static bool is_no_such_family(const union address *address)
{
	return address->any.sa_family == AF_INET6 &&
	       (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
}

/* ---- Unix sockets ------------------------------------------------------------------ */

/* A file that is left of a server that has gone; one that is in use, or no socket, stays.
 */
static void clear(const struct sockaddr_un *address)
{
	struct stat status;
	int fd;

	if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
	    errno == ECONNREFUSED)
		(void)unlink(address->sun_path); /* bind() says what is wrong */
	(void)close(fd);
}

/* For its owner and its group.  -1 and errno. */
static int bound_path(struct str path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;

	if (!str_to_c(path, address.sun_path, sizeof address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	clear(&address);
	mask = umask(0117);
	bool is_bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
	(void)umask(mask);
	if (is_bound && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	(void)close(fd);
	errno = why;
	return -1;
}

/* All processes share one socket. */
static err_t open_path(struct listeners *listeners, enum service service,
		       const struct conf_listener *at, unsigned processes)
{
	int first = bound_path(conf_listener_path(at));

	for (unsigned i = 0; i < processes; i++) {
		int fd = i == 0 ? first : fcntl(first, F_DUPFD_CLOEXEC, 0);

		if (fd < 0)
			return refuse(at, service);
		add(listeners, (struct port){service, false, i, fd});
	}
	return OK;
}

/* ---- all of them ------------------------------------------------------------------- */

static err_t open_one(struct listeners *listeners, enum service service,
		      const struct conf_listener *at, unsigned processes)
{
	union address address;

	if (conf_listener_path(at).len > 0)
		return open_path(listeners, service, at, processes);
	socklen_t len = address_of(at, &address);

	errno = EINVAL;
	if (len == 0 || !is_free(&address, len)) {
		if (len == 0 || !is_no_such_family(&address))
			return refuse(at, service);
		LOG(WARN, "address skipped", KV_STR("address", at->address),
		    KV_INT("port", at->port), KV_INT("errno", errno));
		return OK;
	}
	for (unsigned i = 0; i < processes; i++) {
		int fd = bound(&address, len, SHARED);

		if (fd < 0)
			return refuse(at, service);
		add(listeners, (struct port){service, at->is_proxied, i, fd});
	}
	return OK;
}

err_t listeners_open(struct listeners *listeners, struct conf *conf,
		     const unsigned processes[CHILD_ROLES])
{
	for (unsigned i = 0; i < SERVICES; i++) {
		enum service service = (enum service)i;
		const struct conf_listeners *wanted = service_listeners(conf, service);

		for (size_t j = 0; j < wanted->count; j++)
			TRY(open_one(listeners, service, &wanted->at[j],
				     processes[service_entry(service)->role]));
	}
	return OK;
}

void listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		(void)close(listeners->ports[i].fd);
	mem_free(listeners->ports);
	*listeners = (struct listeners){0};
}
