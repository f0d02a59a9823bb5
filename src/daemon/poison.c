#include "daemon/poison.h"

#include "base/codec.h"

static bool is_same(const struct panic_record *a, const struct panic_record *b)
{
	return a->key == b->key && strcmp(a->operation, b->operation) == 0;
}

bool poison_note(struct poison *poison, enum child_role role,
		 const struct panic_record *record)
{
	struct poison_list *list = &poison->of[role];

	if (record->operation[0] == '\0')
		return false; /* nothing to blame */
	for (size_t i = 0; i < list->count; i++) {
		if (is_same(&list->known[i].what, record))
			return ++list->known[i].crashes == POISON_CRASHES;
	}
	size_t at = list->count < POISON_KNOWN_MAX ? list->count++
						   : list->next++ % POISON_KNOWN_MAX;
	list->known[at].what = *record;
	list->known[at].crashes = 1;
	return false;
}

void poison_keys(const struct poison *poison, enum child_role role, struct buf *keys)
{
	const struct poison_list *list = &poison->of[role];

	for (size_t i = 0; i < list->count; i++) {
		if (list->known[i].crashes >= POISON_CRASHES)
			enc_u64(keys, list->known[i].what.key);
	}
}
