#include "vaultd/throttle.h"

#include "base/mem.h"
#include "base/num.h"

enum { WAYS = 8 };

struct entry {
	uint64_t key;   /* 0 is empty */
	uint64_t guess; /* the last that was counted */
	uint64_t at_ms; /* of the last failure */
	uint32_t failures;
};

struct throttle {
	size_t sets;
	struct entry *entries;
};

struct throttle *throttle_new(size_t sets)
{
	struct throttle *throttle = NEW(struct throttle);

	throttle->sets = sets;
	throttle->entries = NEW_ARRAY(struct entry, sets * WAYS);
	return throttle;
}

void throttle_free(struct throttle **throttle)
{
	if (!*throttle)
		return;
	mem_free((*throttle)->entries);
	mem_free(*throttle);
	*throttle = NULL;
}

static uint64_t real_key(uint64_t key)
{
	return key ? key : 1;
}

static const struct entry *find(const struct throttle *throttle, uint64_t key)
{
	const struct entry *set = &throttle->entries[key % throttle->sets * WAYS];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
	}
	return NULL;
}

/* What has not worn off. */
static uint32_t count_of(const struct entry *entry, uint32_t bound, uint64_t now_ms)
{
	uint64_t rest_ms = now_ms - num_min(entry->at_ms, now_ms);

	if (rest_ms >= THROTTLE_WINDOW_MS)
		return 0;
	if (entry->failures >= bound)
		return entry->failures;
	uint64_t gone = rest_ms * bound / THROTTLE_WINDOW_MS;

	return entry->failures - (uint32_t)num_min(gone, entry->failures);
}

uint32_t throttle_count(const struct throttle *throttle, uint64_t key, uint32_t bound,
			uint64_t now_ms)
{
	const struct entry *entry = find(throttle, real_key(key));

	return entry ? count_of(entry, bound, now_ms) : 0;
}

/* The key's entry, or the one that makes room for it. */
static struct entry *entry_for(struct throttle *throttle, uint64_t key)
{
	struct entry *set = &throttle->entries[key % throttle->sets * WAYS],
		     *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].at_ms < oldest->at_ms)
			oldest = &set[i];
	}
	*oldest = (struct entry){.key = key};
	return oldest;
}

uint32_t throttle_add(struct throttle *throttle, uint64_t key, uint64_t guess,
		      uint32_t bound, uint64_t now_ms)
{
	struct entry *entry = entry_for(throttle, real_key(key));
	uint32_t before = count_of(entry, bound, now_ms);

	entry->failures = before > 0 && entry->guess == guess ? before : before + 1;
	entry->guess = guess;
	entry->at_ms = now_ms;
	return entry->failures;
}

uint64_t throttle_last_ms(const struct throttle *throttle, uint64_t key)
{
	const struct entry *entry = find(throttle, real_key(key));

	return entry ? entry->at_ms : 0;
}
