/* What a visitor gets to see: only mailboxes of which he may know, and whether he has
 * seen a message, not whether its owner has. */
#include <stdlib.h>

#include "storage/seen_set.h"
#include "storaged/acls.h"
#include "storaged/state.h"
#include "store/acl.h"

static uint32_t rights_in(struct storage *storage, account_t owner, account_t visitor,
			  uint64_t mailbox, struct arena *arena)
{
	struct pair_key name;
	struct str value;

	if (storage_kv_get(storage, owner, pair_acl(&name, mailbox), arena, &value) !=
	    STORE_OK)
		return 0;
	return acl_rights(value, visitor);
}

enum store_outcome visit_seen(struct storage *storage, account_t owner, account_t visitor,
			      uint64_t mailbox, struct arena *arena,
			      struct seen_set *seen)
{
	struct pair_key name;
	struct str value;
	enum store_outcome outcome = storage_kv_get(
		storage, owner, pair_seen(&name, mailbox, visitor), arena, &value);

	*seen = (struct seen_set){0};
	if (outcome == STORE_OK && !seen_set_read(value, seen))
		return STORE_OK; /* damaged: nothing was seen */
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

void visit_row(const struct seen_set *seen, struct message_row *row)
{
	row->flags &= (uint8_t)~FLAG_SEEN;
	if (seen_set_has(seen, row->uid))
		row->flags |= FLAG_SEEN;
}

/* What stands in the row is the owner's. */
static void row_narrow(struct mailbox_row *row, uint32_t rights)
{
	row->rights = rights;
	row->role = ROLE_NONE;
	row->is_subscribed = false;
	row->unseen = row->recent = row->recent_from = 0;
	if (rights & ACL_READ)
		return;
	row->exists = row->deleted = row->uid_next = 0;
	row->bytes = row->modseq = row->change = 0;
}

/* ---- mailboxes --------------------------------------------------------------------- */

/* Finds a row by its mailbox; the ids of a listing are in no order. */
static int by_id(const void *a, const void *b)
{
	const struct mailbox_row *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

static struct mailbox_row *row_of(struct mailbox_row **sorted, size_t count, uint64_t id)
{
	struct mailbox_row wanted = {.id = id}, *key = &wanted;
	struct mailbox_row **found = bsearch(&key, sorted, count, sizeof *sorted, by_id);

	return found ? *found : NULL;
}

/* Rows that get the visitor's rights. */
struct filling {
	account_t visitor;
	struct mailbox_row **sorted;
	size_t count;
};

static bool fill(void *arg, uint64_t mailbox, struct str list)
{
	struct filling *filling = arg;
	struct mailbox_row *row = row_of(filling->sorted, filling->count, mailbox);

	if (row)
		row->rights = acl_rights(list, filling->visitor);
	return true;
}

enum store_outcome visit_mailboxes(struct storage *storage, account_t owner,
				   account_t visitor, struct arena *arena,
				   struct mailbox_row *rows, size_t *count)
{
	struct mailbox_row **sorted =
		ARENA_ARRAY(arena, struct mailbox_row *, *count + 1);
	bool *stays = ARENA_ARRAY(arena, bool, *count + 1);
	size_t kept = 0;

	if (!sorted || !stays)
		return STORE_INVALID;
	for (size_t i = 0; i < *count; i++) {
		sorted[i] = &rows[i];
		rows[i].rights = 0;
	}
	qsort(sorted, *count, sizeof *sorted, by_id);
	struct filling filling = {visitor, sorted, *count};
	enum store_outcome outcome = acls_each(storage, owner, fill, &filling);

	if (outcome != STORE_OK)
		return outcome;
	/* From the end: children stand behind those above them, whose names they need. */
	for (size_t i = *count; i-- > 0;) {
		struct mailbox_row *above = NULL;

		stays[i] |= rows[i].rights != 0;
		if (stays[i] && rows[i].parent != 0)
			above = row_of(sorted, *count, rows[i].parent);
		if (above)
			stays[above - rows] = true;
	}
	for (size_t i = 0; i < *count; i++) {
		if (!stays[i])
			continue;
		rows[kept] = rows[i];
		row_narrow(&rows[kept], rows[i].rights);
		kept++;
	}
	*count = kept;
	return STORE_OK;
}

/* How many of the mailbox's messages he has not seen: it is counted how many he has. */
static enum store_outcome unseen_count(struct storage *storage, account_t owner,
				       uint64_t mailbox, const struct seen_set *seen,
				       struct mailbox_row *row)
{
	enum store_outcome outcome = STORE_OK;
	uint32_t seen_count = 0;
	struct arena arena;

	arena_init(&arena, 4 << 20);
	for (size_t i = 0; i < seen->count && outcome == STORE_OK; i++) {
		struct uid_range range = seen->list[i];

		while (outcome == STORE_OK && range.first != 0 &&
		       range.first <= range.last) {
			struct message_row *rows;
			size_t count;

			arena_reset(&arena);
			outcome = storage_rows(storage, owner, mailbox, range, 0, &arena,
					       &rows, &count, &range.first);
			seen_count += outcome == STORE_OK ? (uint32_t)count : 0;
		}
	}
	arena_fini(&arena);
	row->unseen = row->exists > seen_count ? row->exists - seen_count : 0;
	return outcome;
}

enum store_outcome visit_mailbox(struct storage *storage, account_t owner,
				 account_t visitor, struct arena *arena,
				 struct mailbox_row *row)
{
	SCOPED(seen_set_fini) struct seen_set seen = {0};

	row_narrow(row, rights_in(storage, owner, visitor, row->id, arena));
	if (!(row->rights & ACL_READ))
		return row->rights ? STORE_OK : STORE_ABSENT;
	enum store_outcome outcome =
		visit_seen(storage, owner, visitor, row->id, arena, &seen);

	if (outcome == STORE_OK)
		outcome = unseen_count(storage, owner, row->id, &seen, row);
	return outcome;
}

/* ---- changes ----------------------------------------------------------------------- */

/* Rights that were looked up for this page: its rows are of few mailboxes. */
struct known {
	uint64_t mailbox; /* 0: nothing yet */
	uint32_t rights;
};
enum { KNOWN_MAX = 64 /* a power of two */, LIST_BYTES_MAX = 64 * 1024 };

static uint32_t known_rights(struct storage *storage, account_t owner, account_t visitor,
			     uint64_t mailbox, struct known *known)
{
	struct known *slot = &known[mailbox & (KNOWN_MAX - 1)];
	struct arena arena;

	if (slot->mailbox == mailbox)
		return slot->rights;
	arena_init(&arena, LIST_BYTES_MAX);
	*slot = (struct known){mailbox,
			       rights_in(storage, owner, visitor, mailbox, &arena)};
	arena_fini(&arena);
	return slot->rights;
}

/* Annotations of others are nobody else's business.  RFC 5464 §3.3. */
static bool is_for(const struct change_row *row, account_t visitor)
{
	struct pair_key own;

	return row->kind != CHANGE_ANNOTATION || str_starts(row->entry, STR("s/")) ||
	       str_starts(row->entry, pair_private(&own, visitor));
}

/* What happened to messages and annotations, where he may read.  That some mailbox, or
 * the rights to it, have changed he hears always: it may be one above his own, or one to
 * which he has lost the right.  Which it is, only if he has any right there; one that is
 * gone had a number, and that is all it tells. */
void visit_changes(struct storage *storage, account_t owner, account_t visitor,
		   struct change_row *rows, size_t *count)
{
	struct known known[KNOWN_MAX] = {0};
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		struct change_row *row = &rows[i];
		bool is_hint = row->kind == CHANGE_MAILBOX || row->kind == CHANGE_RIGHTS;
		uint32_t rights = 0;

		if (row->mailbox != 0 && row->kind != CHANGE_MAILBOX_GONE)
			rights = known_rights(storage, owner, visitor, row->mailbox,
					      known);
		if (is_hint && rights == 0)
			row->mailbox = 0;
		if (is_hint || row->kind == CHANGE_MAILBOX_GONE ||
		    ((rights & ACL_READ) && is_for(row, visitor)))
			rows[kept++] = *row;
	}
	*count = kept;
}
