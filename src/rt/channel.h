/* A bounded queue of pointers between tasks.  What a pointer leads to belongs to the
 * sender until sent, then to the receiver. */
#pragma once

#include "rt/task.h"

struct channel;

/* Holds up to room pointers, at least 1. */
struct channel *channel_new(size_t room);
/* What is still in it is forgotten, not freed; nobody may be waiting. */
void channel_free(struct channel **channel);
/* May suspend while it is full.  ERR_CLOSED if it is or becomes closed: the item is still
 * the sender's, as after every failure. */
[[nodiscard]] err_t channel_send(struct channel *channel, void *item,
				 deadline_t deadline);
/* May suspend while it is empty.  ERR_CLOSED when it is closed and empty. */
[[nodiscard]] err_t channel_recv(struct channel *channel, void **item,
				 deadline_t deadline);
/* Senders fail from now; receivers still get what is in it. */
void channel_close(struct channel *channel);
size_t channel_count(const struct channel *channel);
