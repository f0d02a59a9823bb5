#include "login/throttle.h"

#include <arpa/inet.h>

#include "base/hash.h"
#include "base/mem.h"

enum { WAYS = 8, SETS = 512 };

struct entry {
	uint64_t peer;  /* hash of the address; 0 is empty */
	uint64_t guess; /* the last that was counted */
	uint64_t at_ms; /* of the last failure */
	uint32_t failures;
};

struct throttle {
	struct entry entries[SETS][WAYS];
};

struct throttle *throttle_new(void)
{
	return NEW(struct throttle);
}

void throttle_free(struct throttle **throttle)
{
	mem_free(*throttle);
	*throttle = NULL;
}

/* The hash of what counts as one peer. */
static uint64_t peer_hash(struct str peer)
{
	static const unsigned char v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
	unsigned char octets[16];
	char text[64];
	struct str key = peer;
	uint64_t hash;

	if (str_to_c(peer, text, sizeof text) && inet_pton(AF_INET6, text, octets) == 1) {
		bool is_v4 = memcmp(octets, v4_mapped, sizeof v4_mapped) == 0;

		if (is_v4 && inet_ntop(AF_INET, octets + 12, text, sizeof text))
			key = str_c(text);
		else
			key = (struct str){(const char *)octets, 8};
	}
	hash = hash64(key);
	return hash ? hash : 1;
}

static bool entry_is_fresh(const struct entry *entry, uint64_t now_ms)
{
	return entry->peer && now_ms - entry->at_ms < THROTTLE_WINDOW_MS;
}

bool throttle_is_banned(const struct throttle *throttle, struct str peer, uint64_t now_ms)
{
	uint64_t hash = peer_hash(peer);
	const struct entry *set = throttle->entries[hash % SETS];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].peer == hash && entry_is_fresh(&set[i], now_ms))
			return set[i].failures >= THROTTLE_FAILURES_MAX;
	}
	return false;
}

/* The peer's entry, or the one that makes room for it. */
static struct entry *entry_for(struct throttle *throttle, uint64_t hash, uint64_t now_ms)
{
	struct entry *set = throttle->entries[hash % SETS], *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].peer == hash && entry_is_fresh(&set[i], now_ms))
			return &set[i];
		if (set[i].at_ms < oldest->at_ms)
			oldest = &set[i];
	}
	*oldest = (struct entry){.peer = hash};
	return oldest;
}

uint64_t throttle_failed(struct throttle *throttle, struct str peer, uint64_t guess,
			 uint64_t now_ms)
{
	struct entry *entry = entry_for(throttle, peer_hash(peer), now_ms);
	uint64_t delay_ms = THROTTLE_DELAY_MIN_MS;

	if (entry->failures == 0 || entry->guess != guess)
		entry->failures++;
	entry->guess = guess;
	entry->at_ms = now_ms;
	for (uint32_t i = 1; i < entry->failures && delay_ms < THROTTLE_DELAY_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms;
}
