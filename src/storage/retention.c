/* Which messages were saved so long ago that they are to go. */
#include <stdio.h>

#include "storage/apply.h"
#include "storage/embedded.h"

enum {
	DAY_S = 24 * 60 * 60,
	STEP_BOXES = 200,    /* that one step looks at */
	STEP_MESSAGES = 100, /* that one commit expunges: about a millisecond */
};

/* After how many days messages of the mailbox go; 0: never.  A rule that cannot be read
 * is none that lets go of anything. */
static uint32_t days_of(struct reader *reader, const struct retention_rules *rules,
			account_t account, const struct mailbox_row *mailbox)
{
	char name[sizeof STORE_KV_RETENTION + 20];
	struct key key;
	struct str value;
	uint32_t days;
	int len = snprintf(name, sizeof name, STORE_KV_RETENTION "%llu",
			   (unsigned long long)mailbox->id);
	err_t err =
		kv_get(reader->txn,
		       key_kv(&key, account, (struct str){name, (size_t)len}), &value);

	if (err == OK && keep_days_parse(value, &days))
		return days;
	if (err != ERR_ABSENT)
		return 0;
	return mailbox->role == ROLE_JUNK    ? rules->junk_days
	       : mailbox->role == ROLE_TRASH ? rules->trash_days
					     : 0;
}

static bool has_rules(struct reader *reader, account_t account)
{
	struct key key;
	struct str first = key_kv(&key, account, STR(STORE_KV_RETENTION));

	return kv_seek(&reader->cursor, first) == OK &&
	       str_starts(reader->cursor.key, first);
}

/* UIDs grow as messages are saved, so those that are due are the first ones.  Where the
 * clock was put back, some stay until those before them go. */
static void look_into(struct reader *reader, int64_t saved_before,
		      struct retention_walk *walk)
{
	struct key key;
	/* Behind what was found before, which may not have left the index yet. */
	struct str bound =
		key_member(&key, walk->account, walk->mailbox, walk->uids.last);
	struct str all = str_first(bound, bound.len - 4);
	struct member_row row;
	/* Descending: the least UID stands last. */
	err_t err = kv_seek_before(&reader->cursor, bound);

	while (err == OK && walk->count < STEP_MESSAGES &&
	       str_starts(reader->cursor.key, all) &&
	       member_read(reader->cursor.value, &row) && row.saved_at <= saved_before) {
		walk->uids.last = key_uid_of(reader->cursor.key);
		if (walk->count++ == 0)
			walk->uids.first = walk->uids.last;
		err = kv_prev(&reader->cursor);
	}
}

/* The mailbox under the cursor.  One that is damaged keeps what it has. */
static void look_at(struct reader *reader, const struct retention_rules *rules,
		    int64_t now, struct retention_walk *walk)
{
	struct mailbox_row row;
	struct dec d = key_dec(reader->cursor.key);

	walk->mailbox = dec_key48(&d);
	if (!mailbox_read(reader->cursor.value, walk->mailbox, &row))
		return;
	uint32_t days = days_of(reader, rules, walk->account, &row);

	if (days > 0)
		look_into(reader, now - (int64_t)days * DAY_S, walk);
}

/* Is the cursor on a mailbox of the account, and can any of that account have a rule? */
static bool is_worth_it(struct reader *reader, const struct retention_rules *rules,
			const struct retention_walk *walk)
{
	struct key key;

	if (!key_is_of(reader->cursor.key, walk->account, TABLE_MAILBOX))
		return false;
	if (walk->mailbox > 0 || rules->junk_days > 0 || rules->trash_days > 0)
		return true;
	return has_rules(reader, walk->account) &&
	       kv_seek(&reader->cursor, key_mailbox(&key, walk->account, 0)) == OK;
}

static void next_account(struct retention_walk *walk, account_t found)
{
	bool is_last = found == walk->account && found == UINT32_MAX;

	*walk = (struct retention_walk){.account = found == walk->account ? found + 1
									  : found,
					.is_over = is_last};
}

enum store_outcome storage_retention(struct storage *storage,
				     const struct retention_rules *rules, int64_t now,
				     struct retention_walk *walk)
{
	SCOPED(reader_end) struct reader reader;
	enum store_outcome outcome = reader_begin(&reader, storage);

	walk->count = 0;
	for (unsigned i = 0; outcome == STORE_OK && i < STEP_BOXES && !walk->is_over;
	     i++) {
		struct key key;
		err_t err = kv_seek(&reader.cursor,
				    key_mailbox(&key, walk->account, walk->mailbox));

		walk->is_over = err == ERR_ABSENT;
		if (err != OK && err != ERR_SYNTAX)
			return err == ERR_ABSENT ? STORE_OK : read_err(err);
		account_t found = key_account_of(reader.cursor.key);

		if (err == OK && is_worth_it(&reader, rules, walk)) {
			look_at(&reader, rules, now, walk);
			if (walk->count > 0)
				return STORE_OK;
			walk->mailbox++;
			walk->uids = (struct uid_range){0};
		} else {
			next_account(walk, found);
		}
	}
	return outcome;
}
