/* Accepts connections and starts a task for each. */
#pragma once

#include "net/conn.h"
#include "net/limits.h"

struct listener;
struct networks;

/* Runs one session, in a task of its own.  The conn is closed after it returns. */
typedef void listen_handler(struct conn *conn, void *arg);

struct listen_options {
	const char *name; /* of the tasks, such as "smtp"; a literal */
	struct limits
		*limits; /* may be shared by listeners; outlives them and sessions */
	/* Sent, if it goes at once, to whom limits turn away; such as "421 …\r\n". */
	struct str refusal;
	/* NULL: connections are the peers' own.  Else only these may connect, and say
	 * first whom they speak for, who then is the peer, also for limits; outlives
	 * sessions. */
	const struct networks *proxies;
	listen_handler *handler;
	void *arg;
};

/* fd is a listening socket, owned from here on.  Options are copied; refusal must live as
 * long as the listener. */
struct listener *listen_start(int fd, const struct listen_options *options);
/* Accepts no more and closes the socket; sessions go on. */
void listen_stop(struct listener **listener);
