/* A new epoch: after a roll-back or damage nobody can prove that the numbers given out
 * since are known here, so counters jump past them and every UIDVALIDITY changes. */
#include "base/num.h"
#include "storage/apply.h"

/* The account's next mailbox, after the one given; ERR_ABSENT at the end. */
static err_t next_mailbox(struct work *work, account_t account, uint64_t after,
			  uint64_t *mailbox)
{
	struct key key;

	TRY(kv_seek(&work->cursor, key_mailbox(&key, account, after + 1)));
	if (!key_is_of(work->cursor.key, account, TABLE_MAILBOX))
		return ERR_ABSENT;
	struct dec d = key_dec(work->cursor.key);

	*mailbox = dec_key48(&d);
	return OK;
}

static err_t account_epoch(struct work *work, account_t account, uint64_t jump)
{
	uint64_t mailbox = 0;
	err_t err;

	TRY(work_account(work, account));
	struct account_row *row = &work->account.row;

	row->next += jump;
	row->change = row->change_floor = work_number(work);
	row->uid_validity = (uint32_t)num_min(UINT32_MAX / 2, row->uid_validity + jump);
	while ((err = next_mailbox(work, account, mailbox, &mailbox)) == OK) {
		struct mailbox_row *m;

		TRY(work_mailbox(work, mailbox, &m));
		m->uid_validity = row->uid_validity++;
		m->modseq = row->change;
		work_mailbox_dirty(work, mailbox);
	}
	return err == ERR_ABSENT ? OK : err;
}

err_t apply_epoch(struct work *work, const struct effect_epoch *e)
{
	uint64_t account = 0;

	TRY(work_flush(work));
	work->state.epoch = e->epoch;
	while (account <= UINT32_MAX) {
		struct key key;
		err_t err = kv_seek(&work->cursor, key_account(&key, (account_t)account));

		if (err == ERR_ABSENT)
			break;
		TRY(err);
		account_t found = key_account_of(work->cursor.key);

		if (key_is_of(work->cursor.key, found, TABLE_ACCOUNT))
			TRY(account_epoch(work, found, e->jump));
		account = (uint64_t)found + 1;
	}
	/* The commit goes on as one of the system. */
	return work_account(work, ACCOUNT_SYSTEM);
}
