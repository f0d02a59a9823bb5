/* What the files of ipc share; nobody else includes it. */
#pragma once

#include <endian.h>
#include <string.h>

#include "rt/ipc.h"

enum {
	IPC_HEAD_BYTES = 16,
	IPC_READ_BYTES = 64 * 1024,
	IPC_QUEUE_HIGH = 4 * 1024 * 1024,  /* above it senders wait */
	IPC_QUEUE_MAX = 256 * 1024 * 1024, /* above it the other side is given up */
	IPC_WORK_MAX =
		64 * 1024 * 1024, /* bodies in handlers; above it we read no more */
	IPC_FDS_MAX = 64,         /* received and not yet taken by a frame */
};

enum { IPC_IS_REPLY = 1, IPC_HAS_FD = 2 };

struct ipc_head {
	uint32_t length;
	uint16_t type, flags;
	uint64_t id;
};

/* A task that waits for its reply. */
struct ipc_caller {
	uint64_t id;
	struct waiters waiters;
	struct buf *reply;
	uint16_t reply_type;
	int reply_fd;
	err_t err;
	bool is_done;
};

struct ipc_slot {
	struct ipc_caller *caller;
	size_t next_free; /* index and 1; 0: none */
};

/* A descriptor that leaves with the octet at `at` of the output queue. */
struct ipc_out_fd {
	size_t at;
	int fd;
};

struct ipc {
	const char *name;
	ipc_handler *handler;
	ipc_gone *gone;
	void *arg;
	struct poll poll;
	size_t refs;  /* the owner, the reader, the writer, a flush, handlers, callers */
	bool is_open; /* both sides are there */
	bool is_closed; /* by its owner */
	bool is_flush_due, has_writer;

	struct buf out;
	size_t out_sent; /* octets at the front of out that have left */
	struct ipc_out_fd *out_fds;
	size_t out_fd_count, out_fd_room, out_fds_sent;
	struct waiters room; /* for the queue or the work to shrink */
	size_t work_bytes;   /* of the bodies that handlers hold */

	/* A long reply that comes straight to whoever waits for it (length 0: there is
	 * none), and how much of it has come. */
	struct ipc_head straight;
	size_t straight_at;

	char *in;
	size_t in_start, in_end, in_room;
	int in_fds[IPC_FDS_MAX];
	size_t in_fd_count;

	struct ipc_slot *slots;
	size_t slot_count, slot_room, slot_free;
	uint64_t last_serial;
};

static inline void ipc_head_write(char *at, struct ipc_head head)
{
	uint32_t length = htole32(head.length);
	uint16_t type = htole16(head.type), flags = htole16(head.flags);
	uint64_t id = htole64(head.id);

	memcpy(at, &length, 4);
	memcpy(at + 4, &type, 2);
	memcpy(at + 6, &flags, 2);
	memcpy(at + 8, &id, 8);
}

static inline struct ipc_head ipc_head_read(const char *at)
{
	uint32_t length;
	uint16_t type, flags;
	uint64_t id;

	memcpy(&length, at, 4);
	memcpy(&type, at + 4, 2);
	memcpy(&flags, at + 6, 2);
	memcpy(&id, at + 8, 8);
	return (struct ipc_head){le32toh(length), le16toh(type), le16toh(flags),
				 le64toh(id)};
}

void ipc_unref(struct ipc *ipc);
/* The other side is gone, or treated as gone: nobody waits any longer. */
void ipc_lose(struct ipc *ipc);

/* ipc_out.c: appends a frame that leaves at the end of the turn.  fd is dup'ed. */
[[nodiscard]] err_t ipc_queue(struct ipc *ipc, struct ipc_head head, struct str body,
			      struct str more, int fd);
size_t ipc_queued(const struct ipc *ipc);
/* Sends what the socket takes now. */
void ipc_flush(struct ipc *ipc);
void ipc_out_fini(struct ipc *ipc);

/* ipc_in.c: the reader's task; takes over a reference. */
void ipc_reader(void *ipc);
void ipc_in_fini(struct ipc *ipc);

/* ipc.c: who still waits for that reply, or NULL; and that all of it is there. */
struct ipc_caller *ipc_caller_of(struct ipc *ipc, struct ipc_head head);
void ipc_caller_finish(struct ipc_caller *caller, err_t err);
/* Hands the reply to whoever still waits for it; takes fd. */
void ipc_answered(struct ipc *ipc, struct ipc_head head, struct str body, int fd);
