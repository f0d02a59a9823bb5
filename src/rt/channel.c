#include "rt/channel.h"

#include "base/mem.h"

struct channel {
	struct waiters senders, receivers;
	size_t room, first, count;
	bool is_closed;
	void *items[];
};

struct channel *channel_new(size_t room)
{
	ASSERT(room > 0 && room < SIZE_MAX / sizeof(void *) / 2);
	struct channel *channel =
		mem_zeroed(1, sizeof *channel + room * sizeof channel->items[0]);

	channel->room = room;
	return channel;
}

void channel_free(struct channel **channel)
{
	if (!*channel)
		return;
	ASSERT(!(*channel)->senders.first && !(*channel)->receivers.first);
	mem_free(*channel);
	*channel = NULL;
}

err_t channel_send(struct channel *channel, void *item, deadline_t deadline)
{
	while (!channel->is_closed && channel->count == channel->room)
		TRY(wait_on(&channel->senders, deadline));
	if (channel->is_closed)
		return ERR_CLOSED;
	channel->items[(channel->first + channel->count) % channel->room] = item;
	channel->count++;
	wake_one(&channel->receivers);
	return OK;
}

err_t channel_recv(struct channel *channel, void **item, deadline_t deadline)
{
	while (channel->count == 0) {
		if (channel->is_closed)
			return ERR_CLOSED;
		TRY(wait_on(&channel->receivers, deadline));
	}
	*item = channel->items[channel->first];
	channel->first = (channel->first + 1) % channel->room;
	channel->count--;
	wake_one(&channel->senders);
	return OK;
}

void channel_close(struct channel *channel)
{
	channel->is_closed = true;
	wake_all(&channel->senders);
	wake_all(&channel->receivers);
}

size_t channel_count(const struct channel *channel)
{
	return channel->count;
}
