#include "storage/expunged.h"

#include "base/num.h"
#include "storage/apply.h"
#include "storage/items.h"

enum { DAY_S = 24 * 60 * 60 };

bool expunged_wants(const struct work *work, const struct item_row *item)
{
	const struct account_row *account = &work->account.row;
	uint64_t bytes = account->expunged_bytes + item_size(item);

	/* Whoever has a quota cannot fill the disk by deleting. */
	return item->members == 1 && account->keep_days > 0 &&
	       (account->bytes_max == 0 || bytes <= account->bytes_max);
}

/* The message's octets came to what is kept, or left it. */
static err_t keep_count(struct work *work, uint64_t message, uint32_t members)
{
	struct account_row *account = &work->account.row;
	struct item_row item;
	err_t err = work_item(work, work->account.id, message, &item);

	if (err == ERR_ABSENT) /* lost by damage */
		return OK;
	TRY(err);
	uint64_t size = item_size(&item);

	work->account.is_dirty = true;
	if (members == 0) {
		account->expunged++;
		account->expunged_bytes += size;
		work->state.expunged++;
	} else {
		account->expunged -= num_min(account->expunged, 1);
		account->expunged_bytes -= num_min(account->expunged_bytes, size);
		work->state.expunged -= num_min(work->state.expunged, 1);
	}
	item.members = members;
	return work_item_put(work, work->account.id, message, &item);
}

err_t expunged_add(struct work *work, uint64_t mailbox, uint32_t uid,
		   const struct member_row *member, int64_t at)
{
	account_t account = work->account.id;
	uint64_t number = member->member;
	struct expunged_row row = {.message = member->message,
				   .mailbox = mailbox,
				   .uid = uid,
				   .flags = member->flags,
				   .saved_at = member->saved_at,
				   .expunged_at = at,
				   .until = at +
					    (int64_t)work->account.row.keep_days * DAY_S,
				   .words = member->words};
	struct key key;

	buf_reset(&work->row);
	expunged_write(&work->row, &row);
	TRY(kv_put(work->txn, key_expunged(&key, account, number), buf_str(&work->row)));
	TRY(kv_put(work->txn, key_expiry(&key, row.until, account, number), STR("")));
	return keep_count(work, row.message, 0);
}

err_t expunged_get(struct work *work, account_t account, uint64_t member,
		   struct expunged_row *row)
{
	struct key key;
	struct str value;

	if (member >> NUMBER_MAX_BITS)
		return ERR_ABSENT;
	TRY(kv_get(work->txn, key_expunged(&key, account, member), &value));
	return expunged_read(value, row) ? OK : ERR_SYNTAX;
}

static err_t rows_delete(struct work *work, account_t account, uint64_t member,
			 int64_t until)
{
	struct key key;
	err_t err = kv_delete(work->txn, key_expunged(&key, account, member));

	if (err == OK || err == ERR_ABSENT)
		err = kv_delete(work->txn, key_expiry(&key, until, account, member));
	return err == ERR_ABSENT ? OK : err;
}

err_t expunged_drop(struct work *work, account_t account, uint64_t member, int64_t until)
{
	struct expunged_row row;
	bool gone;

	TRY(work_account(work, account));
	err_t err = expunged_get(work, account, member, &row);

	if (err != OK && err != ERR_ABSENT)
		return err;
	uint64_t message = row.message;

	TRY(rows_delete(work, account, member, until));
	if (err == ERR_ABSENT)
		return OK;
	TRY(keep_count(work, message, 1));
	return item_unref(work, account, message, &gone);
}

err_t apply_expired(struct work *work, const struct effect_expired *e)
{
	struct key key, last;
	struct str bound = key_expiry(&last, e->until, e->account, e->member);

	for (;;) {
		err_t err = kv_seek(&work->cursor,
				    key_table(&key, ACCOUNT_SYSTEM, TABLE_EXPIRY));

		if (err == ERR_ABSENT)
			return OK;
		TRY(err);
		if (!key_is_of(work->cursor.key, ACCOUNT_SYSTEM, TABLE_EXPIRY) ||
		    str_cmp(work->cursor.key, bound) > 0)
			return OK;
		struct dec d = key_dec(work->cursor.key);
		int64_t until = (int64_t)dec_key64(&d);
		account_t account = dec_key32(&d);

		TRY(expunged_drop(work, account, dec_key48(&d), until));
	}
}

err_t apply_undelete(struct work *work, const struct effect_undelete *e,
		     struct op_result *result)
{
	struct expunged_row row;
	err_t err = expunged_get(work, work->account.id, e->member, &row);

	if (err == ERR_ABSENT) /* lost by damage */
		return OK;
	TRY(err);
	uint64_t message = row.message;
	int64_t until = row.until;
	struct member_row member = {.member = e->to_member,
				    .message = message,
				    .flags = row.flags & (uint8_t)~FLAG_DELETED,
				    .modseq = work_change(work),
				    /* RFC 8514 §1: into this mailbox it is
				     * saved now; nor does a rule of the
				     * mailbox take it away again at once. */
				    .saved_at = work->now,
				    .words = row.words};

	TRY(member_add(work, e->mailbox, e->to_uid, &member, result));
	TRY(rows_delete(work, work->account.id, e->member, until));
	return keep_count(work, message, 1);
}
