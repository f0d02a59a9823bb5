/* An account's own row, its mailboxes, its change log and its keys. */
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "storage/apply.h"
#include "storage/changes.h"
#include "storage/check_state.h"
#include "store/acl.h"

enum { JUMP = 1 << 20 }; /* past what may have been given out and is lost */

void number_seen(struct checker *c, uint64_t number)
{
	c->top_number = num_max(c->top_number, number);
}

static void row_unreadable(struct checker *c, struct str key, const char *text)
{
	found_row(c, CHECK_ROW_DAMAGED, text);
	fix_delete(c, key);
}

/* ---- rows -------------------------------------------------------------------------- */

static void mailbox_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = key_dec(key);
	uint64_t id = dec_key48(&d);
	struct mailbox_row row;

	number_seen(c, id);
	if (!mailbox_read(value, id, &row) || row.name.len > MAILBOX_NAME_MAX) {
		row_unreadable(c, key, "the row of a mailbox");
		return;
	}
	MEM_ROOM(c->boxes, c->box_count, c->box_room);
	struct box *box = &c->boxes[c->box_count++];

	*box = (struct box){.row = row};
	memcpy(box->text, row.name.ptr, row.name.len);
	box->row.name.ptr = NULL; /* boxes move; box_name() tells it */
	c->report->mailboxes++;
	c->sums.uid_validity = (uint32_t)num_max(c->sums.uid_validity, row.uid_validity);
}

static struct str box_name(const struct box *box)
{
	return (struct str){box->text, box->row.name.len};
}

static void name_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = key_dec(key), v = dec_over(value);
	uint64_t parent = dec_key48(&d), id = dec_key48(&v);
	const struct box *box = box_find(c, id);

	if (box && box->row.parent == parent && str_same(box_name(box), d.rest))
		return;
	found(c, (struct check_finding){.what = CHECK_LEADS_NOWHERE,
					.text = "the name of a mailbox",
					.account = c->account,
					.mailbox = id,
					.mailbox_name = d.rest});
	if (box || !dec_done(&v)) {
		fix_delete(c, key);
		return;
	}
	/* The name outlived the row: the mailbox comes back, and counts itself later. */
	struct mailbox_row row = {.id = id,
				  .parent = parent,
				  .name = d.rest,
				  .role = id == MAILBOX_INBOX ? ROLE_INBOX : ROLE_NONE,
				  .is_subscribed = true,
				  .uid_validity = c->is.uid_validity + JUMP,
				  .uid_next = JUMP,
				  .modseq = c->is.change};
	struct key k;

	buf_reset(&c->row);
	mailbox_write(&c->row, &row);
	fix_put(c, key_mailbox(&k, c->account, id), buf_str(&c->row));
}

static void change_row(struct checker *c, struct str key, struct str value)
{
	enum change_kind kind;
	uint32_t day;
	uint64_t mailbox, change = key_change_of(key);
	struct dec uids;

	number_seen(c, change);
	c->sums.changes++;
	c->sums.change = num_max(c->sums.change, change);
	if (change_read(value, &kind, &day, &mailbox, &uids))
		return;
	row_unreadable(c, key, "a row of the change log");
	c->is_log_short = true;
}

static void kept_row(struct checker *c, struct str key, struct str value)
{
	struct str name = str_skip(key, KEY_PREFIX_LEN), empty;
	struct key k;

	if (value.len < 4) {
		row_unreadable(c, key, "the result of a commit");
		return;
	}
	struct str age = key_kept_age(&k, kept_minute(&value), c->account, name);

	if (look(c, age, &empty))
		return;
	found_row(c, CHECK_MISSING, "the age of a commit's result");
	fix_put(c, age, STR(""));
}

static void pair_row(struct checker *c, struct str key, struct str value)
{
	struct str name = str_skip(key, KEY_PREFIX_LEN);
	uint64_t mailbox = pair_mailbox(name);

	if (mailbox != 0 && !box_find(c, mailbox)) {
		found_row(c, CHECK_LEADS_NOWHERE, "what went with a mailbox");
		fix_delete(c, key);
	}
	if (str_same(name, STR(STORE_KV_UNDELETE)) &&
	    !keep_days_parse(value, &c->sums.keep_days))
		c->sums.keep_days = KEEP_DAYS;
	if (!str_same(name, STR(STORE_KV_QUOTA)))
		return;
	if (!quota_parse(value, &c->sums.messages_max, &c->sums.bytes_max))
		c->sums.messages_max = c->sums.bytes_max = 0;
}

void check_account_row(struct checker *c, int table, struct str key, struct str value)
{
	switch (table) {
	case TABLE_ACCOUNT:
		c->has_row = account_read(value, &c->is);
		if (!c->has_row)
			row_unreadable(c, key, "the row of an account");
		return;
	case TABLE_MAILBOX:
		mailbox_row(c, key, value);
		return;
	case TABLE_NAME:
		name_row(c, key, value);
		return;
	case TABLE_CHANGE:
		change_row(c, key, value);
		return;
	case TABLE_MESSAGE:
		check_message_row(c, key, value);
		return;
	case TABLE_MEMBER:
		check_member_row(c, key, value);
		return;
	case TABLE_EXPUNGED:
		check_expunged_row(c, key, value);
		return;
	case TABLE_QUEUE:
		check_queue_row(c, key, value);
		return;
	case TABLE_KV:
		pair_row(c, key, value);
		return;
	case TABLE_KEPT_KEY:
		kept_row(c, key, value);
		return;
	}
}

/* ---- the end of an account --------------------------------------------------------- */

static void wrong_box(struct checker *c, struct box *box, enum check_what what,
		      const char *text)
{
	found(c, (struct check_finding){.what = what,
					.text = text,
					.account = c->account,
					.mailbox = box->row.id,
					.mailbox_name = box_name(box)});
	box->is_bad = true;
}

/* From the mailbox up to the top, in no circle. */
static bool has_way_up(struct checker *c, const struct box *box)
{
	for (unsigned depth = 0; depth <= MAILBOX_DEPTH_MAX; depth++) {
		if (box->row.parent == 0)
			return true;
		box = box_find(c, box->row.parent);
		if (!box)
			return false;
	}
	return false;
}

static void check_place(struct checker *c, struct box *box)
{
	struct key key;
	struct str value;

	if (!has_way_up(c, box)) {
		wrong_box(c, box, CHECK_LEADS_NOWHERE, "the parent of a mailbox");
		fix_delete(c, key_name(&key, c->account, box->row.parent, box_name(box)));
		box->row.parent = 0;
	}
	struct str name = key_name(&key, c->account, box->row.parent, box_name(box));

	if (look(c, name, &value)) {
		struct dec d = dec_over(value);

		if (dec_key48(&d) == box->row.id)
			return;
		/* Another one has it. */
		int len = snprintf(box->text, sizeof box->text, "Recovered %llu",
				   (unsigned long long)box->row.id);

		box->row.name.len = (size_t)len;
		name = key_name(&key, c->account, box->row.parent, box_name(box));
	}
	wrong_box(c, box, CHECK_MISSING, "the name of a mailbox");
	buf_reset(&c->row);
	enc_key48(&c->row, box->row.id);
	fix_put(c, name, buf_str(&c->row));
}

static void check_box(struct checker *c, struct box *box)
{
	struct mailbox_row *row = &box->row;
	struct key key;

	check_place(c, box);
	if (row->exists != box->exists || row->unseen != box->unseen ||
	    row->deleted != box->deleted || row->recent != box->recent ||
	    row->bytes != box->bytes)
		wrong_box(c, box, CHECK_COUNT_WRONG, "how much is in a mailbox");
	if (row->uid_next <= box->top_uid || row->modseq < box->top_modseq ||
	    row->uid_validity == 0)
		wrong_box(c, box, CHECK_COUNT_WRONG, "the numbers of a mailbox");
	c->sums.mailboxes++;
	c->sums.messages += box->exists;
	c->sums.bytes += box->bytes;
	c->sums.change = num_max(c->sums.change, row->modseq);
	number_seen(c, row->modseq);
	if (!box->is_bad)
		return;
	row->name = box_name(box);
	row->exists = box->exists;
	row->unseen = box->unseen;
	row->deleted = box->deleted;
	row->recent = box->recent;
	row->bytes = box->bytes;
	row->uid_next = (uint32_t)num_max(row->uid_next, (uint64_t)box->top_uid + 1);
	row->modseq = num_max(row->modseq, box->top_modseq);
	buf_reset(&c->row);
	mailbox_write(&c->row, row);
	fix_put(c, key_mailbox(&key, c->account, row->id), buf_str(&c->row));
}

/* What the account's row should say. */
static struct account_row right_account(const struct checker *c)
{
	struct account_row right = c->sums;
	uint64_t jump = c->has_row ? 0 : JUMP;

	right.change = num_max(c->is.change, c->sums.change + jump);
	right.next = num_max(c->is.next, num_max(c->top_number, right.change) + 1 + jump);
	right.uid_validity = (uint32_t)num_max(c->is.uid_validity,
					       (uint64_t)c->sums.uid_validity + 1 + jump);
	right.trim_day = c->has_row ? c->is.trim_day : 0;
	if (right.changes > 0 && right.trim_day == 0)
		right.trim_day = 1;
	right.change_floor =
		c->has_row && !c->is_log_short ? c->is.change_floor : right.change;
	return right;
}

static bool is_same(const struct account_row *a, const struct account_row *b)
{
	return a->next == b->next && a->change == b->change &&
	       a->change_floor == b->change_floor && a->changes == b->changes &&
	       a->trim_day == b->trim_day && a->uid_validity == b->uid_validity &&
	       a->mailboxes == b->mailboxes && a->messages == b->messages &&
	       a->bytes == b->bytes && a->messages_max == b->messages_max &&
	       a->bytes_max == b->bytes_max && a->keep_days == b->keep_days &&
	       a->expunged == b->expunged && a->expunged_bytes == b->expunged_bytes;
}

static void check_trim(struct checker *c, uint32_t day)
{
	struct key key;
	struct str empty, row = key_trim(&key, day, c->account);

	if (day == 0 || look(c, row, &empty))
		return;
	found_row(c, CHECK_MISSING, "when a change log is to be trimmed");
	fix_put(c, row, STR(""));
}

void check_account_end(struct checker *c)
{
	struct key key;

	for (size_t i = 0; i < c->box_count; i++)
		check_box(c, &c->boxes[i]);
	struct account_row right = right_account(c);

	check_trim(c, right.trim_day);
	c->totals.mailboxes += right.mailboxes;
	c->totals.messages += right.messages;
	c->totals.expunged += right.expunged;
	if (c->account != ACCOUNT_SYSTEM)
		c->totals.accounts++;
	c->report->accounts = c->totals.accounts;
	if (c->has_row && is_same(&right, &c->is))
		return;
	found_row(c, c->has_row ? CHECK_COUNT_WRONG : CHECK_MISSING,
		  c->has_row ? "the sums and counters of an account"
			     : "the row of an account");
	buf_reset(&c->row);
	account_write(&c->row, &right);
	fix_put(c, key_account(&key, c->account), buf_str(&c->row));
}
