#include "net/limits.h"

#include "base/mem.h"
#include "net/proxied.h"

struct limits {
	struct limits_options options;
	struct tally *tally;
	size_t total;
};

struct limits *limits_new(const struct limits_options *options, struct tally *tally)
{
	struct limits *limits = NEW(struct limits);

	limits->options = *options;
	limits->tally = tally;
	return limits;
}

void limits_free(struct limits **limits)
{
	if (!*limits)
		return;
	ASSERT((*limits)->total == 0);
	mem_free(*limits);
	*limits = NULL;
}

static bool is_exempt(const struct limits *limits, const struct address *address)
{
	return limits->options.each_max == 0 || address->socket.ss_family == AF_UNIX ||
	       (limits->options.exempt && networks_have(limits->options.exempt, address));
}

/* Whether there is room for one more under each key. */
static bool has_room(const struct limits *limits, const struct limits_seat *seat)
{
	size_t max = limits->options.each_max;

	for (unsigned i = 0; i < seat->key_count; i++, max *= LIMITS_SITE_TIMES) {
		if (tally_everywhere(limits->tally, &seat->keys[i]) < max)
			continue;
		if (tally_here(limits->tally, &seat->keys[i]) < max)
			tally_doubt(limits->tally, &seat->keys[i]);
		return false;
	}
	return true;
}

bool limits_enter(struct limits *limits, const struct address *address,
		  struct limits_seat *seat)
{
	*seat = (struct limits_seat){.limits = limits};
	if (limits->total == limits->options.total_max)
		return false;
	if (!is_exempt(limits, address)) {
		address_group(address, seat->keys[0].octets);
		seat->key_count = 1;
		if (address_site(address, seat->keys[1].octets))
			seat->key_count = 2;
		if (!has_room(limits, seat))
			return false;
		limits_known(seat, false);
	}
	limits->total++;
	return true;
}

void limits_known(struct limits_seat *seat, bool is_known)
{
	bool is_stranger = !is_known && seat->key_count > 0;

	if (is_stranger == seat->is_stranger)
		return;
	seat->is_stranger = is_stranger;
	for (unsigned i = 0; i < seat->key_count; i++)
		tally_add(seat->limits->tally, &seat->keys[i], is_stranger ? 1 : -1);
}

void limits_leave(struct limits_seat *seat)
{
	ASSERT(seat->limits->total > 0);
	limits_known(seat, true);
	seat->limits->total--;
}

size_t limits_total(const struct limits *limits)
{
	return limits->total;
}
