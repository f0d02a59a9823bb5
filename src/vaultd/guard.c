#include "vaultd/guard.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/task.h"
#include "vault/codec.h"
#include "vaultd/throttle.h"

enum {
	KNOWN_MS = 7 * 86400 * 1000,
	KEYS_MAX = 100000, /* of one door: more than it may have connections */
	HOT_AT_ONCE = 200,
	HOT_WAIT_S = 20, /* less than a call may last */
	FAILURE_SETS = 1024,
	KNOWN_SETS = 8192,
	SLOW_AT = 10, /* failures of an account from which all are answered late */
};

struct guard {
	struct guard_options options;
	struct throttle *addresses, *accounts;
	struct throttle *known; /* who logged in where */
	struct list doors;
};

struct guard_door {
	struct list_link in_doors;
	struct guard *guard;
	struct tally *tally;
	struct tally *hot; /* what others have, where it is much */
};

struct guard *guard_new(const struct guard_options *options)
{
	struct guard *guard = NEW(struct guard);

	guard->options = *options;
	guard->addresses = throttle_new(FAILURE_SETS);
	guard->accounts = throttle_new(FAILURE_SETS);
	guard->known = throttle_new(KNOWN_SETS);
	return guard;
}

void guard_free(struct guard **guard)
{
	if (!*guard)
		return;
	ASSERT(list_is_empty(&(*guard)->doors));
	throttle_free(&(*guard)->addresses);
	throttle_free(&(*guard)->accounts);
	throttle_free(&(*guard)->known);
	mem_free(*guard);
	*guard = NULL;
}

/* ---- failures ---------------------------------------------------------------------- */

/* By what an address counts. */
struct origin {
	bool is_exempt;
	uint64_t group, site; /* hashes; site 0: it has none */
};

static uint64_t hash_of(const unsigned char octets[16])
{
	return hash64((struct str){(const char *)octets, 16});
}

static struct origin origin_of(const struct guard *guard, struct str peer)
{
	struct origin origin = {0};
	struct address address;
	unsigned char octets[16];

	if (!address_parse_host(peer, &address)) {
		origin.is_exempt = peer.len == 0; /* a socket of this machine */
		origin.group = hash64(peer);
		return origin;
	}
	origin.is_exempt = networks_have(&guard->options.exempt, &address);
	address_group(&address, octets);
	origin.group = hash_of(octets);
	if (address_site(&address, octets))
		origin.site = hash_of(octets);
	return origin;
}

static uint64_t known_key(uint32_t account, const struct origin *origin)
{
	return hash64_number(account) ^ origin->group;
}

static bool is_known(const struct guard *guard, uint32_t account,
		     const struct origin *origin)
{
	uint64_t at_ms = throttle_last_ms(guard->known, known_key(account, origin));

	return at_ms > 0 && loop_now() - at_ms < KNOWN_MS;
}

static bool is_over(const struct throttle *throttle, uint64_t key, uint32_t bound)
{
	return bound > 0 && throttle_count(throttle, key, bound, loop_now()) >= bound;
}

bool guard_refuses(const struct guard *guard, uint32_t account, struct str peer)
{
	const struct guard_options *options = &guard->options;
	struct origin origin = origin_of(guard, peer);
	uint32_t bound = options->address_failures_max;

	if (origin.is_exempt)
		return false;
	if (is_over(guard->addresses, origin.group, bound) ||
	    (origin.site != 0 &&
	     is_over(guard->addresses, origin.site, bound * GUARD_SITE_TIMES)))
		return true;
	return account != 0 &&
	       is_over(guard->accounts, hash64_number(account),
		       options->account_failures_max) &&
	       !is_known(guard, account, &origin);
}

uint32_t guard_failed(struct guard *guard, uint32_t account, struct str peer,
		      uint64_t guess)
{
	const struct guard_options *options = &guard->options;
	struct origin origin = origin_of(guard, peer);
	uint32_t bound = options->address_failures_max, delay_ms = GUARD_DELAY_MIN_MS;
	uint64_t now_ms = loop_now();

	if (origin.is_exempt)
		return 0;
	uint32_t count =
		throttle_add(guard->addresses, origin.group, guess, bound, now_ms);

	if (origin.site != 0)
		(void)throttle_add(guard->addresses, origin.site, guess,
				   bound * GUARD_SITE_TIMES, now_ms);
	if (account != 0 &&
	    throttle_add(guard->accounts, hash64_number(account), guess,
			 options->account_failures_max, now_ms) >= SLOW_AT)
		return GUARD_DELAY_MAX_MS;
	for (uint32_t i = 1; i < count && delay_ms < GUARD_DELAY_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms;
}

void guard_succeeded(struct guard *guard, uint32_t account, struct str peer)
{
	struct origin origin = origin_of(guard, peer);

	(void)throttle_add(guard->known, known_key(account, &origin), 0, 1, loop_now());
}

/* ---- counts ------------------------------------------------------------------------ */

static uint32_t at_all(const struct guard *guard, const struct tally_key *key)
{
	uint64_t sum = 0;

	LIST_EACH(&guard->doors, link)
	sum += tally_here(CONTAINER_OF(link, struct guard_door, in_doors)->tally, key);
	return (uint32_t)num_min(sum, UINT32_MAX);
}

/* It has changed: those hear of it who should know, or do and should not any more. */
static void spread(struct guard *guard, const struct tally_key *key)
{
	uint32_t all = at_all(guard, key);

	LIST_EACH(&guard->doors, link)
	{
		struct guard_door *door = CONTAINER_OF(link, struct guard_door, in_doors);
		uint32_t elsewhere = all - tally_here(door->tally, key);
		uint32_t known = tally_here(door->hot, key);

		if (elsewhere < TALLY_MUCH)
			elsewhere = 0;
		if (elsewhere != known)
			tally_put(door->hot, key, elsewhere);
	}
}

/* All that a door has. */
static void spread_all(struct guard *guard, struct tally *tally)
{
	struct tally_item item;

	tally_tell_all(tally);
	while (tally_news(tally, &item, 1) == 1)
		spread(guard, &item.key);
}

/* A new door hears of all that is much. */
static void greet(struct guard *guard)
{
	LIST_EACH(&guard->doors, link)
	{
		struct tally *tally =
			CONTAINER_OF(link, struct guard_door, in_doors)->tally;

		spread_all(guard, tally);
	}
}

struct guard_door *guard_door_new(struct guard *guard)
{
	struct guard_door *door = NEW(struct guard_door);

	door->guard = guard;
	door->tally = tally_new();
	door->hot = tally_new();
	list_add_last(&guard->doors, &door->in_doors);
	greet(guard);
	return door;
}

void guard_door_free(struct guard_door **door)
{
	if (!*door)
		return;
	list_remove(&(*door)->guard->doors, &(*door)->in_doors);
	spread_all((*door)->guard, (*door)->tally);
	tally_free(&(*door)->tally);
	tally_free(&(*door)->hot);
	mem_free(*door);
	*door = NULL;
}

bool guard_door_tell(struct guard_door *door, struct str counts, struct buf *elsewhere)
{
	struct dec dec = dec_over(counts);

	while (dec.rest.len > 0) {
		struct str octets = dec_bytes(&dec, TALLY_KEY_BYTES);
		uint32_t here = dec_u32(&dec);
		struct tally_key key;

		if (!dec_ok(&dec) || tally_keys(door->tally) > KEYS_MAX)
			return false;
		memcpy(key.octets, octets.ptr, TALLY_KEY_BYTES);
		tally_set(door->tally, &key, here);
		spread(door->guard, &key);
		enc_u32(elsewhere,
			at_all(door->guard, &key) - tally_here(door->tally, &key));
	}
	return true;
}

bool guard_door_hot(struct guard_door *door, struct buf *counts)
{
	struct tally_item items[HOT_AT_ONCE];
	err_t err = tally_wait(door->hot, deadline_s(HOT_WAIT_S));

	if (err == ERR_TIMEOUT)
		return true;
	if (err != OK)
		return false;
	size_t count = tally_news(door->hot, items, COUNT_OF(items));

	for (size_t i = 0; i < count; i++) {
		buf_add(counts,
			(struct str){(const char *)items[i].key.octets, TALLY_KEY_BYTES});
		enc_u32(counts, items[i].count);
	}
	return true;
}

bool guard_door_enter(struct guard_door *door, uint32_t account, struct str peer)
{
	uint32_t max = door->guard->options.account_sessions_max;
	struct tally_key key = vault_account_key(account);

	if (max > 0 && at_all(door->guard, &key) >= max &&
	    !origin_of(door->guard, peer).is_exempt)
		return false;
	tally_set(door->tally, &key, tally_here(door->tally, &key) + 1);
	return true;
}
