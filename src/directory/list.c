#include "directory/directory.h"

#include "base/log.h"
#include "directory/record.h"
#include "store/store.h"

enum { SCAN_MAX = 500 };

struct listing {
	const struct directory *directory;
	enum directory_kind kind;
	struct str prefix;
	struct directory_item *items;
	size_t count, limit;
};

/* Fills in the item if the row is of the kind that is asked for. */
static enum store_outcome listing_take(struct listing *listing, struct arena *arena,
				       const struct kv_row *row, bool *is_taken)
{
	struct directory_item *item = &listing->items[listing->count];
	struct directory_account account;
	enum directory_find find, wanted;

	*is_taken = true;
	*item = (struct directory_item){.name = str_skip(row->key, listing->prefix.len)};
	if (listing->kind == DIRECTORY_DOMAINS)
		return STORE_OK;
	wanted =
		listing->kind == DIRECTORY_ACCOUNTS ? DIRECTORY_ACCOUNT : DIRECTORY_ALIAS;
	find = record_address(row->value, arena, &item->entry);
	*is_taken = find == wanted;
	if (find == DIRECTORY_UNKNOWN)
		LOG(ERROR, "directory row unreadable", KV_STR("key", row->key));
	if (!*is_taken || listing->kind == DIRECTORY_ALIASES)
		return STORE_OK;
	find = directory_account(listing->directory, item->entry.account, arena,
				 &account);
	item->is_admin = account.is_admin;
	item->is_shared = account.is_shared;
	return find == DIRECTORY_UNKNOWN ? STORE_UNAVAILABLE : STORE_OK;
}

enum store_outcome directory_list(const struct directory *directory,
				  enum directory_kind kind, struct str after,
				  size_t limit, struct arena *arena,
				  struct directory_item **items, size_t *count)
{
	struct listing listing = {.directory = directory, .kind = kind, .limit = limit};

	listing.prefix = kind == DIRECTORY_DOMAINS ? RECORD_DOMAINS : RECORD_ADDRESSES;
	listing.items = ARENA_ARRAY(arena, struct directory_item, limit + 1);
	if (!listing.items)
		return STORE_INVALID;
	if (after.len > 0)
		after = arena_printf(arena, "%.*s%.*s", STR_FMT(listing.prefix),
				     STR_FMT(after));
	while (listing.count < limit) {
		struct kv_row *rows;
		size_t row_count;
		enum store_outcome outcome =
			store_kv_scan(directory->store, ACCOUNT_SYSTEM, listing.prefix,
				      after, SCAN_MAX, arena, &rows, &row_count);

		for (size_t i = 0;
		     i < row_count && outcome == STORE_OK && listing.count < limit; i++) {
			bool is_taken;

			outcome = listing_take(&listing, arena, &rows[i], &is_taken);
			listing.count += is_taken;
		}
		if (outcome != STORE_OK)
			return outcome;
		if (row_count == 0)
			break;
		after = rows[row_count - 1].key;
	}
	*items = listing.items;
	*count = listing.count;
	return STORE_OK;
}
