/* Append, flags, copy, move, expunge. */
#include "base/log.h"
#include "base/num.h"
#include "storage/apply.h"
#include "storage/changes.h"
#include "storage/expunged.h"
#include "storage/items.h"
#include "storage/members.h"
#include "storage/seen_set.h"
#include "storage/threads.h"
#include "storage/words.h"

static struct uid_set one_range(struct uid_range *range, uint32_t first, uint32_t last)
{
	*range = (struct uid_range){first, last};
	return (struct uid_set){range, 1};
}

static uint64_t less(uint64_t from, uint64_t by)
{
	return from - num_min(from, by);
}

/* What a membership adds to the counters of its mailbox. */
static void count_in(struct work *work, struct mailbox_row *row, uint32_t uid,
		     uint8_t flags, uint64_t size)
{
	row->exists++;
	row->recent += uid >= row->recent_from;
	row->unseen += !(flags & FLAG_SEEN);
	row->deleted += (flags & FLAG_DELETED) != 0;
	row->bytes += size;
	work->account.row.messages++;
	work->account.row.bytes += size;
	work->account.is_dirty = true;
	work->state.messages++;
}

static void count_out(struct work *work, struct mailbox_row *row, uint32_t uid,
		      uint8_t flags, uint64_t size)
{
	row->exists = (uint32_t)less(row->exists, 1);
	row->recent = (uint32_t)less(row->recent, uid >= row->recent_from);
	row->unseen = (uint32_t)less(row->unseen, !(flags & FLAG_SEEN));
	row->deleted = (uint32_t)less(row->deleted, (flags & FLAG_DELETED) != 0);
	row->bytes = less(row->bytes, size);
	work->account.row.messages = less(work->account.row.messages, 1);
	work->account.row.bytes = less(work->account.row.bytes, size);
	work->account.is_dirty = true;
	work->state.messages = less(work->state.messages, 1);
}

/* The mailbox that is changed now; where damage lost it, it comes back without what was
 * in it. */
static err_t changed_mailbox(struct work *work, uint64_t mailbox,
			     struct mailbox_row **row)
{
	err_t err = work_mailbox(work, mailbox, row);

	if (err == ERR_ABSENT) {
		TRY(apply_mailbox_revive(work, mailbox));
		err = work_mailbox(work, mailbox, row);
	}
	TRY(err);
	(*row)->modseq = work_change(work);
	work_mailbox_dirty(work, mailbox);
	return OK;
}

/* A new membership of a message that is there. */
static err_t join(struct work *work, struct mailbox_row *mailbox, uint32_t uid,
		  const struct member_row *member, uint64_t size,
		  struct op_result *result)
{
	struct uid_range range;

	TRY(work_member_put(work, mailbox->id, uid, member));
	TRY(members_gather(work, mailbox->id, uid));
	work_number_used(work, member->member);
	count_in(work, mailbox, uid, member->flags, size);
	mailbox->uid_next = (uint32_t)num_max(mailbox->uid_next, uid + 1);
	*result = (struct op_result){.mailbox = mailbox->id,
				     .uid_validity = mailbox->uid_validity,
				     .uid = uid,
				     .message = member->message};
	return change_add(work, CHANGE_MESSAGE_NEW, mailbox->id,
			  one_range(&range, uid, uid));
}

err_t apply_append(struct work *work, const struct effect_append *e,
		   struct op_result *result)
{
	struct mailbox_row *mailbox;

	TRY(changed_mailbox(work, e->mailbox, &mailbox));
	struct item_row item = {.is_threaded = true,
				.members = 1,
				.blob = e->body.blob,
				.raw_size = e->body.raw_size,
				.received_at = e->received_at,
				.received_zone = e->received_zone,
				.trace = e->trace};
	struct member_row member = {.member = e->member,
				    .message = e->message,
				    .flags = e->flags,
				    .modseq = work_change(work),
				    .saved_at = work->now,
				    .words = e->words};

	TRY(item_add(work, e->message, &item, e->digest, e->body.from_account,
		     e->body.from_message));
	TRY(thread_join(work, e->message, e->received_at,
			e->thread ? e->thread : e->message));
	return join(work, mailbox, e->uid, &member, item_size(&item), result);
}

err_t member_add(struct work *work, uint64_t mailbox, uint32_t uid,
		 const struct member_row *member, struct op_result *result)
{
	struct mailbox_row *row;
	struct item_row item;
	err_t err = changed_mailbox(work, mailbox, &row);

	if (err == OK)
		err = work_item(work, work->account.id, member->message, &item);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	return join(work, row, uid, member, item_size(&item), result);
}

/* ---- flags ------------------------------------------------------------------------- */

uint8_t flags_combine(uint8_t old, enum flags_mode mode, uint8_t operand, uint8_t kept)
{
	uint8_t fresh = old;

	switch (mode) {
	case FLAGS_SET:
		fresh = operand;
		break;
	case FLAGS_ADD:
		fresh = old | operand;
		break;
	case FLAGS_REMOVE:
		fresh = old & (uint8_t)~operand;
		break;
	}
	return (uint8_t)((old & kept) | (fresh & ~kept));
}

static err_t flags_one(struct members *members, const struct effect_flags *e,
		       struct mailbox_row *mailbox)
{
	struct work *work = members->work;
	struct member_row row = members->row;
	uint8_t flags = flags_combine(row.flags, e->mode, e->flags, e->kept);
	bool was_seen = row.flags & FLAG_SEEN, is_seen = flags & FLAG_SEEN;
	bool was_deleted = row.flags & FLAG_DELETED, is_deleted = flags & FLAG_DELETED;

	mailbox->unseen = (uint32_t)less(mailbox->unseen + was_seen, is_seen);
	mailbox->deleted = (uint32_t)less(mailbox->deleted + is_deleted, was_deleted);
	buf_reset(&work->words);
	if (e->kept & FLAGS_KEPT_WORDS)
		buf_add(&work->words, row.words);
	else
		(void)words_combine(&work->words, row.words, e->mode,
				    e->words); /* either way */
	row.flags = flags;
	row.words = buf_str(&work->words);
	row.modseq = work->change;
	return members_replace(members, &row);
}

/* A visitor's own \Seen, which stands apart. */
static err_t see(struct work *work, const struct effect_flags *e)
{
	SCOPED(seen_set_fini) struct seen_set seen = {0};
	bool is_operand = e->flags & FLAG_SEEN;

	if (e->mode != FLAGS_SET && !is_operand)
		return OK;
	TRY(seen_set_load(work, e->mailbox, e->seen_by, &seen));
	seen_set_change(&seen, e->uids, is_operand && e->mode != FLAGS_REMOVE);
	return seen_set_store(work, e->mailbox, e->seen_by, &seen);
}

err_t apply_flags(struct work *work, const struct effect_flags *e)
{
	struct mailbox_row *mailbox;
	struct members members;
	err_t err;

	if (e->uids.count == 0)
		return OK;
	TRY(changed_mailbox(work, e->mailbox, &mailbox));
	members_begin(&members, work, e->mailbox, e->uids);
	while ((err = members_next(&members)) == OK)
		TRY(flags_one(&members, e, mailbox));
	if (err != ERR_ABSENT)
		return err;
	if (e->seen_by != 0)
		TRY(see(work, e));
	return change_add(work, CHANGE_MESSAGE_FLAGS, e->mailbox, e->uids);
}

/* ---- recent ------------------------------------------------------------------------ */

/* What came since is still recent; it is little. */
err_t apply_recent(struct work *work, const struct effect_recent *e)
{
	const struct uid_range since = {e->below, UINT32_MAX};
	struct mailbox_row *mailbox;
	struct members members;
	uint32_t recent = 0;
	err_t err = work_mailbox(work, e->mailbox, &mailbox);

	if (err == ERR_ABSENT || (err == OK && e->below <= mailbox->recent_from))
		return OK;
	TRY(err);
	members_begin(&members, work, e->mailbox, (struct uid_set){&since, 1});
	while ((err = members_next(&members)) == OK)
		recent++;
	if (err != ERR_ABSENT)
		return err;
	mailbox->recent_from = e->below;
	mailbox->recent = recent;
	work_mailbox_dirty(work, e->mailbox);
	return OK;
}

/* ---- copy, move, expunge ----------------------------------------------------------- */

struct copying {
	const struct effect_copy *e;
	bool is_move;
	struct mailbox_row *from, *to;
};

static err_t copy_one(struct work *work, const struct copying *c, uint32_t uid,
		      uint32_t nth)
{
	struct member_row row;
	struct item_row item;
	struct key key;
	err_t err = work_member(work, c->e->mailbox, uid, &row);

	if (err == OK)
		err = work_item(work, work->account.id, row.message, &item);
	if (err == ERR_ABSENT) /* lost by damage */
		return OK;
	TRY(err);
	uint64_t size = item_size(&item);

	row.member = c->e->to_member + nth;
	row.modseq = work->change;
	row.saved_at = work->now;
	TRY(work_member_put(work, c->e->to_mailbox, c->e->to_uid + nth, &row));
	TRY(members_gather(work, c->e->to_mailbox, c->e->to_uid + nth));
	count_in(work, c->to, c->e->to_uid + nth, row.flags, size);
	if (!c->is_move)
		return item_ref(work, row.message);
	count_out(work, c->from, uid, row.flags, size);
	return kv_delete(work->txn,
			 key_member(&key, work->account.id, c->e->mailbox, uid));
}

err_t apply_copy(struct work *work, const struct effect_copy *e, bool is_move,
		 struct op_result *result)
{
	struct copying c = {.e = e, .is_move = is_move};
	struct uid_range range;
	uint32_t nth = 0;

	if (e->uids.count == 0)
		return OK;
	/* Two at a time stay in their places (MAILBOX_SLOTS). */
	err_t err = work_mailbox(work, e->mailbox, &c.from);

	if (err == OK)
		err = changed_mailbox(work, e->to_mailbox, &c.to);
	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	for (size_t i = 0; i < e->uids.count; i++)
		for (uint64_t uid = e->uids.ranges[i].first;
		     uid <= e->uids.ranges[i].last; uid++)
			TRY(copy_one(work, &c, (uint32_t)uid, nth++));
	work_number_used(work, e->to_member + nth - 1);
	c.to->uid_next = (uint32_t)num_max(c.to->uid_next, e->to_uid + nth);
	result->mailbox = e->to_mailbox;
	result->uid_validity = c.to->uid_validity;
	TRY(change_add(work, CHANGE_MESSAGE_NEW, e->to_mailbox,
		       one_range(&range, e->to_uid, e->to_uid + nth - 1)));
	if (!is_move)
		return OK;
	c.from->modseq = work->change;
	work_mailbox_dirty(work, e->mailbox);
	return change_add(work, CHANGE_MESSAGE_GONE, e->mailbox, e->uids);
}

err_t member_remove(struct work *work, uint64_t mailbox, uint32_t uid,
		    const struct member_row *row, int64_t at, uint64_t *size)
{
	struct item_row item;
	struct key key;
	account_t account = work->account.id;
	uint64_t message = row->message;
	bool gone;
	err_t err = work_item(work, account, message, &item);

	*size = err == OK ? item_size(&item) : 0;
	if (err != OK && err != ERR_ABSENT)
		return err;
	bool is_kept = err == OK && expunged_wants(work, &item);

	if (is_kept)
		TRY(expunged_add(work, mailbox, uid, row, at));
	TRY(kv_delete(work->txn, key_member(&key, account, mailbox, uid)));
	return is_kept ? OK : item_unref(work, account, message, &gone);
}

err_t apply_expunge(struct work *work, const struct effect_expunge *e)
{
	struct mailbox_row *mailbox;
	struct members members;
	err_t err;

	if (e->uids.count == 0)
		return OK;
	TRY(changed_mailbox(work, e->mailbox, &mailbox));
	members_begin(&members, work, e->mailbox, e->uids);
	while ((err = members_next(&members)) == OK) {
		uint64_t size;

		TRY(member_remove(work, e->mailbox, members.uid, &members.row, work->now,
				  &size));
		count_out(work, mailbox, members.uid, members.row.flags, size);
	}
	if (err != ERR_ABSENT)
		return err;
	return change_add(work, CHANGE_MESSAGE_GONE, e->mailbox, e->uids);
}
