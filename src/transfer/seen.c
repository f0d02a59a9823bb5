#include "transfer/seen.h"

#include <openssl/evp.h>

#include "base/mem.h"

enum { ROOM_FIRST = 1024 };

struct seen_slot {
	struct ident ident;
	uint32_t times; /* 0: empty */
};

struct ident ident_of(const struct str *parts, size_t count)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct ident ident;

	ASSERT(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
	for (size_t i = 0; i < count; i++) { /* lengths keep "a","bc" from "ab","c" */
		uint64_t len = parts[i].len;

		ASSERT(EVP_DigestUpdate(context, &len, sizeof len) == 1);
		ASSERT(EVP_DigestUpdate(context, parts[i].ptr, parts[i].len) == 1);
	}
	ASSERT(EVP_DigestFinal_ex(context, hash, NULL) == 1);
	EVP_MD_CTX_free(context);
	memcpy(ident.octets, hash, sizeof ident.octets);
	return ident;
}

void seen_fini(struct seen *seen)
{
	mem_free(seen->slots);
	*seen = (struct seen){0};
}

/* The slot that has it, or the empty one where it belongs. */
static struct seen_slot *slot_of(const struct seen *seen, const struct ident *ident)
{
	uint64_t at;

	memcpy(&at, ident->octets, sizeof at);
	for (;; at++) {
		struct seen_slot *slot = &seen->slots[at & (seen->room - 1)];

		if (slot->times == 0 ||
		    memcmp(slot->ident.octets, ident->octets, IDENT_BYTES) == 0)
			return slot;
	}
}

bool seen_has(const struct seen *seen, const struct ident *ident)
{
	return seen->room > 0 && slot_of(seen, ident)->times > 0;
}

static void grow(struct seen *seen)
{
	struct seen bigger = {.count = seen->count,
			      .room = seen->room ? seen->room * 2 : ROOM_FIRST};

	bigger.slots = NEW_ARRAY(struct seen_slot, bigger.room);
	for (size_t i = 0; i < seen->room; i++)
		if (seen->slots[i].times > 0)
			*slot_of(&bigger, &seen->slots[i].ident) = seen->slots[i];
	mem_free(seen->slots);
	*seen = bigger;
}

uint32_t seen_add(struct seen *seen, const struct ident *ident)
{
	if (seen->count * 4 >= seen->room * 3)
		grow(seen);
	struct seen_slot *slot = slot_of(seen, ident);

	if (slot->times == 0) {
		slot->ident = *ident;
		seen->count++;
	}
	return slot->times++;
}
