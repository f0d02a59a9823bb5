#include "storage/changes.h"

#include "base/log.h"
#include "base/num.h"
#include "store/acl.h"

enum { RANGES_A_ROW = 2000, DAY_S = 24 * 60 * 60 };

/* On disk, for ever. */
_Static_assert(CHANGE_MAILBOX == 0 && CHANGE_MAILBOX_GONE == 1 &&
		       CHANGE_MESSAGE_NEW == 2 && CHANGE_MESSAGE_FLAGS == 3 &&
		       CHANGE_MESSAGE_GONE == 4 && CHANGE_ANNOTATION == 5 &&
		       CHANGE_RIGHTS == 6 && CHANGE_SHARES == 7,
	       "on disk");

uint32_t change_day(int64_t time)
{
	return time > 0 ? (uint32_t)num_min((uint64_t)time / DAY_S, UINT32_MAX / 2) : 0;
}

static void part_begin(struct work *work, enum change_kind kind, uint64_t mailbox)
{
	buf_reset(&work->row);
	enc_u8(&work->row, (uint8_t)kind);
	enc_var(&work->row, change_day(work->now));
	enc_var(&work->row, mailbox);
}

static err_t part_put(struct work *work)
{
	struct key key;

	work->account.row.changes++;
	return kv_put(work->txn,
		      key_change(&key, work->account.id, work_change(work),
				 work->change_part++),
		      buf_str(&work->row));
}

static err_t part_add(struct work *work, enum change_kind kind, uint64_t mailbox,
		      struct uid_set uids)
{
	uint32_t last = 0;

	part_begin(work, kind, mailbox);
	for (size_t i = 0; i < uids.count; i++) {
		enc_var(&work->row, uids.ranges[i].first - last);
		enc_var(&work->row, uids.ranges[i].last - uids.ranges[i].first);
		last = uids.ranges[i].last;
	}
	return part_put(work);
}

static err_t trim_on(struct work *work, uint32_t day)
{
	struct key key;

	work->account.row.trim_day = day;
	work->account.is_dirty = true;
	return kv_put(work->txn, key_trim(&key, day, work->account.id), STR(""));
}

static err_t trim_in_time(struct work *work)
{
	return work->account.row.trim_day != 0
		       ? OK
		       : trim_on(work, change_day(work->now) + CHANGES_DAYS + 1);
}

/* There were so many rows before. */
static err_t trim_too_many(struct work *work, uint64_t before)
{
	struct key key;

	if (before < CHANGES_TOO_MANY && work->account.row.changes >= CHANGES_TOO_MANY)
		return kv_put(work->txn, key_trim(&key, 0, work->account.id), STR(""));
	return OK;
}

err_t change_add(struct work *work, enum change_kind kind, uint64_t mailbox,
		 struct uid_set uids)
{
	uint64_t before = work->account.row.changes;

	TRY(trim_in_time(work));
	do {
		size_t count = (size_t)num_min(uids.count, RANGES_A_ROW);

		TRY(part_add(work, kind, mailbox, (struct uid_set){uids.ranges, count}));
		if (count > 0)
			uids.ranges += count;
		uids.count -= count;
	} while (uids.count > 0);
	return trim_too_many(work, before);
}

err_t change_add_pair(struct work *work, struct str name)
{
	uint64_t before = work->account.row.changes;
	struct change_row row;

	if (!work->account.is_there || !pair_is_logged(name, &row))
		return OK;
	TRY(trim_in_time(work));
	part_begin(work, row.kind, row.mailbox);
	buf_add(&work->row, row.entry);
	TRY(part_put(work));
	return trim_too_many(work, before);
}

bool change_read(struct str value, enum change_kind *kind, uint32_t *day,
		 uint64_t *mailbox, struct dec *uids)
{
	*uids = dec_over(value);
	uint8_t number = dec_u8(uids);

	*day = (uint32_t)dec_var_max(uids, UINT32_MAX / 2);

	*mailbox = dec_var(uids);
	*kind = (enum change_kind)number;
	return dec_ok(uids) && number <= CHANGE_SHARES;
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

/* ---- trimming ---------------------------------------------------------------------- */

/* The oldest row of the account's log. */
struct oldest {
	struct key key;
	uint64_t change;
	uint32_t day;
};

static err_t oldest_find(struct work *work, struct oldest *oldest)
{
	account_t account = work->account.id;
	enum change_kind kind;
	uint64_t mailbox;
	struct dec uids;
	struct key key;
	/* No change has number 0: the oldest stands just before its place. */
	err_t err =
		kv_seek_before(&work->cursor, key_change(&key, account, 0, UINT32_MAX));

	TRY(err);
	struct str found = work->cursor.key;

	if (!key_is_of(found, account, TABLE_CHANGE))
		return ERR_ABSENT;
	*oldest = (struct oldest){.change = key_change_of(found)};
	memcpy(oldest->key.bytes, found.ptr, found.len);
	oldest->key.len = found.len;
	if (!change_read(work->cursor.value, &kind, &oldest->day, &mailbox, &uids))
		oldest->day = 0; /* damaged: it is of no use */
	return OK;
}

static bool may_go(const struct account_row *row, const struct oldest *oldest,
		   uint32_t due, uint32_t today)
{
	if (due == 0)
		return row->changes > CHANGES_KEPT;
	return (uint64_t)oldest->day + CHANGES_DAYS < today &&
	       oldest->change + CHANGES_LEAST <= row->change;
}

/* Nothing more is to go; oldest: what stays, if anything does. */
static err_t turn_end(struct work *work, account_t account, uint32_t due,
		      const struct oldest *oldest, uint32_t today)
{
	struct key key;
	struct account_row *row = &work->account.row;
	err_t err = kv_delete(work->txn, key_trim(&key, due, account));

	if (err != OK && err != ERR_ABSENT)
		return err;
	if (due == 0 || !work->account.is_there)
		return OK;
	row->trim_day = 0;
	return row->changes == 0
		       ? OK
		       : trim_on(work, (uint32_t)num_max(oldest->day + CHANGES_DAYS + 1,
							 today + CHANGES_LOOK_DAYS));
}

err_t changes_trim(struct work *work, account_t account, uint32_t due, int64_t now,
		   unsigned limit)
{
	uint32_t today = change_day(now);
	struct oldest oldest = {0};
	/* Rows of one change go together: a change is told whole or not at all. */
	uint64_t cut = 0;

	TRY(work_account(work, account));
	struct account_row *row = &work->account.row;

	while (work->account.is_there) {
		err_t err = oldest_find(work, &oldest);

		if (err == ERR_ABSENT) {
			row->changes = 0;
			break;
		}
		TRY(err);
		if (oldest.change != cut && !may_go(row, &oldest, due, today))
			break;
		if (oldest.change != cut && limit == 0)
			return OK;
		TRY(kv_delete(work->txn, (struct str){oldest.key.bytes, oldest.key.len}));
		cut = oldest.change;
		row->change_floor = num_max(row->change_floor, cut);
		row->changes -= num_min(row->changes, 1);
		limit -= limit > 0;
		work->account.is_dirty = true;
	}
	work->account.is_dirty |= work->account.is_there;
	return turn_end(work, account, due, &oldest, today);
}
