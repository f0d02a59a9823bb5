#include "imap/shares.h"

#include <stdlib.h>

#include "base/mem.h"
#include "directory/directory.h"
#include "store/acl.h"

enum { OWNERS_MAX = 2000, SUBSCRIPTIONS_MAX = 10000 };

void shares_end(struct session *s)
{
	for (size_t i = 0; i < s->share_count; i++)
		store_visit_end(session_store(s), s->shares[i].visit);
	mem_free(s->shares);
	s->shares = NULL;
	s->share_count = s->share_room = 0;
}

/* Where the owner's visit stands among those that are open, or would. */
static size_t place_of(const struct session *s, account_t owner)
{
	size_t low = 0, high = s->share_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->shares[middle].owner < owner)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum store_outcome shares_visit(struct session *s, account_t owner, account_t *visit)
{
	size_t at = place_of(s, owner);

	if (at < s->share_count && s->shares[at].owner == owner) {
		*visit = s->shares[at].visit;
		return STORE_OK;
	}
	if (owner == s->login.account)
		return STORE_ABSENT;
	enum store_outcome outcome =
		store_visit(session_store(s), s->login.account, owner, visit);

	if (outcome != STORE_OK)
		return outcome;
	MEM_ROOM(s->shares, s->share_count, s->share_room);
	memmove(&s->shares[at + 1], &s->shares[at],
		(s->share_count++ - at) * sizeof *s->shares);
	s->shares[at] = (struct share){owner, *visit};
	return STORE_OK;
}

static enum store_outcome outcome_of(enum directory_find found)
{
	switch (found) {
	case DIRECTORY_ACCOUNT:
		return STORE_OK;
	case DIRECTORY_UNKNOWN:
		return STORE_UNAVAILABLE;
	case DIRECTORY_ALIAS:
	case DIRECTORY_NOBODY:
	case DIRECTORY_FOREIGN:
		break;
	}
	return STORE_ABSENT;
}

/* Cuts off the first level if it is the root of a namespace. */
static bool cut_root(struct str *path, bool *is_shared)
{
	struct str level = str_cut(path, '/');

	*is_shared = str_same(level, SHARED_ROOT);
	return *is_shared || str_same(level, OTHERS_ROOT);
}

bool shares_name(struct str path)
{
	bool is_shared;

	return cut_root(&path, &is_shared);
}

enum store_outcome shares_find(struct session *s, struct str path, account_t *owner,
			       account_t *visit)
{
	const struct directory *directory = s->service->login.directory;
	struct directory_account record;
	bool is_shared;

	if (!cut_root(&path, &is_shared))
		return STORE_ABSENT;
	struct str name = str_cut(&path, '/');
	enum store_outcome outcome =
		name.len == 0 ? STORE_ABSENT
			      : outcome_of(directory_find_login(directory, name,
								&s->scratch, owner));

	if (outcome == STORE_OK)
		outcome = outcome_of(
			directory_account(directory, *owner, &s->scratch, &record));
	if (outcome != STORE_OK)
		return outcome;
	/* A mailbox has one name. */
	if (!str_same(record.address, name) || record.is_shared != is_shared)
		return STORE_ABSENT;
	return shares_visit(s, *owner, visit);
}

/* ---- who shares -------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const account_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* The owners of these pairs, each once, without ourselves. */
static enum store_outcome owners_of(struct session *s, const struct kv_row *rows,
				    size_t row_count, account_t **owners, size_t *count)
{
	account_t *list = ARENA_ARRAY(&s->scratch, account_t, row_count + 1);
	size_t found = 0;

	*owners = list;
	*count = 0;
	if (!list)
		return STORE_INVALID;
	for (size_t i = 0; i < row_count; i++) {
		uint64_t mailbox;
		account_t owner = pair_owner(rows[i].key, &mailbox);

		if (owner != ACCOUNT_SYSTEM && owner != s->login.account)
			list[found++] = owner;
	}
	qsort(list, found, sizeof *list, by_number);
	for (size_t i = 0; i < found; i++)
		if (*count == 0 || list[*count - 1] != list[i])
			list[(*count)++] = list[i];
	return STORE_OK;
}

enum store_outcome shares_owners(struct session *s, account_t **owners, size_t *count)
{
	struct store *store = session_store(s);
	struct kv_row *mine, *all, *both;
	size_t mine_count, all_count = 0;
	enum store_outcome outcome =
		store_kv_scan(store, s->login.account, PAIR_FROM, STR(""), OWNERS_MAX,
			      &s->scratch, &mine, &mine_count);

	*count = 0;
	if (outcome == STORE_OK)
		outcome = store_kv_scan(store, ACCOUNT_SYSTEM, PAIR_ANYONE, STR(""),
					OWNERS_MAX, &s->scratch, &all, &all_count);
	if (outcome != STORE_OK)
		return outcome;
	both = ARENA_ARRAY(&s->scratch, struct kv_row, mine_count + all_count + 1);
	if (!both)
		return STORE_INVALID;
	for (size_t i = 0; i < mine_count + all_count; i++)
		both[i] = i < mine_count ? mine[i] : all[i - mine_count];
	return owners_of(s, both, mine_count + all_count, owners, count);
}

enum store_outcome shares_subscribed(struct session *s, account_t **owners, size_t *count)
{
	struct kv_row *rows;
	size_t row_count;
	enum store_outcome outcome =
		store_kv_scan(session_store(s), s->login.account, PAIR_SUBSCRIPTIONS,
			      STR(""), SUBSCRIPTIONS_MAX, &s->scratch, &rows, &row_count);

	*count = 0;
	return outcome == STORE_OK ? owners_of(s, rows, row_count, owners, count)
				   : outcome;
}

/* ---- mailboxes --------------------------------------------------------------------- */

static struct mailbox node(struct str path, struct mailbox *above)
{
	return (struct mailbox){.row = {.is_container = true},
				.path = path,
				.above = above,
				.is_visible = true};
}

enum store_outcome shares_load(struct session *s, account_t owner, struct mailboxes *all)
{
	struct directory_account record;
	account_t visit;
	enum store_outcome outcome = outcome_of(directory_account(
		s->service->login.directory, owner, &s->scratch, &record));

	*all = (struct mailboxes){0};
	if (outcome == STORE_OK)
		outcome = shares_visit(s, owner, &visit);
	if (outcome != STORE_OK)
		return outcome;
	struct str root = record.is_shared ? SHARED_ROOT : OTHERS_ROOT;
	struct str name = arena_printf(&s->scratch, "%.*s/%.*s", STR_FMT(root),
				       STR_FMT(record.address));

	if (name.len == 0)
		return STORE_INVALID;
	outcome = mailboxes_load_of(s, visit, 2, all);
	if (outcome != STORE_OK)
		return outcome;
	all->owner = owner;
	all->list[0] = node(root, NULL);
	all->list[1] = node(name, &all->list[0]);
	return mailboxes_name(s, all);
}

/* By the ids of their mailboxes, as the pairs are. */
static bool is_subscribed(const struct kv_row *rows, size_t count, account_t owner,
			  uint64_t mailbox)
{
	struct pair_key name;
	struct str wanted = pair_subscription(&name, owner, mailbox);
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(rows[middle].key, wanted);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

enum store_outcome shares_mark_subscribed(struct session *s, struct mailboxes *all)
{
	struct pair_key name;
	struct kv_row *rows;
	size_t count;
	/* Of mailbox 0 there is none: what stands in front of it is his for all. */
	struct str first = pair_subscription(&name, all->owner, 0);
	enum store_outcome outcome =
		store_kv_scan(session_store(s), s->login.account,
			      str_first(first, PAIR_SUBSCRIPTIONS.len + 9), STR(""),
			      SUBSCRIPTIONS_MAX, &s->scratch, &rows, &count);

	for (size_t i = 0; i < all->count && outcome == STORE_OK; i++) {
		struct mailbox *mailbox = &all->list[i];

		if (!is_subscribed(rows, count, all->owner, mailbox->row.id))
			continue;
		mailbox->row.is_subscribed = true;
		for (struct mailbox *above = mailbox->above; above; above = above->above)
			above->has_subscribed_below = true;
	}
	return outcome;
}

void shares_mark_seen(struct session *s, account_t account, uint64_t mailbox,
		      struct uid_set uids)
{
	struct store_op op = {.kind = OP_FLAGS};
	struct store_commit commit = {.account = account, .ops = &op, .count = 1};

	op.flags = (struct op_flags){.mailbox = mailbox,
				     .uids = uids,
				     .mode = FLAGS_ADD,
				     .flags = FLAG_SEEN,
				     .unchanged_since = UINT64_MAX};
	if (uids.count > 0 && account >= ACCOUNT_VISITS)
		(void)store_commit(session_store(s), &commit, &s->scratch, NULL);
}
