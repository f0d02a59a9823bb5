#include "vaultd/recent.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rand.h"

/* Sets of a few entries; a full set loses the one that ends first.  4 MB when full, and
 * only pages that were used are real. */
enum { SETS = 16 * 1024, WAYS = 4 };

struct entry {
	struct recent_tag tag;
	uint32_t account; /* 0: empty */
	uint32_t generation;
	uint64_t ends_ms;
};

struct recent {
	unsigned char key[32];
	struct entry entries[SETS][WAYS];
};

struct recent *recent_new(void)
{
	struct recent *recent = NEW(struct recent);

	rand_bytes(recent->key, sizeof recent->key);
	return recent;
}

void recent_free(struct recent **recent)
{
	if (!*recent)
		return;
	explicit_bzero((*recent)->key, sizeof(*recent)->key);
	mem_free(*recent);
	*recent = NULL;
}

static size_t set_of(uint32_t account)
{
	return hash64_number(account) % SETS;
}

struct recent_tag recent_tag(const struct recent *recent, uint32_t account,
			     struct str password)
{
	unsigned char text[4 + 1024];
	struct recent_tag tag;
	unsigned len = 0;

	ASSERT(password.len <= sizeof text - 4);
	memcpy(text, &account, 4);
	if (password.len > 0)
		memcpy(text + 4, password.ptr, password.len);
	ASSERT(HMAC(EVP_sha256(), recent->key, sizeof recent->key, text, 4 + password.len,
		    tag.bytes, &len) &&
	       len == sizeof tag.bytes);
	explicit_bzero(text, 4 + password.len);
	return tag;
}

static struct str bytes_of(const struct recent_tag *tag)
{
	return (struct str){(const char *)tag->bytes, sizeof tag->bytes};
}

bool recent_has(const struct recent *recent, uint32_t account, uint32_t generation,
		const struct recent_tag *tag, uint64_t now_ms)
{
	const struct entry *set = recent->entries[set_of(account)];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].account == account && set[i].generation == generation &&
		    now_ms < set[i].ends_ms &&
		    str_same_secret(bytes_of(&set[i].tag), bytes_of(tag)))
			return account != 0;
	}
	return false;
}

void recent_add(struct recent *recent, uint32_t account, uint32_t generation,
		const struct recent_tag *tag, uint64_t now_ms)
{
	struct entry *set = recent->entries[set_of(account)], *entry = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].account == account) {
			entry = &set[i];
			break;
		}
		if (set[i].ends_ms < entry->ends_ms)
			entry = &set[i];
	}
	*entry = (struct entry){*tag, account, generation,
				now_ms + RECENT_SECONDS * 1000ull};
}

void recent_forget(struct recent *recent, uint32_t account)
{
	struct entry *set = recent->entries[set_of(account)];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].account == account)
			explicit_bzero(&set[i], sizeof set[i]);
	}
}
