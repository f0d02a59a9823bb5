/* The rows of the system that speak of those of accounts, and the sums over everything.
 */
#include "base/num.h"
#include "storage/check_state.h"

void row_nowhere(struct checker *c, struct str key, const char *text)
{
	found_row(c, CHECK_LEADS_NOWHERE, text);
	fix_delete(c, key);
}

static void age_row(struct checker *c, struct str key)
{
	struct dec d = key_dec(key);
	uint32_t minute = dec_key32(&d);
	account_t account = dec_key32(&d);
	struct key k;
	struct str kept;

	if (!look(c, key_kept(&k, account, d.rest), &kept) || kept.len < 4 ||
	    kept_minute(&kept) != minute)
		row_nowhere(c, key, "the age of a commit's result");
}

static void purge_row(struct checker *c, struct str key)
{
	struct dec d = key_dec(key);
	account_t account = dec_key32(&d);
	uint64_t mailbox = dec_key48(&d);
	struct key k;
	struct str row;

	/* A mailbox that is there is not purged: its mail comes first. */
	if (look(c, key_mailbox(&k, account, mailbox), &row))
		row_nowhere(c, key, "the purge of a mailbox");
}

bool item_look(struct checker *c, account_t account, uint64_t message,
	       struct item_row *item)
{
	struct key k;
	struct str row;

	return look(c, key_message(&k, account, message, PART_ITEM), &row) &&
	       item_read(row, item);
}

static void reference_row(struct checker *c, struct str key)
{
	struct dec d = key_dec(key);
	uint32_t pack = dec_key32(&d);
	uint64_t offset = dec_key64(&d);
	account_t account = dec_key32(&d);
	uint64_t message = dec_key48(&d);
	struct item_row item;

	if (!item_look(c, account, message, &item) || !item.is_shared ||
	    item.blob.at.pack != pack || item.blob.at.offset != offset) {
		row_nowhere(c, key, "that a body is shared");
		return;
	}
	if (pack == c->shared_pack && offset == c->shared_offset) {
		c->totals.shared_bytes += item.blob.at.length;
		return;
	}
	c->shared_pack = pack;
	c->shared_offset = offset;
	body_seen(c, &item.blob.at);
}

static void trim_row(struct checker *c, struct str key)
{
	struct dec d = key_dec(key);
	uint32_t day = dec_key32(&d);
	struct account_row account;
	struct key k;
	struct str row;

	if (!look(c, key_account(&k, dec_key32(&d)), &row) ||
	    (day != 0 && (!account_read(row, &account) || account.trim_day != day)))
		row_nowhere(c, key, "when a change log is to be trimmed");
}

static void damaged_row(struct checker *c, struct str key, struct str value)
{
	struct damaged_row row;
	struct item_row item;
	struct pack_found body;

	if (!damaged_read(key, value, &row)) {
		row_nowhere(c, key, "a mail that is set aside");
		return;
	}
	if (row.account == ACCOUNT_SYSTEM && row.uid == 0 && row.size == 0)
		return; /* a gap in the log */
	/* Its owner may have removed it since, or its pack was put right. */
	if (!item_look(c, row.account, row.message, &item) ||
	    pack_map_body(c->map, c->packs, item.blob.at, &body) == OK)
		fix_delete(c, key);
}

static void state_row(struct checker *c, struct str value)
{
	c->has_state = state_read(value, &c->state) && c->state.format == STORAGE_FORMAT;
	if (!c->has_state)
		found_row(c, CHECK_ROW_DAMAGED, "the state of the store");
	else if (c->map->sequence != c->state.sequence)
		found_row(c, CHECK_BEHIND,
			  c->map->sequence < c->state.sequence
				  ? "the packs lack what the index holds"
				  : "the index lacks what the packs hold");
}

void check_system_row(struct checker *c, int table, struct str key, struct str value)
{
	switch (table) {
	case TABLE_KEPT_AGE:
		age_row(c, key);
		return;
	case TABLE_PURGE:
		purge_row(c, key);
		return;
	case TABLE_REFERENCE:
		reference_row(c, key);
		return;
	case TABLE_STATE:
		state_row(c, value);
		return;
	case TABLE_TRIM:
		trim_row(c, key);
		return;
	case TABLE_WAIT:
		if (!is_waiting_there(c, key))
			row_nowhere(c, key, "when a mail in the queue is due");
		return;
	case TABLE_QUEUE_ID:
		if (!is_queue_id(c, key))
			row_nowhere(c, key, "a queue id");
		return;
	case TABLE_EXPIRY:
		check_expiry_row(c, key);
		return;
	case TABLE_EQUAL:
		check_equal_row(c, key, value);
		return;
	case TABLE_DEAD:
		check_dead_row(c, key, value);
		return;
	case TABLE_DAMAGED:
		damaged_row(c, key, value);
		return;
	}
}

/* Stretches of the log that are lost are told until they are set aside, like mails: they
 * stay lost for ever. */
static void check_gaps(struct checker *c)
{
	c->account = ACCOUNT_SYSTEM;
	for (size_t i = 0; i < c->map->gap_count; i++) {
		const struct pack_gap *gap = &c->map->gaps[i];
		struct damaged_row row = {.mailbox = gap->from.pack, .found_at = c->now};
		struct key key;
		struct str known, name = key_damaged(&key, ACCOUNT_SYSTEM, gap->sequence);
		struct check_finding finding = {.what = CHECK_GROUPS_LOST,
						.text = "a stretch of the log",
						.pack = gap->from.pack,
						.offset = gap->from.offset,
						.is_set_aside = look(c, name, &known)};

		found(c, finding);
		if (finding.is_set_aside)
			continue;
		buf_reset(&c->row);
		damaged_write(&c->row, &row);
		fix_put(c, name, buf_str(&c->row));
	}
	if (packs_guessed(c->packs) > 0)
		found_row(c, CHECK_PACK_HEADER, "the header of a pack");
}

void check_totals(struct checker *c)
{
	check_gaps(c);
	check_domains(c);
	struct state_row right = c->state;
	struct key key;

	if (!c->has_state) {
		found_row(c, CHECK_MISSING, "the state of the store");
		return;
	}
	right.accounts = c->totals.accounts;
	right.messages = c->totals.messages;
	right.mailboxes = c->totals.mailboxes;
	right.queue = c->totals.queue;
	right.body_bytes = c->totals.body_bytes;
	right.shared_bytes = c->totals.shared_bytes;
	right.dead_bytes = c->totals.dead_bytes;
	right.expunged = c->totals.expunged;
	check_pack_sums(c);
	if (right.accounts == c->state.accounts && right.messages == c->state.messages &&
	    right.mailboxes == c->state.mailboxes &&
	    memcmp(&right.queue, &c->state.queue, sizeof right.queue) == 0 &&
	    right.body_bytes == c->state.body_bytes &&
	    right.shared_bytes == c->state.shared_bytes &&
	    right.dead_bytes == c->state.dead_bytes &&
	    right.expunged == c->state.expunged)
		return;
	c->account = ACCOUNT_SYSTEM;
	found_row(c, CHECK_COUNT_WRONG, "the sums over all accounts");
	buf_reset(&c->row);
	state_write(&c->row, &right);
	fix_put(c, key_state(&key), buf_str(&c->row));
}
