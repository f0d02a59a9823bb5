#include "storage/changes.h"

#include "base/log.h"
#include "base/num.h"

enum { RANGES_A_ROW = 2000 };

/* On disk, for ever. */
_Static_assert(CHANGE_MAILBOX == 0 && CHANGE_MAILBOX_GONE == 1 &&
		       CHANGE_MESSAGE_NEW == 2 && CHANGE_MESSAGE_FLAGS == 3 &&
		       CHANGE_MESSAGE_GONE == 4,
	       "on disk");

static err_t part_add(struct work *work, enum change_kind kind, uint64_t mailbox,
		      struct uid_set uids)
{
	struct key key;
	uint32_t last = 0;

	buf_reset(&work->row);
	enc_u8(&work->row, (uint8_t)kind);
	enc_var(&work->row, mailbox);
	for (size_t i = 0; i < uids.count; i++) {
		enc_var(&work->row, uids.ranges[i].first - last);
		enc_var(&work->row, uids.ranges[i].last - uids.ranges[i].first);
		last = uids.ranges[i].last;
	}
	work->account.row.changes++;
	return kv_put(work->txn,
		      key_change(&key, work->account.id, work_change(work),
				 work->change_part++),
		      buf_str(&work->row));
}

err_t change_add(struct work *work, enum change_kind kind, uint64_t mailbox,
		 struct uid_set uids)
{
	struct key key;
	uint64_t before = work->account.row.changes;

	do {
		size_t count = (size_t)num_min(uids.count, RANGES_A_ROW);

		TRY(part_add(work, kind, mailbox, (struct uid_set){uids.ranges, count}));
		if (count > 0)
			uids.ranges += count;
		uids.count -= count;
	} while (uids.count > 0);
	if (before < CHANGES_TOO_MANY && work->account.row.changes >= CHANGES_TOO_MANY)
		return kv_put(work->txn, key_trim(&key, work->account.id), STR(""));
	return OK;
}

bool change_read(struct str value, enum change_kind *kind, uint64_t *mailbox,
		 struct dec *uids)
{
	*uids = dec_over(value);
	uint8_t number = dec_u8(uids);

	*mailbox = dec_var(uids);
	*kind = (enum change_kind)number;
	return dec_ok(uids) && number <= CHANGE_MESSAGE_GONE;
}

bool change_next(struct dec *uids, uint64_t *last, struct uid_range *range)
{
	if (uids->rest.len == 0)
		return false;
	uint64_t first = *last + dec_var_max(uids, UINT32_MAX);

	*last = first + dec_var_max(uids, UINT32_MAX);
	*range = (struct uid_range){(uint32_t)first, (uint32_t)*last};
	return dec_ok(uids) && *last <= UINT32_MAX;
}

err_t changes_trim(struct work *work, account_t account, unsigned limit, bool *more)
{
	struct key key;

	TRY(work_account(work, account));
	struct account_row *row = &work->account.row;
	/* Rows of one change go together: a change is told whole or not at all. */
	uint64_t cut = 0;

	while (work->account.is_there && row->changes > CHANGES_KEPT) {
		/* No change has number 0: the oldest stands just before its place. */
		err_t err = kv_seek_before(&work->cursor,
					   key_change(&key, account, 0, UINT32_MAX));

		if (err == ERR_ABSENT ||
		    (err == OK && !key_is_of(work->cursor.key, account, TABLE_CHANGE))) {
			row->changes = 0;
			break;
		}
		TRY(err);
		uint64_t change = key_change_of(work->cursor.key);

		if (change != cut && limit == 0)
			break;
		struct str found = work->cursor.key;

		memcpy(key.bytes, found.ptr, found.len);
		TRY(kv_delete(work->txn, (struct str){key.bytes, found.len}));
		cut = row->change_floor = change;
		row->changes--;
		limit -= limit > 0;
	}
	work->account.is_dirty = true;
	*more = work->account.is_there && row->changes > CHANGES_KEPT;
	if (*more)
		return OK;
	err_t err = kv_delete(work->txn, key_trim(&key, account));

	return err == ERR_ABSENT ? OK : err;
}
