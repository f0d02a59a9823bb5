/* Carries the news of this door's counts to the vault, and back what the others have.
 * While there is no vault each door goes on with what it knows. */
#include "base/mem.h"
#include "daemon/door.h"
#include "vault/vault.h"

enum { AGAIN_MS = 1000 };

static bool carry(struct door *door, struct tally_item *items)
{
	size_t count = tally_news(door->tally, items, VAULT_COUNTS_MAX);

	if (count == 0)
		return true;
	if (vault_counts(door->vault, items, count) != VAULT_OK)
		return false;
	for (size_t i = 0; i < count; i++)
		tally_heard(door->tally, &items[i].key, items[i].count);
	return true;
}

/* What the others have much of. */
static void listen_all(void *arg)
{
	struct door *door = arg;
	struct tally_item *items = NEW_ARRAY(struct tally_item, VAULT_COUNTS_MAX);
	size_t count;

	while (!task_is_canceled()) {
		if (vault_hot_counts(door->vault, items, &count) != VAULT_OK) {
			if (task_sleep_ms(AGAIN_MS) != OK)
				break;
			continue;
		}
		for (size_t i = 0; i < count; i++)
			tally_heard(door->tally, &items[i].key, items[i].count);
	}
	mem_free(items);
}

static void carry_all(void *arg)
{
	struct door *door = arg;
	struct tally_item *items = NEW_ARRAY(struct tally_item, VAULT_COUNTS_MAX);

	while (tally_wait(door->tally, NEVER) == OK) {
		if (carry(door, items))
			continue;
		tally_tell_all(door->tally);
		if (task_sleep_ms(AGAIN_MS) != OK)
			break;
	}
	mem_free(items);
}

bool door_tally_begin(struct door *door)
{
	return task_start("counts", carry_all, door) &&
	       task_start("hot counts", listen_all, door);
}
