#include "directory/directory.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "directory/name.h"
#include "directory/record.h"
#include "store/store.h"

enum {
	SCRATCH_MAX = 1024 * 1024,
	TRIES_MAX = 100, /* of account numbers that others take first */
};

/* One administrative act: its memory, and the operations it gathers. */
struct act {
	const struct directory *directory;
	struct arena arena;
	struct buf values;
	struct store_op ops[8];
	size_t count, failed_op;
};

static void act_init(struct act *act, const struct directory *directory)
{
	*act = (struct act){.directory = directory, .values = BUF(4 * KV_VALUE_MAX)};
	arena_init(&act->arena, SCRATCH_MAX);
}

static void act_fini(struct act *act)
{
	buf_fini(&act->values);
	arena_fini(&act->arena);
}

/* Moves what was added to values since the last time into a put of that key. */
static void act_put(struct act *act, struct str key, bool only_if_absent)
{
	struct store_op *op = &act->ops[act->count++];
	struct str value;

	ASSERT(act->count <= COUNT_OF(act->ops));
	if (!arena_copy(&act->arena, buf_str(&act->values), &value))
		act->values.failed = true;
	buf_cut(&act->values, 0);
	*op = (struct store_op){.kind = OP_KV_PUT};
	op->kv = (struct op_kv){key, value, only_if_absent};
}

static void act_delete(struct act *act, struct str key)
{
	struct store_op *op = &act->ops[act->count++];

	ASSERT(act->count <= COUNT_OF(act->ops));
	*op = (struct store_op){.kind = OP_KV_DELETE};
	op->kv.key = key;
}

static enum store_outcome act_commit(struct act *act, account_t account)
{
	struct store_commit commit = {
		.account = account, .ops = act->ops, .count = act->count};
	struct store_result result = {0};
	enum store_outcome outcome;

	if (!buf_ok(&act->values))
		return STORE_INVALID;
	outcome = store_commit(act->directory->store, &commit, &act->arena, &result);
	act->failed_op = result.failed_op;
	act->count = 0;
	return outcome;
}

static enum store_outcome act_get(struct act *act, struct str key, struct str *value)
{
	return store_kv_get(act->directory->store, ACCOUNT_SYSTEM, key, &act->arena,
			    value);
}

/* Takes an address apart that is to be made here: both parts in their one spelling. */
static bool act_new_address(struct act *act, struct str address, struct str *local,
			    struct str *domain)
{
	name_split(address, local, domain);
	if (domain->len == 0)
		*domain = act->directory->default_domain;
	return name_new_local(*local, &act->arena, local) &&
	       name_domain(*domain, &act->arena, domain);
}

/* ---- domains ----------------------------------------------------------------------- */

enum store_outcome directory_add_domain(const struct directory *directory,
					struct str domain)
{
	SCOPED(act_fini) struct act act;

	act_init(&act, directory);
	if (!name_domain(domain, &act.arena, &domain))
		return STORE_INVALID;
	record_add_domain(&act.values);
	act_put(&act, record_domain_key(&act.arena, domain), true);
	return act_commit(&act, ACCOUNT_SYSTEM);
}

/* Looks through one page of addresses; after becomes the page's last key, or stays when
 * the page is empty. */
static enum store_outcome page_uses_domain(const struct directory *directory,
					   struct str domain, struct buf *after,
					   size_t *count, bool *is_used)
{
	SCOPED(arena_fini) struct arena page;
	struct kv_row *rows;
	enum store_outcome outcome;

	arena_init(&page, SCRATCH_MAX);
	outcome = store_kv_scan(directory->store, ACCOUNT_SYSTEM, RECORD_ADDRESSES,
				buf_str(after), 500, &page, &rows, count);
	if (outcome != STORE_OK || *count == 0)
		return outcome;
	for (size_t i = 0; i < *count; i++) {
		struct str key = rows[i].key;

		*is_used |= str_same(str_skip(key, str_rfind_byte(key, '@') + 1), domain);
	}
	buf_reset(after);
	buf_add(after, rows[*count - 1].key);
	return STORE_OK;
}

/* OK if no address is left in the domain, else CONFLICT. */
static enum store_outcome domain_is_empty(const struct directory *directory,
					  struct str domain)
{
	SCOPED(buf_fini) struct buf after = BUF(KV_KEY_MAX);
	bool is_used = false;
	enum store_outcome outcome;
	size_t count;

	do
		outcome = page_uses_domain(directory, domain, &after, &count, &is_used);
	while (outcome == STORE_OK && count > 0 && !is_used);
	return is_used ? STORE_CONFLICT : outcome;
}

enum store_outcome directory_remove_domain(const struct directory *directory,
					   struct str domain)
{
	SCOPED(act_fini) struct act act;
	enum store_outcome outcome;
	struct str key, value;

	act_init(&act, directory);
	if (!name_domain(domain, &act.arena, &domain))
		return STORE_INVALID;
	key = record_domain_key(&act.arena, domain);
	outcome = act_get(&act, key, &value);
	if (outcome == STORE_OK)
		outcome = domain_is_empty(directory, domain);
	if (outcome != STORE_OK)
		return outcome;
	act_delete(&act, key);
	key = record_dkim_key(&act.arena, domain);
	outcome = act_get(&act, key, &value);
	if (outcome == STORE_OK)
		act_delete(&act, key);
	else if (outcome != STORE_ABSENT)
		return outcome;
	return act_commit(&act, ACCOUNT_SYSTEM);
}

/* ---- accounts ---------------------------------------------------------------------- */

/* RFC 6154 §2: what mail clients look for; INBOX comes with the account. */
static const struct {
	struct str name;
	enum mailbox_role role;
} first_mailboxes[] = {
	{{"Drafts", 6}, ROLE_DRAFTS},   {{"Sent", 4}, ROLE_SENT},
	{{"Junk", 4}, ROLE_JUNK},       {{"Trash", 5}, ROLE_TRASH},
	{{"Archive", 7}, ROLE_ARCHIVE},
};

/* CONFLICT if the store has the account already. */
static enum store_outcome account_make_mailboxes(struct act *act, account_t account)
{
	ASSERT(act->count == 0);
	act->ops[act->count++] = (struct store_op){.kind = OP_ACCOUNT_CREATE};
	act->ops[act->count++] = (struct store_op){
		.kind = OP_MAILBOX_SUBSCRIBE,
		.mailbox = {.mailbox = MAILBOX_INBOX, .is_subscribed = true}};
	for (size_t i = 0; i < COUNT_OF(first_mailboxes); i++) {
		act->ops[act->count++] =
			(struct store_op){.kind = OP_MAILBOX_CREATE,
					  .mailbox = {.name = first_mailboxes[i].name,
						      .role = first_mailboxes[i].role,
						      .is_subscribed = true}};
	}
	ASSERT(act->count <= COUNT_OF(act->ops));
	return act_commit(act, account);
}

/* The address is taken.  If the making of its account was cut short before the mailboxes
 * were there, it is finished now: OK.  Else CONFLICT. */
static enum store_outcome account_heal(struct act *act, struct str local,
				       struct str domain, account_t *account)
{
	struct directory_entry entry;

	switch (directory_find(act->directory, local, domain, &act->arena, &entry)) {
	case DIRECTORY_ACCOUNT:
		*account = entry.account;
		return account_make_mailboxes(act, entry.account);
	case DIRECTORY_ALIAS:
		return STORE_CONFLICT;
	case DIRECTORY_NOBODY:
	case DIRECTORY_FOREIGN:
	case DIRECTORY_UNKNOWN:
		break;
	}
	return STORE_UNAVAILABLE; /* removed meanwhile, or cannot tell */
}

/* The rows that make the address known, under the number given; CONFLICT with
 * act->failed_op 0 if the number is taken, 1 if the address is. */
static enum store_outcome account_put_rows(struct act *act, account_t account,
					   struct str local, struct str domain,
					   enum directory_role role)
{
	struct directory_entry entry = {.account = account};
	struct account_record record = {ACCOUNT_LIVE, role, STR("")};
	struct str value;

	record.address =
		arena_printf(&act->arena, "%.*s@%.*s", STR_FMT(local), STR_FMT(domain));
	record_add_account(&act->values, &record);
	act_put(act, record_account_key(&act->arena, account), true);
	record_add_address(&act->values, &entry);
	act_put(act, record_address_key(&act->arena, local, domain), true);
	record_add_number(&act->values, account + 1);
	act_put(act, RECORD_NEXT, false);
	if (role == DIRECTORY_ADMIN &&
	    act_get(act, RECORD_POSTMASTER, &value) == STORE_ABSENT) {
		record_add_number(&act->values, account);
		act_put(act, RECORD_POSTMASTER, false);
	}
	return act_commit(act, ACCOUNT_SYSTEM);
}

/* Two who do this at once may read the same next number: one of them finds it taken and
 * goes on to the next. */
static enum store_outcome account_take_number(struct act *act, struct str local,
					      struct str domain, enum directory_role role,
					      account_t *account)
{
	struct str value;
	account_t number = 1;
	enum store_outcome outcome = act_get(act, RECORD_NEXT, &value);

	if (outcome == STORE_OK && !record_number(value, &number))
		return STORE_UNAVAILABLE;
	if (outcome != STORE_OK && outcome != STORE_ABSENT)
		return outcome;
	for (int i = 0; i < TRIES_MAX && number < ACCOUNT_VISITS; i++, number++) {
		*account = number;
		outcome = account_put_rows(act, number, local, domain, role);
		if (outcome != STORE_CONFLICT || act->failed_op != 0)
			return outcome;
	}
	return STORE_UNAVAILABLE;
}

enum store_outcome directory_add_account(const struct directory *directory,
					 struct str address, enum directory_role role,
					 account_t *account)
{
	SCOPED(act_fini) struct act act;
	struct str local, domain, value;
	enum store_outcome outcome;

	act_init(&act, directory);
	if (!act_new_address(&act, address, &local, &domain))
		return STORE_INVALID;
	outcome = act_get(&act, record_domain_key(&act.arena, domain), &value);
	if (outcome != STORE_OK)
		return outcome;
	outcome = account_take_number(&act, local, domain, role, account);
	if (outcome == STORE_CONFLICT)
		return account_heal(&act, local, domain, account);
	if (outcome != STORE_OK)
		return outcome;
	outcome = account_make_mailboxes(&act, *account);
	/* CONFLICT: somebody who asked for the same address has finished it for us */
	return outcome == STORE_CONFLICT ? STORE_OK : outcome;
}

/* The first admin on a page of the list, 0 if none; after becomes the page's last name,
 * or stays when the page is empty. */
static enum store_outcome admin_on_page(const struct directory *directory, account_t but,
					struct buf *after, size_t *count,
					account_t *account)
{
	SCOPED(arena_fini) struct arena page;
	struct directory_item *items;
	enum store_outcome outcome;

	arena_init(&page, SCRATCH_MAX);
	outcome = directory_list(directory, DIRECTORY_ACCOUNTS, buf_str(after), 500,
				 &page, &items, count);
	if (outcome != STORE_OK || *count == 0)
		return outcome;
	for (size_t i = 0; i < *count && *account == ACCOUNT_SYSTEM; i++) {
		if (items[i].is_admin && items[i].entry.account != but)
			*account = items[i].entry.account;
	}
	buf_reset(after);
	buf_add(after, items[*count - 1].name);
	return STORE_OK;
}

/* Another admin to whom postmaster's mail goes from now on; 0 if there is none. */
static enum store_outcome other_admin(struct act *act, account_t but, account_t *account)
{
	SCOPED(buf_fini) struct buf after = BUF(KV_KEY_MAX);
	enum store_outcome outcome;
	size_t count;

	*account = ACCOUNT_SYSTEM;
	do
		outcome = admin_on_page(act->directory, but, &after, &count, account);
	while (outcome == STORE_OK && count > 0 && *account == ACCOUNT_SYSTEM);
	return outcome;
}

static enum store_outcome account_move_postmaster(struct act *act, account_t from)
{
	account_t postmaster = ACCOUNT_SYSTEM;
	struct str value;
	enum store_outcome outcome = act_get(act, RECORD_POSTMASTER, &value);

	if (outcome == STORE_ABSENT)
		return STORE_OK;
	if (outcome != STORE_OK || !record_number(value, &postmaster) ||
	    postmaster != from)
		return outcome;
	outcome = other_admin(act, from, &postmaster);
	if (outcome != STORE_OK)
		return outcome;
	if (postmaster == ACCOUNT_SYSTEM) {
		act_delete(act, RECORD_POSTMASTER);
		return STORE_OK;
	}
	record_add_number(&act->values, postmaster);
	act_put(act, RECORD_POSTMASTER, false);
	return STORE_OK;
}

enum store_outcome directory_remove_account(const struct directory *directory,
					    struct str address)
{
	SCOPED(act_fini) struct act act;
	struct account_record record;
	struct directory_entry entry;
	struct str local, domain, key, account_key, value;
	enum store_outcome outcome;

	act_init(&act, directory);
	if (!act_new_address(&act, address, &local, &domain))
		return STORE_INVALID;
	key = record_address_key(&act.arena, local, domain);
	outcome = act_get(&act, key, &value);
	if (outcome != STORE_OK)
		return outcome;
	if (record_address(value, &act.arena, &entry) != DIRECTORY_ACCOUNT)
		return STORE_ABSENT;
	account_key = record_account_key(&act.arena, entry.account);
	outcome = act_get(&act, account_key, &value);
	if (outcome != STORE_OK || !record_account(value, &record))
		return outcome == STORE_OK ? STORE_UNAVAILABLE : outcome;
	outcome = account_move_postmaster(&act, entry.account);
	if (outcome != STORE_OK)
		return outcome;
	record.state = ACCOUNT_REMOVED;
	record_add_account(&act.values, &record);
	act_put(&act, account_key, false);
	act_delete(&act, key);
	return act_commit(&act, ACCOUNT_SYSTEM);
}

/* ---- aliases ----------------------------------------------------------------------- */

/* Targets may be anywhere, but each is a whole address. */
static bool alias_targets(struct act *act, const struct str *targets, size_t count,
			  struct str **checked)
{
	*checked = ARENA_ARRAY(&act->arena, struct str, count);
	if (!*checked)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct str local, domain;

		name_split(targets[i], &local, &domain);
		if (domain.len == 0)
			domain = act->directory->default_domain;
		if (local.len == 0 || local.len > NAME_LOCAL_MAX || !utf8_valid(local) ||
		    !name_domain(domain, &act->arena, &domain))
			return false;
		(*checked)[i] = arena_printf(&act->arena, "%.*s@%.*s", STR_FMT(local),
					     STR_FMT(domain));
		if ((*checked)[i].len == 0)
			return false;
	}
	return true;
}

enum store_outcome directory_add_alias(const struct directory *directory,
				       struct str address, const struct str *targets,
				       size_t count)
{
	SCOPED(act_fini) struct act act;
	struct str local, domain, value, *checked;
	enum store_outcome outcome;

	act_init(&act, directory);
	if (count == 0 || count > RECORD_TARGETS_MAX ||
	    !act_new_address(&act, address, &local, &domain) ||
	    !alias_targets(&act, targets, count, &checked))
		return STORE_INVALID;
	outcome = act_get(&act, record_domain_key(&act.arena, domain), &value);
	if (outcome != STORE_OK)
		return outcome;
	record_add_address(&act.values, &(struct directory_entry){
						.targets = checked,
						.target_count = count,
					});
	if (act.values.len > KV_VALUE_MAX)
		return STORE_INVALID;
	act_put(&act, record_address_key(&act.arena, local, domain), true);
	return act_commit(&act, ACCOUNT_SYSTEM);
}

enum store_outcome directory_remove_alias(const struct directory *directory,
					  struct str address)
{
	SCOPED(act_fini) struct act act;
	struct directory_entry entry;
	struct str local, domain, key, value;
	enum store_outcome outcome;

	act_init(&act, directory);
	if (!act_new_address(&act, address, &local, &domain))
		return STORE_INVALID;
	key = record_address_key(&act.arena, local, domain);
	outcome = act_get(&act, key, &value);
	if (outcome != STORE_OK)
		return outcome;
	if (record_address(value, &act.arena, &entry) != DIRECTORY_ALIAS)
		return STORE_ABSENT;
	act_delete(&act, key);
	return act_commit(&act, ACCOUNT_SYSTEM);
}
