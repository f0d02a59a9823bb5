#include "storage/members.h"

#include "base/num.h"

enum {
	STEPS_MAX = 4, /* to a row that is near; what is farther costs a search */
	ROWS_A_PAGE = 80,
};

/* ---- putting new rows together ----------------------------------------------------- */

/* Rows as they are written to work->row, one after the other: {key, str value}. */
static bool row_take(struct dec *rows, size_t key_len, struct str *key, struct str *value)
{
	*key = dec_bytes(rows, key_len);
	*value = dec_str(rows);
	return key->len > 0 && dec_ok(rows);
}

/* Copies the newest rows of the mailbox up to that key, and says how many. */
static err_t copy_newest(struct work *work, struct str newest, struct str oldest,
			 size_t *count)
{
	struct kv_cursor *cursor = &work->cursor;
	err_t err;

	*count = 0;
	buf_reset(&work->row);
	for (err = kv_seek(cursor, newest);
	     err == OK && str_cmp(cursor->key, oldest) <= 0; err = kv_next(cursor)) {
		buf_add(&work->row, cursor->key);
		enc_str(&work->row, cursor->value);
		++*count;
	}
	return err == ERR_ABSENT ? OK : err;
}

/* As they are put in the order of their keys, each page is filled before the next. */
err_t members_gather(struct work *work, uint64_t mailbox, uint32_t uid)
{
	struct key newest, oldest;
	struct str key, value;
	size_t count;

	if (uid % ROWS_A_PAGE != 0)
		return OK;
	struct str first = key_member(&newest, work->account.id, mailbox, uid);
	struct str last =
		key_member(&oldest, work->account.id, mailbox, uid - (ROWS_A_PAGE - 1));
	err_t err = copy_newest(work, first, last, &count);

	if (err != OK && err != ERR_SYNTAX)
		return err;
	if (err == ERR_SYNTAX || count < ROWS_A_PAGE / 2 || !buf_ok(&work->row))
		return OK; /* they stay where they are */
	struct dec old = dec_over(buf_str(&work->row)), again = old;

	while (row_take(&old, first.len, &key, &value))
		TRY(kv_delete(work->txn, key));
	while (row_take(&again, first.len, &key, &value))
		TRY(kv_put(work->txn, key, value));
	return OK;
}

/* ---- walking ----------------------------------------------------------------------- */

void members_begin(struct members *m, struct work *work, uint64_t mailbox,
		   struct uid_set uids)
{
	*m = (struct members){.work = work, .mailbox = mailbox, .left = uids};
}

/* The cursor was moved: to a row of the mailbox?  Of a damaged one the UID is known. */
static err_t arrive(struct members *m, err_t err)
{
	struct str at = m->work->cursor.key;
	size_t same = m->key.len - sizeof m->uid;

	m->changes = kv_changes(m->work->txn);
	m->is_on = false;
	if (err != OK && err != ERR_SYNTAX)
		return err;
	if (at.len != m->key.len || memcmp(at.ptr, m->key.bytes, same) != 0)
		return ERR_ABSENT;
	m->is_on = true;
	m->uid = key_uid_of(at);
	return err;
}

/* Greater UIDs stand before. */
static err_t search(struct members *m, uint32_t uid)
{
	struct kv_cursor *cursor = &m->work->cursor;
	struct str start = key_member(&m->key, m->work->account.id, m->mailbox, uid);
	err_t err = kv_seek(cursor, start);
	bool may_go_on = err == OK || err == ERR_SYNTAX || err == ERR_ABSENT;

	if (may_go_on && !str_same(cursor->key, start))
		err = kv_prev(cursor);
	return arrive(m, err);
}

/* To the first whose UID is at least that, which is above the one where it stands. */
static err_t go_to(struct members *m, uint32_t uid)
{
	err_t err = OK;

	if (m->changes != kv_changes(m->work->txn))
		m->is_on = false;
	for (unsigned i = 0; m->is_on && i < STEPS_MAX; i++) {
		err = arrive(m, kv_prev(&m->work->cursor));
		if (!m->is_on || m->uid >= uid)
			return err;
	}
	return search(m, uid);
}

/* Forgets the ranges that are behind it; false if that was the last. */
static bool has_left(struct members *m)
{
	while (m->left.count > 0 && m->left.ranges->last < m->next) {
		m->left.ranges++;
		m->left.count--;
	}
	return m->left.count > 0;
}

err_t members_next(struct members *m)
{
	while (has_left(m)) {
		err_t err = go_to(m, (uint32_t)num_max(m->left.ranges->first, m->next));

		if (!m->is_on)
			return err;
		m->next = m->uid;
		if (!has_left(m))
			break;
		if (m->uid < m->left.ranges->first)
			continue;
		m->next++;
		TRY(err);
		return member_read(m->work->cursor.value, &m->row)
			       ? OK
			       : work_damaged("member");
	}
	return ERR_ABSENT;
}

err_t members_replace(struct members *m, const struct member_row *row)
{
	struct work *work = m->work;

	buf_reset(&work->row);
	member_write(&work->row, row);
	TRY(kv_replace(&work->cursor, buf_str(&work->row)));
	m->changes = kv_changes(work->txn);
	return OK;
}
