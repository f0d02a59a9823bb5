#include "resolver/cache.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"
#include "rt/clock.h"

enum { BUCKETS = 1024, KEY_BYTES_MAX = 2 + DNS_NAME_MAX + 1 };

struct kept {
	struct list_link by_age;
	struct kept *next; /* in its bucket */
	uint64_t hash, since_ms, until_ms;
	size_t key_len, body_len;
	char bytes[]; /* the key, then the body */
};

struct answer_cache {
	struct kept *buckets[BUCKETS];
	struct list by_age; /* oldest first */
	size_t count, bytes;
};

struct key {
	char bytes[KEY_BYTES_MAX];
	size_t len;
	uint64_t hash;
};

/* The type, and the name in lower case without its final dot. */
static bool key_of(const struct resolver_question *question, struct key *key)
{
	struct str name = question->name;

	if (str_ends(name, STR(".")))
		name = str_first(name, name.len - 1);
	if (name.len > DNS_NAME_MAX)
		return false;
	key->bytes[0] = (char)((unsigned)question->type >> 8);
	key->bytes[1] = (char)((unsigned)question->type & 255);
	for (size_t i = 0; i < name.len; i++)
		key->bytes[2 + i] = ascii_lower(name.ptr[i]);
	key->len = 2 + name.len;
	key->hash = hash64((struct str){key->bytes, key->len});
	return true;
}

static size_t size_of(const struct kept *kept)
{
	return sizeof *kept + kept->key_len + kept->body_len;
}

struct answer_cache *answer_cache_new(void)
{
	return NEW(struct answer_cache);
}

static void drop(struct answer_cache *cache, struct kept *kept)
{
	struct kept **at = &cache->buckets[kept->hash % BUCKETS];

	while (*at != kept)
		at = &(*at)->next;
	*at = kept->next;
	list_remove(&cache->by_age, &kept->by_age);
	cache->count--;
	cache->bytes -= size_of(kept);
	mem_free(kept);
}

static struct kept *oldest(struct answer_cache *cache)
{
	struct list_link *link = cache->by_age.first;

	return link ? CONTAINER_OF(link, struct kept, by_age) : NULL;
}

void answer_cache_free(struct answer_cache **cache)
{
	if (!*cache)
		return;
	while (oldest(*cache))
		drop(*cache, oldest(*cache));
	mem_free(*cache);
	*cache = NULL;
}

static struct kept *find(struct answer_cache *cache, const struct key *key)
{
	struct kept *kept = cache->buckets[key->hash % BUCKETS];

	while (kept && !(kept->hash == key->hash && kept->key_len == key->len &&
			 memcmp(kept->bytes, key->bytes, key->len) == 0))
		kept = kept->next;
	return kept;
}

static void make_room(struct answer_cache *cache, size_t bytes)
{
	while (cache->count >= ANSWER_CACHE_ANSWERS_MAX ||
	       (cache->count > 0 && cache->bytes + bytes > ANSWER_CACHE_BYTES_MAX))
		drop(cache, oldest(cache));
}

void answer_cache_add(struct answer_cache *cache,
		      const struct resolver_question *question,
		      const struct dns_answer *answer, struct str body)
{
	bool is_fact = answer->outcome == DNS_FOUND || answer->outcome == DNS_NONE;
	struct key key;

	if (!is_fact || answer->ttl_s == 0 || !key_of(question, &key))
		return;
	struct kept *kept = find(cache, &key);

	if (kept)
		drop(cache, kept);
	make_room(cache, sizeof *kept + key.len + body.len);
	kept = mem_zeroed(1, sizeof *kept + key.len + body.len);
	kept->hash = key.hash;
	kept->key_len = key.len;
	kept->body_len = body.len;
	memcpy(kept->bytes, key.bytes, key.len);
	memcpy(kept->bytes + key.len, body.ptr, body.len);
	kept->since_ms = clock_monotonic_ms();
	kept->until_ms =
		kept->since_ms + 1000 * num_min(answer->ttl_s, ANSWER_CACHE_SECONDS);
	kept->next = cache->buckets[key.hash % BUCKETS];
	cache->buckets[key.hash % BUCKETS] = kept;
	list_add_last(&cache->by_age, &kept->by_age);
	cache->count++;
	cache->bytes += size_of(kept);
}

bool answer_cache_find(struct answer_cache *cache,
		       const struct resolver_question *question, struct arena *arena,
		       struct dns_answer *answer)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct key key;
	struct kept *kept = key_of(question, &key) ? find(cache, &key) : NULL;

	if (!kept)
		return false;
	if (now_ms >= kept->until_ms) {
		drop(cache, kept);
		return false;
	}
	struct str body = {kept->bytes + kept->key_len, kept->body_len};

	if (!resolver_decode_answer(body, arena, answer))
		return false;
	answer->ttl_s -= (uint32_t)((now_ms - kept->since_ms) / 1000);
	return true;
}

size_t answer_cache_count(const struct answer_cache *cache)
{
	return cache->count;
}

size_t answer_cache_bytes(const struct answer_cache *cache)
{
	return cache->bytes;
}
