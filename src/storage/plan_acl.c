/* The access control list of a mailbox: one entry of it changes, and the whole list is
 * put, so that the log knows nothing but pairs. */
#include "storage/plan.h"
#include "store/acl.h"

static bool is_valid(const struct op_acl *op)
{
	const struct acl_who *who = &op->entry.who;

	if (who->kind == ACL_ACCOUNT && who->account == ACCOUNT_SYSTEM)
		return false;
	return (op->entry.rights & ~(uint32_t)ACL_RIGHTS) == 0 &&
	       (who->kind == ACL_ACCOUNT || who->account == 0);
}

static uint32_t combine(uint32_t old, enum acl_change change, uint32_t rights)
{
	switch (change) {
	case ACL_SET:
		return rights;
	case ACL_ADD:
		return old | rights;
	case ACL_REMOVE:
		return old & ~rights;
	}
	return old;
}

/* False if the list is full. */
static bool change_entry(struct acl *acl, const struct op_acl *op)
{
	const struct acl_who *who = &op->entry.who;
	size_t at = 0;

	while (at < acl->count && (acl->entries[at].who.kind != who->kind ||
				   acl->entries[at].who.is_negative != who->is_negative ||
				   acl->entries[at].who.account != who->account))
		at++;
	uint32_t old = at < acl->count ? acl->entries[at].rights : 0;
	uint32_t rights = combine(old, op->change, op->entry.rights);

	if (at == acl->count && rights == 0)
		return true;
	if (at == ACL_ENTRIES_MAX)
		return false;
	if (at == acl->count) /* acl_read() leaves room for one more */
		acl->entries[acl->count++] = (struct acl_entry){.who = *who};
	acl->entries[at].rights = rights;
	if (rights == 0)
		acl->entries[at] = acl->entries[--acl->count];
	return true;
}

/* The list as it is; empty if there is none. */
static enum store_outcome load(struct plan *plan, struct str name, struct acl *acl)
{
	static const struct str none = {"\1\0", 2};
	struct key key;
	struct str value;
	enum store_outcome outcome = plan_err(
		plan, kv_get(plan->work->txn, key_kv(&key, plan->work->account.id, name),
			     &value));

	if (outcome == STORE_ABSENT) {
		outcome = STORE_OK;
		value = none;
	}
	/* A damaged one gives nobody anything: it begins anew. */
	if (outcome == STORE_OK && !acl_read(value, plan->arena, acl) &&
	    !acl_read(none, plan->arena, acl))
		outcome = STORE_INVALID;
	return outcome;
}

enum store_outcome plan_acl(struct plan *plan, const struct op_acl *op,
			    struct effect *effect)
{
	struct mailbox_row *mailbox;
	struct pair_key name;
	struct acl acl;

	if (!is_valid(op))
		return STORE_INVALID;
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(plan->work, op->mailbox, &mailbox));

	if (outcome == STORE_OK)
		outcome = load(plan, pair_acl(&name, op->mailbox), &acl);
	if (outcome != STORE_OK)
		return outcome;
	if (!change_entry(&acl, op) ||
	    !arena_copy(plan->arena, pair_acl(&name, op->mailbox), &effect->kv.key))
		return STORE_INVALID;
	effect->kind = acl.count > 0 ? OP_KV_PUT : OP_KV_DELETE;
	effect->kv.value = STR("");
	if (acl.count == 0)
		return STORE_OK;
	buf_reset(plan->scratch);
	acl_write(plan->scratch, &acl);
	effect->kv.value = buf_str(plan->scratch);
	return buf_ok(plan->scratch) ? STORE_OK : STORE_INVALID;
}
