#include "imap/shares.h"

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

static enum store_outcome open_share(struct session *s, account_t owner, account_t *visit)
{
	for (size_t i = 0; i < s->share_count; i++) {
		*visit = s->shares[i].visit;
		if (s->shares[i].owner == owner)
			return STORE_OK;
	}
	if (owner == s->login.account)
		return STORE_ABSENT;
	enum store_outcome outcome =
		store_visit(session_store(s), s->login.account, owner, visit);

	if (outcome != STORE_OK)
		return outcome;
	MEM_ROOM(s->shares, s->share_count, s->share_room);
	s->shares[s->share_count++] = (struct share){owner, *visit};
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
	return open_share(s, *owner, visit);
}

/* ---- who shares -------------------------------------------------------------------- */

static void add_owners(account_t *owners, size_t *count, account_t self,
		       const struct kv_row *rows, size_t row_count)
{
	for (size_t i = 0; i < row_count; i++) {
		uint64_t mailbox;
		account_t owner = pair_owner(rows[i].key, &mailbox);
		bool is_there = owner == ACCOUNT_SYSTEM || owner == self;

		for (size_t n = 0; n < *count && !is_there; n++)
			is_there = owners[n] == owner;
		if (!is_there)
			owners[(*count)++] = owner;
	}
}

enum store_outcome shares_owners(struct session *s, account_t **owners, size_t *count)
{
	struct store *store = session_store(s);
	account_t self = s->login.account;
	struct kv_row *mine, *all;
	size_t mine_count, all_count = 0;
	enum store_outcome outcome =
		store_kv_scan(store, self, PAIR_FROM, STR(""), OWNERS_MAX, &s->scratch,
			      &mine, &mine_count);

	*count = 0;
	if (outcome == STORE_OK)
		outcome = store_kv_scan(store, ACCOUNT_SYSTEM, PAIR_ANYONE, STR(""),
					OWNERS_MAX, &s->scratch, &all, &all_count);
	if (outcome != STORE_OK)
		return outcome;
	*owners = ARENA_ARRAY(&s->scratch, account_t, mine_count + all_count + 1);
	if (!*owners)
		return STORE_INVALID;
	add_owners(*owners, count, self, mine, mine_count);
	add_owners(*owners, count, self, all, all_count);
	return STORE_OK;
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
		outcome = open_share(s, owner, &visit);
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
	struct kv_row *rows;
	size_t count;
	enum store_outcome outcome =
		store_kv_scan(session_store(s), s->login.account, PAIR_SUBSCRIPTIONS,
			      STR(""), SUBSCRIPTIONS_MAX, &s->scratch, &rows, &count);

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
