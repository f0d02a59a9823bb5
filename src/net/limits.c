/* Strangers' counts are in a hash table with chains; a stranger who left takes no room.
 */
#include "net/limits.h"

#include "base/hash.h"
#include "base/mem.h"

enum { BUCKETS_FIRST = 64 };

struct stranger {
	struct stranger *next;
	unsigned char group[16];
	size_t count;
};

struct limits {
	size_t total, total_max, each_max;
	enum limits_loopback loopback;
	struct stranger **buckets;
	size_t bucket_count, stranger_count;
};

struct limits *limits_new(size_t total_max, size_t each_max,
			  enum limits_loopback loopback)
{
	struct limits *limits = NEW(struct limits);

	*limits = (struct limits){
		.total_max = total_max,
		.each_max = each_max,
		.loopback = loopback,
		.buckets = NEW_ARRAY(struct stranger *, BUCKETS_FIRST),
		.bucket_count = BUCKETS_FIRST,
	};
	return limits;
}

void limits_free(struct limits **limits)
{
	if (!*limits)
		return;
	ASSERT((*limits)->total == 0 && (*limits)->stranger_count == 0);
	mem_free((*limits)->buckets);
	mem_free(*limits);
	*limits = NULL;
}

static struct stranger **bucket_of(struct limits *limits, const unsigned char group[16])
{
	uint64_t hash = hash64((struct str){(const char *)group, 16});

	return &limits->buckets[hash & (limits->bucket_count - 1)];
}

/* Where the stranger is linked in, or the end of the chain. */
static struct stranger **find(struct limits *limits, const unsigned char group[16])
{
	struct stranger **link = bucket_of(limits, group);

	while (*link && memcmp((*link)->group, group, 16) != 0)
		link = &(*link)->next;
	return link;
}

static void grow(struct limits *limits)
{
	struct stranger **old = limits->buckets;
	size_t old_count = limits->bucket_count;

	limits->bucket_count *= 2;
	limits->buckets = NEW_ARRAY(struct stranger *, limits->bucket_count);
	for (size_t i = 0; i < old_count; i++) {
		while (old[i]) {
			struct stranger *moved = old[i];
			struct stranger **bucket = bucket_of(limits, moved->group);

			old[i] = moved->next;
			moved->next = *bucket;
			*bucket = moved;
		}
	}
	mem_free(old);
}

static bool is_free(const struct limits *limits, const struct address *address)
{
	return limits->loopback == LOOPBACK_IS_FREE && address_is_loopback(address);
}

static bool stranger_enter(struct limits *limits, const struct address *address)
{
	unsigned char group[16];

	address_group(address, group);
	struct stranger **link = find(limits, group);

	if (*link) {
		if ((*link)->count == limits->each_max)
			return false;
		(*link)->count++;
		return true;
	}
	if (limits->each_max == 0)
		return false;
	*link = NEW(struct stranger);
	(*link)->count = 1;
	memcpy((*link)->group, group, 16);
	if (++limits->stranger_count > limits->bucket_count)
		grow(limits);
	return true;
}

bool limits_enter(struct limits *limits, const struct address *address)
{
	if (limits->total == limits->total_max)
		return false;
	if (!is_free(limits, address) && !stranger_enter(limits, address))
		return false;
	limits->total++;
	return true;
}

void limits_leave(struct limits *limits, const struct address *address)
{
	unsigned char group[16];

	ASSERT(limits->total > 0);
	limits->total--;
	if (is_free(limits, address))
		return;
	address_group(address, group);
	struct stranger **link = find(limits, group), *stranger = *link;

	ASSERT(stranger);
	if (--stranger->count > 0)
		return;
	*link = stranger->next;
	limits->stranger_count--;
	mem_free(stranger);
}

size_t limits_total(const struct limits *limits)
{
	return limits->total;
}
