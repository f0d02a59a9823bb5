/* Accounts and mailboxes. */
#include "base/num.h"
#include "base/utf8.h"
#include "storage/plan.h"

enum { MAILBOXES_MAX = 10000 }; /* of an account */

enum store_outcome plan_account(struct plan *plan, struct effect_mailbox *e)
{
	if (plan->work->account.is_there)
		return STORE_CONFLICT;
	*e = (struct effect_mailbox){.mailbox = MAILBOX_INBOX,
				     .name = STR("INBOX"),
				     .role = ROLE_INBOX,
				     .is_subscribed = true,
				     .uid_validity = 1};
	return STORE_OK;
}

static bool name_is_valid(struct str name)
{
	if (name.len == 0 || name.len > MAILBOX_NAME_MAX || !utf8_valid(name))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.ptr[i] < 32 || name.ptr[i] == 127 ||
		    name.ptr[i] == '/')
			return false;
	return true;
}

/* CONFLICT if a sibling has the name.  RFC 9051 §5.1: INBOX is the same in any case. */
static enum store_outcome name_is_free(struct plan *plan, uint64_t parent,
				       struct str name)
{
	struct key key;
	struct str value;

	if (parent == 0 && str_same_nocase(name, STR("INBOX")))
		return STORE_CONFLICT;
	enum store_outcome outcome = plan_err(
		plan,
		kv_get(plan->work->txn,
		       key_name(&key, plan->work->account.id, parent, name), &value));

	if (outcome == STORE_OK)
		return STORE_CONFLICT;
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

/* How many levels lead to the mailbox, itself included (0 for the top).  CONFLICT if
 * `avoid` is on the way, ABSENT if there is no such mailbox. */
static enum store_outcome depth_of(struct plan *plan, uint64_t mailbox, uint64_t avoid,
				   unsigned *depth)
{
	*depth = 0;
	while (mailbox != 0) {
		struct mailbox_row *row;

		if (mailbox == avoid)
			return STORE_CONFLICT;
		enum store_outcome outcome =
			plan_err(plan, work_mailbox(plan->work, mailbox, &row));

		if (outcome != STORE_OK)
			return outcome;
		if (++*depth > MAILBOX_DEPTH_MAX)
			return STORE_INVALID;
		mailbox = row->parent;
	}
	return STORE_OK;
}

/* The first child whose name comes after the given one. */
static err_t next_child(struct work *work, uint64_t parent, struct str after, char *name,
			size_t *name_len, uint64_t *child)
{
	struct key key;
	struct str start = key_name(&key, work->account.id, parent, after);
	size_t prefix = start.len - after.len;
	err_t err = kv_seek(&work->cursor, start);

	if (err == OK && after.len > 0 && str_same(work->cursor.key, start))
		err = kv_next(&work->cursor);
	TRY(err);
	if (!str_starts(work->cursor.key, str_first(start, prefix)))
		return ERR_ABSENT;
	struct str found = str_skip(work->cursor.key, prefix);
	struct dec d = dec_over(work->cursor.value);

	if (found.len == 0 || found.len > MAILBOX_NAME_MAX)
		return ERR_SYNTAX;
	memcpy(name, found.ptr, found.len);
	*name_len = found.len;
	*child = dec_key48(&d);
	return OK;
}

/* How many levels stand under the mailbox; the tree is at most MAILBOX_DEPTH_MAX deep. */
static err_t height_of(struct work *work, uint64_t mailbox, unsigned depth,
		       unsigned *height)
{
	char name[MAILBOX_NAME_MAX];
	size_t name_len = 0;
	uint64_t child;

	*height = 0;
	if (depth > MAILBOX_DEPTH_MAX)
		return ERR_SYNTAX;
	for (;;) {
		unsigned under;
		err_t err = next_child(work, mailbox, (struct str){name, name_len}, name,
				       &name_len, &child);

		if (err == ERR_ABSENT)
			return OK;
		TRY(err);
		TRY(height_of(work, child, depth + 1, &under));
		if (under + 1 > *height)
			*height = under + 1;
	}
}

enum store_outcome plan_find_role(struct plan *plan, enum mailbox_role role,
				  uint64_t *mailbox)
{
	struct work *work = plan->work;
	struct key key;
	struct mailbox_row row;
	err_t err = work_flush(work);

	if (err == OK)
		err = kv_seek(&work->cursor,
			      key_table(&key, work->account.id, TABLE_MAILBOX));
	while (err == OK &&
	       key_is_of(work->cursor.key, work->account.id, TABLE_MAILBOX)) {
		struct dec d = key_dec(work->cursor.key);

		*mailbox = dec_key48(&d);
		if (!dec_ok(&d) || !mailbox_read(work->cursor.value, *mailbox, &row))
			return plan_err(plan, ERR_SYNTAX);
		if (row.role == role)
			return STORE_OK;
		err = kv_next(&work->cursor);
	}
	return err == OK ? STORE_ABSENT : plan_err(plan, err);
}

enum store_outcome plan_find_path(struct plan *plan, struct str path, uint64_t *mailbox)
{
	enum store_outcome outcome = STORE_OK;
	unsigned depth = 0;

	*mailbox = 0;
	while (outcome == STORE_OK && path.len > 0) {
		struct str name = str_cut(&path, '/');
		struct key key;
		struct str value;

		if (!name_is_valid(name) || ++depth > MAILBOX_DEPTH_MAX)
			return STORE_ABSENT;
		if (*mailbox == 0 && str_same_nocase(name, STR("INBOX"))) {
			*mailbox = MAILBOX_INBOX;
			continue;
		}
		outcome = plan_err(plan, kv_get(plan->work->txn,
						key_name(&key, plan->work->account.id,
							 *mailbox, name),
						&value));
		struct dec d = dec_over(value);

		if (outcome == STORE_OK)
			*mailbox = dec_key48(&d);
	}
	return outcome == STORE_OK && *mailbox == 0 ? STORE_ABSENT : outcome;
}

/* At most one mailbox of an account has a role. */
static enum store_outcome role_is_free(struct plan *plan, enum mailbox_role role)
{
	uint64_t taken;
	enum store_outcome outcome = plan_find_role(plan, role, &taken);

	if (outcome == STORE_OK)
		return STORE_CONFLICT;
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

enum store_outcome plan_mailbox_create(struct plan *plan, const struct op_mailbox *op,
				       struct effect_mailbox *e)
{
	struct work *work = plan->work;
	unsigned depth;

	if (!name_is_valid(op->name) || op->role == ROLE_INBOX ||
	    op->role > ROLE_IMPORTANT)
		return STORE_INVALID;
	enum store_outcome outcome = depth_of(plan, op->parent, 0, &depth);

	if (outcome == STORE_OK && depth + 1 > MAILBOX_DEPTH_MAX)
		outcome = STORE_INVALID;
	if (outcome == STORE_OK)
		outcome = name_is_free(plan, op->parent, op->name);
	if (outcome == STORE_OK && op->role != ROLE_NONE)
		outcome = role_is_free(plan, op->role);
	if (outcome != STORE_OK)
		return outcome;
	if (work->account.row.mailboxes >= MAILBOXES_MAX ||
	    work->account.row.uid_validity == UINT32_MAX)
		return STORE_OVER_QUOTA;
	*e = (struct effect_mailbox){.mailbox = work_number(work),
				     .parent = op->parent,
				     .name = op->name,
				     .role = (uint8_t)op->role,
				     .is_container = op->is_container,
				     .is_subscribed = op->is_subscribed,
				     .uid_validity = work->account.row.uid_validity};
	return STORE_OK;
}

enum store_outcome plan_mailbox_rename(struct plan *plan, const struct op_mailbox *op,
				       struct effect_mailbox *e)
{
	struct mailbox_row *row;
	unsigned depth, height;

	if (!name_is_valid(op->name) || op->mailbox == MAILBOX_INBOX)
		return STORE_INVALID;
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(plan->work, op->mailbox, &row));

	if (outcome != STORE_OK)
		return outcome;
	*e = (struct effect_mailbox){
		.mailbox = op->mailbox, .parent = op->parent, .name = op->name};
	if (row->parent == op->parent && str_same(row->name, op->name))
		return STORE_OK;
	/* A mailbox cannot go under itself. */
	outcome = depth_of(plan, op->parent, op->mailbox, &depth);
	if (outcome == STORE_OK)
		outcome = plan_err(plan, height_of(plan->work, op->mailbox, 0, &height));
	if (outcome == STORE_OK && depth + 1 + height > MAILBOX_DEPTH_MAX)
		outcome = STORE_INVALID;
	if (outcome == STORE_OK)
		outcome = name_is_free(plan, op->parent, op->name);
	return outcome;
}

enum store_outcome plan_mailbox_delete(struct plan *plan, const struct op_mailbox *op,
				       struct effect_mailbox *e)
{
	struct mailbox_row *row;
	char name[MAILBOX_NAME_MAX];
	size_t name_len;
	uint64_t child;

	if (op->mailbox == MAILBOX_INBOX)
		return STORE_INVALID;
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(plan->work, op->mailbox, &row));

	if (outcome != STORE_OK)
		return outcome;
	*e = (struct effect_mailbox){.mailbox = op->mailbox};
	outcome = plan_err(plan, next_child(plan->work, op->mailbox, STR(""), name,
					    &name_len, &child));
	if (outcome == STORE_OK)
		return STORE_CONFLICT; /* it has children */
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

/* Where nothing below the UID is recent, nothing is done. */
enum store_outcome plan_recent(struct plan *plan, const struct op_recent *op,
			       struct effect_recent *e, struct op_result *result)
{
	struct mailbox_row *row;
	enum store_outcome outcome =
		plan_err(plan, work_mailbox(plan->work, op->mailbox, &row));

	*e = (struct effect_recent){.mailbox = op->mailbox};
	if (outcome != STORE_OK)
		return outcome;
	*result = (struct op_result){.uid = row->recent_from};
	if (row->recent > 0 && op->below > row->recent_from)
		e->below = (uint32_t)num_min(op->below, row->uid_next);
	return outcome;
}

enum store_outcome plan_mailbox_subscribe(struct plan *plan, const struct op_mailbox *op,
					  struct effect_mailbox *e)
{
	struct mailbox_row *row;

	*e = (struct effect_mailbox){.mailbox = op->mailbox,
				     .is_subscribed = op->is_subscribed};
	return plan_err(plan, work_mailbox(plan->work, op->mailbox, &row));
}
