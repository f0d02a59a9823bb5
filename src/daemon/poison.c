#include "daemon/poison.h"

#include "base/codec.h"

static bool is_same(const struct panic_record *a, const struct panic_record *b)
{
	return a->key == b->key && strcmp(a->operation, b->operation) == 0;
}

bool poison_note(struct poison *poison, const struct panic_record *record)
{
	if (record->operation[0] == '\0')
		return false; /* nothing to blame */
	for (size_t i = 0; i < poison->count; i++) {
		if (is_same(&poison->known[i].what, record))
			return ++poison->known[i].crashes == POISON_CRASHES;
	}
	size_t at = poison->count < POISON_KNOWN_MAX ? poison->count++
						     : poison->next++ % POISON_KNOWN_MAX;
	poison->known[at].what = *record;
	poison->known[at].crashes = 1;
	return false;
}

void poison_keys(const struct poison *poison, struct buf *keys)
{
	for (size_t i = 0; i < poison->count; i++) {
		if (poison->known[i].crashes >= POISON_CRASHES)
			enc_u64(keys, poison->known[i].what.key);
	}
}
