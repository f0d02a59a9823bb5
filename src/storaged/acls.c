#include "storaged/acls.h"

#include "store/acl.h"

enum { LISTS_A_PAGE = 100, PAGE_BYTES = 16 << 20 };

enum store_outcome acls_each(struct storage *storage, account_t owner,
			     bool (*take)(void *arg, uint64_t mailbox, struct str list),
			     void *arg)
{
	struct pair_key last;
	struct str after = STR("");
	enum store_outcome outcome;
	struct arena arena;
	struct kv_row *rows;
	size_t count;
	bool goes_on = true;

	arena_init(&arena, PAGE_BYTES);
	do {
		arena_reset(&arena);
		outcome = storage_kv_scan(storage, owner, PAIR_ACLS, after, LISTS_A_PAGE,
					  &arena, &rows, &count);
		for (size_t i = 0; outcome == STORE_OK && goes_on && i < count; i++) {
			uint64_t mailbox = pair_mailbox(rows[i].key);

			if (mailbox == 0)
				outcome = STORE_DAMAGED;
			else
				goes_on = take(arg, mailbox, rows[i].value);
			after = pair_acl(&last, mailbox);
		}
	} while (outcome == STORE_OK && goes_on && count == LISTS_A_PAGE);
	arena_fini(&arena);
	return outcome;
}
