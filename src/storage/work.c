#include "storage/work.h"

#include "base/log.h"
#include "base/num.h"

enum {
	ROW_BYTES_MAX = KV_VALUE_BYTES_MAX,
	ARENA_BYTES_MAX = 64 << 20,
};

err_t work_damaged(const char *what)
{
	LOG(ERROR, "index row damaged", KV("row", what));
	return ERR_SYNTAX;
}

/* ---- begin and end ----------------------------------------------------------------- */

err_t work_begin(struct work *work, struct kv *kv, bool *is_there)
{
	struct key key;
	struct str value;

	if (work->row.max == 0) {
		work->row = BUF(ROW_BYTES_MAX);
		work->words = BUF(ROW_BYTES_MAX);
		arena_init(&work->arena, ARENA_BYTES_MAX);
	}
	work->account = (struct account_slot){0};
	memset(work->mailboxes, 0, sizeof work->mailboxes);
	work->pack = (struct pack_slot){0};
	TRY(kv_begin(kv, KV_WRITE, &work->txn));
	err_t err = kv_cursor_open(work->txn, &work->cursor);

	if (err == OK)
		err = kv_get(work->txn, key_state(&key), &value);
	*is_there = err == OK;
	if (err == OK && !state_read(value, &work->state))
		err = work_damaged("state");
	if (err != OK && err != ERR_ABSENT) {
		work_drop(work);
		return err;
	}
	return OK;
}

err_t work_put_state(struct work *work)
{
	struct key key;

	buf_reset(&work->row);
	state_write(&work->row, &work->state);
	return kv_put(work->txn, key_state(&key), buf_str(&work->row));
}

static err_t account_flush(struct work *work)
{
	struct key key;

	if (!work->account.is_dirty)
		return OK;
	buf_reset(&work->row);
	account_write(&work->row, &work->account.row);
	work->account.is_dirty = false;
	return kv_put(work->txn, key_account(&key, work->account.id),
		      buf_str(&work->row));
}

static err_t slot_flush(struct work *work, struct mailbox_slot *slot)
{
	struct key key;

	if (!slot->is_used || !slot->is_dirty)
		return OK;
	buf_reset(&work->row);
	mailbox_write(&work->row, &slot->row);
	slot->is_dirty = false;
	return kv_put(work->txn, key_mailbox(&key, slot->account, slot->row.id),
		      buf_str(&work->row));
}

static err_t pack_flush(struct work *work)
{
	struct key key;

	if (!work->pack.is_dirty)
		return OK;
	buf_reset(&work->row);
	pack_row_write(&work->row, &work->pack.row);
	work->pack.is_dirty = false;
	return kv_put(work->txn, key_pack(&key, work->pack.pack), buf_str(&work->row));
}

err_t work_flush(struct work *work)
{
	TRY(account_flush(work));
	TRY(pack_flush(work));
	for (size_t i = 0; i < MAILBOX_SLOTS; i++)
		TRY(slot_flush(work, &work->mailboxes[i]));
	return OK;
}

err_t work_commit(struct work *work)
{
	kv_cursor_close(&work->cursor);
	return kv_commit(&work->txn);
}

void work_drop(struct work *work)
{
	if (!work->txn)
		return;
	kv_cursor_close(&work->cursor);
	kv_drop(&work->txn);
}

void work_fini(struct work *work)
{
	work_drop(work);
	buf_fini(&work->row);
	buf_fini(&work->words);
	uid_ranges_fini(&work->changed);
	uid_ranges_fini(&work->refused);
	arena_fini(&work->arena);
}

err_t work_mark(struct work *work)
{
	TRY(work_flush(work));
	work->marked_state = work->state;
	work->marked_account = work->account;
	work->marked_change = work->change;
	work->marked_part = work->change_part;
	kv_mark(work->txn);
	return OK;
}

void work_unmark(struct work *work)
{
	kv_unmark(work->txn);
}

err_t work_rewind(struct work *work)
{
	work->state = work->marked_state;
	work->account = work->marked_account;
	work->change = work->marked_change;
	work->change_part = work->marked_part;
	memset(work->mailboxes, 0, sizeof work->mailboxes);
	work->pack = (struct pack_slot){0};
	return kv_rewind(work->txn);
}

/* ---- the account ------------------------------------------------------------------- */

err_t work_account(struct work *work, account_t account)
{
	struct key key;
	struct str value;

	work->change = 0;
	work->change_part = 0;
	if (work->account.is_loaded && work->account.id == account)
		return OK;
	TRY(account_flush(work));
	for (size_t i = 0; i < MAILBOX_SLOTS; i++) {
		TRY(slot_flush(work, &work->mailboxes[i]));
		work->mailboxes[i].is_used = false;
	}
	work->account = (struct account_slot){.id = account, .is_loaded = true};
	err_t err = kv_get(work->txn, key_account(&key, account), &value);

	if (err == ERR_ABSENT)
		return OK;
	if (err == OK && !account_read(value, &work->account.row))
		err = work_damaged("account");
	/* Whoever asks again must not find an account that is not there. */
	work->account.is_there = work->account.is_loaded = err == OK;
	return err;
}

uint64_t work_number(struct work *work)
{
	uint64_t number = work->account.row.next++;

	ASSERT(number >> NUMBER_MAX_BITS == 0);
	work->account.is_dirty = true;
	return number;
}

void work_number_used(struct work *work, uint64_t number)
{
	struct account_row *row = &work->account.row;

	row->next = num_max(row->next, number + 1);
	work->account.is_dirty = true;
}

uint64_t work_change(struct work *work)
{
	if (work->change == 0)
		work->change = work_number(work);
	struct account_row *row = &work->account.row;

	row->change = num_max(row->change, work->change);
	row->next = num_max(row->next, work->change + 1);
	work->account.is_dirty = true;
	return work->change;
}

/* ---- mailboxes --------------------------------------------------------------------- */

static struct mailbox_slot *slot_find(struct work *work, uint64_t mailbox)
{
	for (size_t i = 0; i < MAILBOX_SLOTS; i++) {
		struct mailbox_slot *slot = &work->mailboxes[i];

		if (slot->is_used && slot->row.id == mailbox) {
			slot->touched = ++work->touches;
			return slot;
		}
	}
	return NULL;
}

static err_t slot_free(struct work *work, struct mailbox_slot **freed)
{
	struct mailbox_slot *oldest = &work->mailboxes[0];

	for (size_t i = 0; i < MAILBOX_SLOTS; i++) {
		struct mailbox_slot *slot = &work->mailboxes[i];

		if (!slot->is_used ||
		    (oldest->is_used && slot->touched < oldest->touched))
			oldest = slot;
	}
	TRY(slot_flush(work, oldest));
	oldest->is_used = false;
	*freed = oldest;
	return OK;
}

static err_t slot_fill(struct work *work, const struct mailbox_row *row,
		       struct mailbox_slot **filled)
{
	struct mailbox_slot *slot = slot_find(work, row->id);

	if (!slot)
		TRY(slot_free(work, &slot));
	ASSERT(row->name.len <= sizeof slot->name);
	if (row->name.len > 0)
		memmove(slot->name, row->name.ptr, row->name.len);
	slot->row = *row;
	slot->row.name.ptr = slot->name;
	slot->account = work->account.id;
	slot->is_used = true;
	slot->is_dirty = false;
	slot->touched = ++work->touches;
	*filled = slot;
	return OK;
}

err_t work_mailbox(struct work *work, uint64_t mailbox, struct mailbox_row **row)
{
	struct mailbox_slot *slot = slot_find(work, mailbox);
	struct key key;
	struct str value;
	struct mailbox_row found;

	if (!slot) {
		if (mailbox >> NUMBER_MAX_BITS)
			return ERR_ABSENT;
		TRY(kv_get(work->txn, key_mailbox(&key, work->account.id, mailbox),
			   &value));
		if (!mailbox_read(value, mailbox, &found))
			return work_damaged("mailbox");
		/* Making room writes, so the name must not stand in the index then. */
		char name[MAILBOX_NAME_MAX];

		if (found.name.len > sizeof name)
			return work_damaged("mailbox");
		memcpy(name, found.name.ptr, found.name.len);
		found.name.ptr = name;
		TRY(slot_fill(work, &found, &slot));
	}
	*row = &slot->row;
	return OK;
}

void work_mailbox_dirty(struct work *work, uint64_t mailbox)
{
	struct mailbox_slot *slot = slot_find(work, mailbox);

	ASSERT(slot);
	slot->is_dirty = true;
}

err_t work_mailbox_put(struct work *work, const struct mailbox_row *row)
{
	struct mailbox_slot *slot;

	TRY(slot_fill(work, row, &slot));
	slot->is_dirty = true;
	return OK;
}

err_t work_mailbox_delete(struct work *work, uint64_t mailbox)
{
	struct mailbox_slot *slot = slot_find(work, mailbox);
	struct key key;

	if (slot)
		slot->is_used = false;
	err_t err = kv_delete(work->txn, key_mailbox(&key, work->account.id, mailbox));

	return err == ERR_ABSENT ? OK : err; /* it was only here so far */
}

err_t work_pack(struct work *work, uint32_t pack, struct pack_row **row)
{
	struct key key;
	struct str value;

	if (work->pack.pack != pack) {
		TRY(pack_flush(work));
		work->pack = (struct pack_slot){.pack = pack};
		err_t err = kv_get(work->txn, key_pack(&key, pack), &value);

		if (err != ERR_ABSENT)
			TRY(err);
		if (err == OK && !pack_row_read(value, &work->pack.row))
			return work_damaged("pack");
	}
	work->pack.is_dirty = true;
	*row = &work->pack.row;
	return OK;
}

/* ---- memberships and messages ------------------------------------------------------ */

err_t work_member(struct work *work, uint64_t mailbox, uint32_t uid,
		  struct member_row *row)
{
	struct key key;
	struct str value;

	TRY(kv_get(work->txn, key_member(&key, work->account.id, mailbox, uid), &value));
	return member_read(value, row) ? OK : work_damaged("member");
}

err_t work_member_put(struct work *work, uint64_t mailbox, uint32_t uid,
		      const struct member_row *row)
{
	struct key key;

	buf_reset(&work->row);
	member_write(&work->row, row);
	return kv_put(work->txn, key_member(&key, work->account.id, mailbox, uid),
		      buf_str(&work->row));
}

err_t work_item(struct work *work, account_t account, uint64_t message,
		struct item_row *row)
{
	struct key key;
	struct str value;

	if (message >> NUMBER_MAX_BITS)
		return ERR_ABSENT;
	TRY(kv_get(work->txn, key_message(&key, account, message, PART_ITEM), &value));
	return item_read(value, row) ? OK : work_damaged("message");
}

err_t work_item_put(struct work *work, account_t account, uint64_t message,
		    const struct item_row *row)
{
	struct key key;

	buf_reset(&work->row);
	item_write(&work->row, row);
	return kv_put(work->txn, key_message(&key, account, message, PART_ITEM),
		      buf_str(&work->row));
}
