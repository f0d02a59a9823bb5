/* The listening sockets, bound before any privilege is dropped.  Each process of a door
 * has a socket of its own at every port (SO_REUSEPORT), so the kernel spreads the
 * connections.  The supervisor keeps them open while a process restarts: who connects
 * meanwhile waits in the queue.
 */
#pragma once

#include "daemon/service.h"

struct port {
	enum service service;
	bool is_proxied; /* conf_listener */
	unsigned index;  /* of the process among its role's */
	int fd;
};

struct listeners {
	struct port *ports;
	size_t count, room;
};

/* Binds what conf says, for that many processes of each role.  On failure says on
 * standard error, in a sentence, which address it was and why. */
[[nodiscard]] err_t listeners_open(struct listeners *listeners, struct conf *conf,
				   const unsigned processes[CHILD_ROLES]);
void listeners_close(struct listeners *listeners);
