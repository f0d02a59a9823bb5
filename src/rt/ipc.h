/* Typed messages over a socket pair, with pipelining: many requests may be under way, and
 * replies come in any order.
 *
 * A frame is {u32 body length, u16 type, u16 flags, u64 id} in little-endian, then the
 * body.  Requests carry an id chosen by the caller, their reply carries the same; id 0 is
 * an event that nobody answers.  A frame may carry one file descriptor (SCM_RIGHTS).
 * What is sent during one turn of the loop leaves in one write at its end.
 *
 * A side whose replies pile up (more than 4 MiB queued) serves no further request until
 * the other has read some, and one whose handlers hold more than 64 MiB of bodies takes
 * nothing more, replies neither, until some end: they must not wait for this same socket
 * with that much.  So that both cannot wait for each other, requests with much
 * to say go one way on a socket, and only events the other.
 */
#pragma once

#include "base/buf.h"
#include "rt/task.h"

enum { IPC_BODY_MAX = 512 * 1024 };

struct ipc;

struct ipc_message {
	uint16_t type;
	uint64_t id; /* 0: an event, wants no reply */
	struct str body;
	int fd; /* -1 if none; the receiver's to close */
};

/* Serves a message from the other side that is not a reply to us.  It runs in a task of
 * its own, may suspend, and answers with ipc_reply().  The body is good until it
 * returns. */
typedef void ipc_handler(struct ipc *ipc, const struct ipc_message *message, void *arg);
/* Called once, in a task, when the other side is gone; ipc must then be closed. */
typedef void ipc_gone(struct ipc *ipc, void *arg);

/* A connected Unix stream socket, owned from here on; non-blocking is set.  handler and
 * gone may be NULL. */
struct ipc *ipc_open(const char *name, int fd, ipc_handler *handler, ipc_gone *gone,
		     void *arg);
/* Waiting calls fail with ERR_CLOSED; handlers still running may go on to ipc_reply(),
 * which does nothing then. */
void ipc_close(struct ipc **ipc);
bool ipc_is_open(const struct ipc *ipc);

/* May suspend until the reply: appends its body to reply and sets *type.  fd may be -1;
 * it stays the caller's.  reply_fd may be NULL (a descriptor that comes is closed).
 * ERR_CLOSED if the other side is gone (it may have acted or not), ERR_TIMEOUT,
 * ERR_CANCELED, ERR_LIMIT if the reply is too big for reply. */
[[nodiscard]] err_t ipc_call(struct ipc *ipc, uint16_t type, struct str body, int fd,
			     deadline_t deadline, uint16_t *reply_type, struct buf *reply,
			     int *reply_fd);
/* The same with a body in two pieces, which so need not be put together first. */
[[nodiscard]] err_t ipc_call_two(struct ipc *ipc, uint16_t type, struct str body,
				 struct str more, deadline_t deadline,
				 uint16_t *reply_type, struct buf *reply);
/* Queues an event.  May suspend when the other side reads too slowly (more than 4 MiB
 * queued). */
[[nodiscard]] err_t ipc_event(struct ipc *ipc, uint16_t type, struct str body, int fd);
/* Queues the reply to a message; never suspends. */
void ipc_reply(struct ipc *ipc, uint64_t id, uint16_t type, struct str body, int fd);

/* A request and its reply without the loop, on a socket used for nothing else: for
 * signing inside a TLS handshake, which may not suspend.  Blocks up to timeout_ms; after
 * any failure the socket is shut down, and later calls fail with ERR_CLOSED. */
[[nodiscard]] err_t ipc_call_blocking(int fd, uint16_t type, struct str body,
				      uint64_t timeout_ms, uint16_t *reply_type,
				      struct buf *reply);
/* A connected pair of Unix stream sockets, close-on-exec. */
[[nodiscard]] err_t ipc_pair(int fds[2]);
