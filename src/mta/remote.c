#include "mta/remote.h"

#include "base/hash.h"
#include "base/mem.h"
#include "mta/destination.h"

/* Lives while it has places taken or promised, or somebody is parked there. */
struct remote {
	struct list_link in_table;
	struct run *run;
	unsigned char group[16]; /* address_group(): an IPv6 /64 counts as one */
	unsigned taken, promised;
	struct list parked; /* destinations */
	struct waiters wanted;
};

static struct list *bucket(struct run *run, const unsigned char group[16])
{
	uint64_t hash = hash64((struct str){(const char *)group, 16});

	return &run->remotes[hash & (REMOTE_BUCKETS - 1)];
}

static struct remote *find(struct run *run, const unsigned char group[16])
{
	LIST_EACH(bucket(run, group), link)
	{
		struct remote *found = CONTAINER_OF(link, struct remote, in_table);

		if (memcmp(found->group, group, sizeof found->group) == 0)
			return found;
	}
	return NULL;
}

static struct remote *find_or_make(struct run *run, const struct address *at)
{
	unsigned char group[16];

	address_group(at, group);
	struct remote *remote = find(run, group);

	if (remote)
		return remote;
	remote = NEW(struct remote);
	remote->run = run;
	memcpy(remote->group, group, sizeof group);
	list_add_last(bucket(run, group), &remote->in_table);
	return remote;
}

static void free_unused(struct remote *remote)
{
	if (remote->taken > 0 || remote->promised > 0 || !list_is_empty(&remote->parked))
		return;
	list_remove(bucket(remote->run, remote->group), &remote->in_table);
	mem_free(remote);
}

static bool has_room(const struct remote *remote)
{
	return remote->taken + remote->promised <
	       remote->run->options->address_connections_max;
}

/* The next that is parked may send a worker.  A promise that nobody would come for, since
 * its mails are gone or it has others at work, is none. */
static void promise(struct remote *remote)
{
	struct list_link *link = list_take_first(&remote->parked);
	struct destination *next = CONTAINER_OF(link, struct destination, in_parked);
	unsigned workers = next->workers;

	next->parked_at = NULL;
	next->promised_at = remote;
	remote->promised++;
	destination_kick(next);
	if (next->workers > workers || next->is_hungry)
		return;
	next->promised_at = NULL;
	remote->promised--;
}

/* Free places go to the parked; remote may be gone afterwards. */
static void offer(struct remote *remote)
{
	while (has_room(remote) && !list_is_empty(&remote->parked) && !task_is_canceled())
		promise(remote);
	free_unused(remote);
}

struct remote *remote_enter(struct destination *destination, const struct address *at)
{
	struct remote *remote = find_or_make(destination->run, at);

	if (destination->promised_at == remote) {
		destination->promised_at = NULL;
		remote->promised--;
	} else if (!has_room(remote))
		return NULL;
	remote->taken++;
	return remote;
}

void remote_leave(struct remote **remote_ptr)
{
	struct remote *remote = *remote_ptr;

	*remote_ptr = NULL;
	if (!remote)
		return;
	ASSERT(remote->taken > 0);
	remote->taken--;
	offer(remote);
}

bool remote_is_wanted(const struct remote *remote)
{
	return remote && !list_is_empty(&remote->parked);
}

err_t remote_wait(struct remote *remote, struct waiters *woken, deadline_t deadline)
{
	return wait_on_either(woken, remote ? &remote->wanted : NULL, deadline);
}

void remote_park(struct destination *destination, const struct address *at)
{
	struct remote *remote = find_or_make(destination->run, at);

	ASSERT(!destination->promised_at);
	if (!destination->parked_at) {
		destination->parked_at = remote;
		list_add_last(&remote->parked, &destination->in_parked);
		wake_one(&remote->wanted);
	}
	offer(remote);
}

void remote_forgo(struct destination *destination)
{
	struct remote *remote = destination->promised_at;

	if (!remote)
		return;
	destination->promised_at = NULL;
	remote->promised--;
	offer(remote);
}

void remote_forget(struct destination *destination)
{
	struct remote *remote = destination->parked_at;

	remote_forgo(destination);
	if (!remote)
		return;
	destination->parked_at = NULL;
	list_remove(&remote->parked, &destination->in_parked);
	free_unused(remote);
}

void remote_free_all(struct run *run)
{
	LIST_EACH(&run->ages, link)
	{
		struct destination *one = CONTAINER_OF(link, struct destination, in_ages);

		one->promised_at = NULL;
		if (one->parked_at)
			list_remove(&one->parked_at->parked, &one->in_parked);
		one->parked_at = NULL;
	}
	for (size_t i = 0; i < REMOTE_BUCKETS; i++)
		LIST_EACH(&run->remotes[i], link)
		{
			struct remote *remote =
				CONTAINER_OF(link, struct remote, in_table);

			ASSERT(remote->taken == 0);
			mem_free(remote);
		}
}
