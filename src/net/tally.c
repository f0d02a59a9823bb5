/* A hash table with chains.  An entry is there while it counts something, while others do
 * not know yet that it no longer does, and while others have much of it. */
#include "net/tally.h"

#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"

enum {
	BUCKETS_FIRST = 64,
	TELL_MS = 20,
	HIGH = 4, /* such a count is told at once */
};

struct entry {
	struct entry *next;
	struct tally_key key;
	uint32_t count, elsewhere;
	bool is_known;            /* others have been told of some */
	struct list_link in_news; /* while it is to be told */
	bool is_news;
};

struct tally {
	struct entry **buckets;
	size_t bucket_count, entry_count;
	struct list news;
	bool is_urgent;
	struct waiters changed;
};

struct tally *tally_new(void)
{
	struct tally *tally = NEW(struct tally);

	tally->buckets = NEW_ARRAY(struct entry *, BUCKETS_FIRST);
	tally->bucket_count = BUCKETS_FIRST;
	return tally;
}

void tally_free(struct tally **tally_ptr)
{
	struct tally *tally = *tally_ptr;

	if (!tally)
		return;
	wake_all_with(&tally->changed, ERR_CLOSED);
	for (size_t i = 0; i < tally->bucket_count; i++) {
		while (tally->buckets[i]) {
			struct entry *entry = tally->buckets[i];

			tally->buckets[i] = entry->next;
			mem_free(entry);
		}
	}
	mem_free(tally->buckets);
	mem_free(tally);
	*tally_ptr = NULL;
}

static struct entry **bucket_of(const struct tally *tally, const struct tally_key *key)
{
	uint64_t hash = hash64((struct str){(const char *)key->octets, TALLY_KEY_BYTES});

	return &tally->buckets[hash & (tally->bucket_count - 1)];
}

/* Where the key's entry is linked in, or the end of the chain. */
static struct entry **find(const struct tally *tally, const struct tally_key *key)
{
	struct entry **link = bucket_of(tally, key);

	while (*link && memcmp(&(*link)->key, key, sizeof *key) != 0)
		link = &(*link)->next;
	return link;
}

static void grow(struct tally *tally)
{
	struct entry **old = tally->buckets;
	size_t old_count = tally->bucket_count;

	tally->bucket_count *= 2;
	tally->buckets = NEW_ARRAY(struct entry *, tally->bucket_count);
	for (size_t i = 0; i < old_count; i++) {
		while (old[i]) {
			struct entry *moved = old[i];
			struct entry **bucket = bucket_of(tally, &moved->key);

			old[i] = moved->next;
			moved->next = *bucket;
			*bucket = moved;
		}
	}
	mem_free(old);
}

static struct entry *entry_of(struct tally *tally, const struct tally_key *key)
{
	struct entry **link = find(tally, key);

	if (*link)
		return *link;
	if (++tally->entry_count > tally->bucket_count) {
		grow(tally);
		link = find(tally, key);
	}
	*link = NEW(struct entry);
	(*link)->key = *key;
	return *link;
}

/* Removes it if it says nothing any more. */
static void settle(struct tally *tally, struct entry *entry)
{
	if (entry->count > 0 || entry->is_news || entry->is_known ||
	    entry->elsewhere >= TALLY_MUCH)
		return;
	*find(tally, &entry->key) = entry->next;
	tally->entry_count--;
	mem_free(entry);
}

static void add_news(struct tally *tally, struct entry *entry, bool is_urgent)
{
	if (!entry->is_news)
		list_add_last(&tally->news, &entry->in_news);
	entry->is_news = true;
	tally->is_urgent |= is_urgent;
	wake_all(&tally->changed);
}

void tally_add(struct tally *tally, const struct tally_key *key, int by)
{
	struct entry *entry = entry_of(tally, key);

	if (by < 0 && entry->count > 0)
		entry->count--;
	else if (by > 0 && entry->count < UINT32_MAX)
		entry->count++;
	/* That there is less shall soon be known to who believes in more. */
	add_news(tally, entry, by > 0 ? entry->count >= HIGH : entry->is_known);
}

void tally_set(struct tally *tally, const struct tally_key *key, uint32_t count)
{
	struct entry *entry = entry_of(tally, key);

	entry->count = count;
	entry->is_known = false; /* nobody waits for news of it */
	settle(tally, entry);
}

void tally_put(struct tally *tally, const struct tally_key *key, uint32_t count)
{
	struct entry *entry = entry_of(tally, key);

	entry->count = count;
	add_news(tally, entry, false);
}

uint32_t tally_here(const struct tally *tally, const struct tally_key *key)
{
	const struct entry *entry = *find(tally, key);

	return entry ? entry->count : 0;
}

uint32_t tally_everywhere(const struct tally *tally, const struct tally_key *key)
{
	const struct entry *entry = *find(tally, key);

	return entry ? (uint32_t)num_min((uint64_t)entry->count + entry->elsewhere,
					 UINT32_MAX)
		     : 0;
}

size_t tally_keys(const struct tally *tally)
{
	return tally->entry_count;
}

err_t tally_wait(struct tally *tally, deadline_t deadline)
{
	while (list_is_empty(&tally->news))
		TRY(wait_on(&tally->changed, deadline));
	deadline_t until = deadline_ms(TELL_MS);

	while (!tally->is_urgent) {
		err_t err = wait_on(&tally->changed, until);

		if (err == ERR_TIMEOUT)
			break;
		TRY(err);
	}
	return OK;
}

size_t tally_news(struct tally *tally, struct tally_item *items, size_t max)
{
	size_t count = 0;

	while (count < max) {
		struct list_link *link = list_take_first(&tally->news);

		if (!link)
			break;
		struct entry *entry = CONTAINER_OF(link, struct entry, in_news);
		bool was_known = entry->is_known;

		entry->is_news = false;
		entry->is_known = entry->count > 0;
		if (was_known || entry->count > 0 || entry->elsewhere > 0)
			items[count++] = (struct tally_item){entry->key, entry->count};
		settle(tally, entry); /* came and went: that is no news */
	}
	if (list_is_empty(&tally->news))
		tally->is_urgent = false;
	return count;
}

void tally_tell_all(struct tally *tally)
{
	for (size_t i = 0; i < tally->bucket_count; i++) {
		for (struct entry *entry = tally->buckets[i]; entry; entry = entry->next)
			add_news(tally, entry, false);
	}
}

void tally_doubt(struct tally *tally, const struct tally_key *key)
{
	struct entry *entry = entry_of(tally, key);

	entry->is_known = true; /* so that it is told even if there is none */
	add_news(tally, entry, false);
}

void tally_heard(struct tally *tally, const struct tally_key *key, uint32_t elsewhere)
{
	struct entry *entry = entry_of(tally, key);

	entry->elsewhere = elsewhere;
	settle(tally, entry);
}
