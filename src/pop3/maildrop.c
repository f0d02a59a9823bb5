#include "pop3/maildrop.h"

#include "base/mem.h"

enum { PAGE_ARENA_MAX = 8 << 20, RANGES_MAX = 10000 };

static const struct str lock_name = {"pop3", 4};

static bool add_row(struct maildrop *drop, const struct message_row *row)
{
	if (drop->count == MAILDROP_MESSAGES_MAX)
		return false;
	MEM_ROOM(drop->items, drop->count, drop->room);
	drop->items[drop->count++] = (struct maildrop_item){.member = row->member,
							    .message = row->message,
							    .bytes = row->size,
							    .uid = row->uid};
	return true;
}

/* What is beyond the bound stays for the next session. */
static enum store_outcome read_rows(struct maildrop *drop)
{
	enum store_outcome outcome = STORE_OK;
	uint32_t next = 1;
	struct arena page;

	arena_init(&page, PAGE_ARENA_MAX);
	while (next != 0 && outcome == STORE_OK) {
		struct message_row *rows;
		size_t count;

		arena_reset(&page);
		outcome = store_rows(drop->store, drop->account, MAILBOX_INBOX,
				     (struct uid_range){next, UINT32_MAX}, ROW_MESSAGE,
				     &page, &rows, &count, &next);
		if (outcome != STORE_OK)
			break;
		for (size_t i = 0; i < count; i++)
			if (!add_row(drop, &rows[i]))
				next = 0;
	}
	arena_fini(&page);
	return outcome;
}

enum store_outcome maildrop_open(struct maildrop *drop, struct store *store,
				 account_t account)
{
	enum store_outcome outcome = store_lock(store, account, lock_name);

	*drop = (struct maildrop){0};
	if (outcome != STORE_OK)
		return outcome;
	drop->store = store;
	drop->account = account;
	outcome = read_rows(drop);
	if (outcome != STORE_OK)
		maildrop_close(drop);
	else
		maildrop_undelete_all(drop);
	return outcome;
}

void maildrop_close(struct maildrop *drop)
{
	if (drop->account != 0)
		store_unlock(drop->store, drop->account, lock_name);
	mem_free(drop->items);
	*drop = (struct maildrop){0};
}

struct maildrop_item *maildrop_item(struct maildrop *drop, uint32_t number)
{
	if (number == 0 || number > drop->count || drop->items[number - 1].is_deleted)
		return NULL;
	return &drop->items[number - 1];
}

void maildrop_delete(struct maildrop *drop, struct maildrop_item *item)
{
	ASSERT(!item->is_deleted);
	item->is_deleted = true;
	drop->live_count--;
	drop->live_bytes -= item->bytes;
}

void maildrop_undelete_all(struct maildrop *drop)
{
	drop->live_count = drop->count;
	drop->live_bytes = 0;
	for (size_t i = 0; i < drop->count; i++) {
		drop->items[i].is_deleted = false;
		drop->live_bytes += drop->items[i].bytes;
	}
}

/* Up to RANGES_MAX ranges of the UIDs that are marked, from item *at on. */
static size_t marked_ranges(const struct maildrop *drop, size_t *at,
			    struct uid_range *ranges)
{
	size_t count = 0;

	for (; *at < drop->count; (*at)++) {
		const struct maildrop_item *item = &drop->items[*at];

		if (!item->is_deleted)
			continue;
		if (count > 0 && ranges[count - 1].last + 1 == item->uid) {
			ranges[count - 1].last = item->uid;
		} else if (count < RANGES_MAX) {
			ranges[count++] = (struct uid_range){item->uid, item->uid};
		} else {
			break;
		}
	}
	return count;
}

/* In most cases one commit; very many scattered messages need some more. */
enum store_outcome maildrop_update(struct maildrop *drop)
{
	enum store_outcome outcome = STORE_OK;
	size_t at = 0;
	struct arena arena;

	if (drop->live_count == drop->count)
		return STORE_OK;
	struct uid_range *ranges = NEW_ARRAY(struct uid_range, RANGES_MAX);

	arena_init(&arena, PAGE_ARENA_MAX);
	while (at < drop->count && outcome == STORE_OK) {
		size_t count = marked_ranges(drop, &at, ranges);

		if (count == 0)
			break;
		struct store_op op = {
			.kind = OP_EXPUNGE,
			.expunge = {.mailbox = MAILBOX_INBOX, .uids = {ranges, count}}};
		struct store_commit commit = {
			.account = drop->account, .ops = &op, .count = 1};

		arena_reset(&arena);
		outcome = store_commit(drop->store, &commit, &arena, NULL);
	}
	arena_fini(&arena);
	mem_free(ranges);
	return outcome;
}
