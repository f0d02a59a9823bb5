/* Accounts and mailboxes. */
#include <stdio.h>

#include "base/log.h"
#include "base/num.h"
#include "storage/apply.h"
#include "storage/changes.h"
#include "storage/gone.h"
#include "storage/members.h"
#include "storage/shared.h"

static uint64_t less(uint64_t from, uint64_t by)
{
	return from - num_min(from, by);
}

static err_t name_put(struct work *work, uint64_t parent, struct str name,
		      uint64_t mailbox)
{
	struct key key;

	buf_reset(&work->row);
	enc_key48(&work->row, mailbox);
	return kv_put(work->txn, key_name(&key, work->account.id, parent, name),
		      buf_str(&work->row));
}

static err_t name_delete(struct work *work, uint64_t parent, struct str name)
{
	struct key key;
	err_t err = kv_delete(work->txn, key_name(&key, work->account.id, parent, name));

	return err == ERR_ABSENT ? OK : err;
}

err_t apply_mailbox_create(struct work *work, const struct effect_mailbox *e,
			   struct op_result *result)
{
	struct account_row *account = &work->account.row;
	struct mailbox_row row = {.id = e->mailbox,
				  .parent = e->parent,
				  .name = e->name,
				  .role = (enum mailbox_role)e->role,
				  .is_container = e->is_container,
				  .is_subscribed = e->is_subscribed,
				  .uid_validity = e->uid_validity,
				  .uid_next = 1,
				  .recent_from = 1};

	work_number_used(work, e->mailbox);
	TRY(gone_take(work, e->parent, e->name, &row.is_subscribed));
	row.modseq = work_change(work);
	TRY(work_mailbox_put(work, &row));
	TRY(name_put(work, e->parent, e->name, e->mailbox));
	account->mailboxes++;
	account->uid_validity =
		(uint32_t)num_max(account->uid_validity, (uint64_t)e->uid_validity + 1);
	work->state.mailboxes++;
	if (e->parent != 0)
		TRY(shared_inherit(work, e->parent, e->mailbox));
	*result = (struct op_result){.mailbox = e->mailbox,
				     .uid_validity = e->uid_validity};
	return change_add(work, CHANGE_MAILBOX, e->mailbox, (struct uid_set){0});
}

err_t apply_account(struct work *work, const struct effect_mailbox *e,
		    struct op_result *result)
{
	work->account.is_there = work->account.is_dirty = true;
	work->account.row = (struct account_row){
		.next = 1, .uid_validity = 1, .keep_days = KEEP_DAYS};
	work->state.accounts++;
	return apply_mailbox_create(work, e, result);
}

err_t apply_mailbox_revive(struct work *work, uint64_t mailbox)
{
	char name[40];
	int len = snprintf(name, sizeof name, "Recovered %llu",
			   (unsigned long long)mailbox);
	struct effect_mailbox e = {
		.mailbox = mailbox, .name = {name, (size_t)len}, .is_subscribed = true};
	struct op_result result;

	LOG(ERROR, "log speaks of a lost mailbox", KV_INT("account", work->account.id),
	    KV_INT("mailbox", mailbox));
	if (mailbox == MAILBOX_INBOX) {
		e.name = STR("INBOX");
		e.role = ROLE_INBOX;
	}
	if (!work->account.is_there) {
		work->account.is_there = true;
		work->account.row = (struct account_row){.next = 1, .uid_validity = 1};
		work->state.accounts++;
	}
	e.uid_validity = work->account.row.uid_validity;
	return apply_mailbox_create(work, &e, &result);
}

/* As in apply_message.c: gone only by damage. */
static err_t known_mailbox(struct work *work, uint64_t mailbox, struct mailbox_row **row)
{
	err_t err = work_mailbox(work, mailbox, row);

	if (err == ERR_ABSENT)
		LOG(ERROR, "log speaks of a lost mailbox",
		    KV_INT("account", work->account.id), KV_INT("mailbox", mailbox));
	return err;
}

err_t apply_mailbox_rename(struct work *work, const struct effect_mailbox *e)
{
	struct mailbox_row *row;
	err_t err = known_mailbox(work, e->mailbox, &row);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	TRY(name_delete(work, row->parent, row->name));
	TRY(name_put(work, e->parent, e->name, e->mailbox));
	struct mailbox_row renamed = *row;

	renamed.parent = e->parent;
	renamed.name = e->name;
	TRY(gone_take(work, e->parent, e->name, &renamed.is_subscribed));
	TRY(work_mailbox_put(work, &renamed));
	return change_add(work, CHANGE_MAILBOX, e->mailbox, (struct uid_set){0});
}

err_t apply_mailbox_subscribe(struct work *work, const struct effect_mailbox *e)
{
	struct mailbox_row *row;
	err_t err = known_mailbox(work, e->mailbox, &row);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	row->is_subscribed = e->is_subscribed;
	work_mailbox_dirty(work, e->mailbox);
	return change_add(work, CHANGE_MAILBOX, e->mailbox, (struct uid_set){0});
}

err_t apply_purged(struct work *work, const struct effect_purged *e)
{
	struct uid_range upto = {0, e->upto};
	struct members members;
	struct key key;
	uint64_t size;
	err_t err;

	TRY(work_account(work, e->account));
	members_begin(&members, work, e->mailbox, (struct uid_set){&upto, 1});
	while ((err = members_next(&members)) == OK)
		TRY(member_remove(work, e->mailbox, members.uid, &members.row, e->at,
				  &size));
	if (err != ERR_ABSENT)
		return err;
	err = e->is_end ? kv_delete(work->txn, key_purge(&key, e->account, e->mailbox))
			: OK;
	return err == ERR_ABSENT ? OK : err;
}

/* Row and name go now; the memberships may be many, so maintenance purges them. */
err_t apply_mailbox_delete(struct work *work, const struct effect_mailbox *e)
{
	struct account_row *account = &work->account.row;
	struct mailbox_row *row;
	struct key key;
	err_t err = known_mailbox(work, e->mailbox, &row);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (row->is_subscribed) {
		TRY(gone_leave(work, e->mailbox));
		TRY(work_mailbox(work, e->mailbox, &row));
	}
	account->messages = less(account->messages, row->exists);
	account->bytes = less(account->bytes, row->bytes);
	account->mailboxes = (uint32_t)less(account->mailboxes, 1);
	work->state.messages = less(work->state.messages, row->exists);
	work->state.mailboxes = less(work->state.mailboxes, 1);
	buf_reset(&work->row);
	enc_u64(&work->row, (uint64_t)work->now);
	if (row->uid_next > 1)
		TRY(kv_put(work->txn, key_purge(&key, work->account.id, e->mailbox),
			   buf_str(&work->row)));
	TRY(name_delete(work, row->parent, row->name));
	TRY(work_mailbox_delete(work, e->mailbox));
	TRY(shared_forget(work, e->mailbox));
	return change_add(work, CHANGE_MAILBOX_GONE, e->mailbox, (struct uid_set){0});
}
