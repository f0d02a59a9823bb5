/* Messages, memberships and queue rows of an account. */
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "storage/check_state.h"
#include "storage/items.h"

enum { DIGEST_KEPT_MAX = 60000 };

/* ---- messages ---------------------------------------------------------------------- */

static bool body_is_there(struct checker *c, uint64_t message, const struct item_row *row)
{
	struct pack_found body;

	if (pack_map_body(c->map, c->packs, row->blob.at, &body) != OK ||
	    body.raw_size != row->raw_size)
		return false;
	/* A body that nobody shares was written for this very message. */
	return row->is_shared || (body.account == c->account && body.message == message);
}

static void check_sharing(struct checker *c, uint64_t message, const struct item_row *row)
{
	const struct pack_body *at = &row->blob.at;
	struct str empty;
	struct key key;
	struct str reference =
		key_reference(&key, at->pack, at->offset, c->account, message);

	if (row->is_shared && !look(c, reference, &empty)) {
		found_row(c, CHECK_MISSING, "that a body is shared");
		fix_put(c, reference, STR(""));
	}
	if (!row->is_shared)
		body_seen(c, at);
	struct str dead = key_dead(&key, at->pack, at->offset);

	if (!look(c, dead, &empty))
		return;
	found_row(c, CHECK_LEADS_NOWHERE, "a body is needed and listed as dead");
	fix_delete(c, dead);
}

static void item_row(struct checker *c, uint64_t message, struct str key,
		     struct str value)
{
	struct item_row row;

	if (!item_read(value, &row)) {
		found_row(c, CHECK_ROW_DAMAGED, "the row of a message");
		fix_delete(c, key);
		return;
	}
	MEM_ROOM(c->tallies, c->tally_count, c->tally_room);
	c->tallies[c->tally_count++] =
		(struct tally){.message = message,
			       .size = item_size(&row),
			       .members = row.members,
			       .received_at = row.received_at,
			       .is_lost = !body_is_there(c, message, &row)};
	check_sharing(c, message, &row);
}

void check_message_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = key_dec(key);
	uint64_t message = dec_key48(&d);
	uint8_t part = dec_u8(&d);

	number_seen(c, message);
	if (part == PART_ITEM) {
		item_row(c, message, key, value);
		return;
	}
	/* Its row came before. */
	if (tally_find(c, message))
		return;
	found_row(c, CHECK_LEADS_NOWHERE,
		  part == PART_DIGEST ? "the digest of a message"
				      : "the envelope of a message");
	fix_delete(c, key);
}

/* ---- a body that is lost ----------------------------------------------------------- */

static void set_aside(struct checker *c, const struct check_finding *finding,
		      const struct tally *tally)
{
	struct key key;
	struct damaged_row row = {.mailbox = finding->mailbox,
				  .size = tally->size,
				  .uid = finding->uid,
				  .found_at = c->now,
				  .received_at = tally->received_at,
				  .mailbox_name = finding->mailbox_name,
				  .digest = finding->digest};

	if (row.digest.len > DIGEST_KEPT_MAX)
		row.digest = STR("");
	buf_reset(&c->row);
	damaged_write(&c->row, &row);
	fix_put(c, key_damaged(&key, c->account, tally->message), buf_str(&c->row));
}

/* Told once, with the first place where its owner sees it. */
static void tell_lost(struct checker *c, struct tally *tally, struct box *box,
		      uint32_t uid)
{
	struct check_finding finding = {.what = CHECK_BODY_LOST,
					.text = "the body of a mail",
					.account = c->account,
					.message = tally->message,
					.uid = uid,
					.size = tally->size,
					.received_at = tally->received_at};
	struct key key;
	struct str value;

	tally->is_told = true;
	finding.is_set_aside =
		look(c, key_damaged(&key, c->account, tally->message), &value);
	if (box) {
		finding.mailbox = box->row.id;
		finding.mailbox_name = (struct str){box->text, box->row.name.len};
	}
	if (look(c, key_message(&key, c->account, tally->message, PART_DIGEST), &value))
		finding.digest = value;
	found(c, finding);
	if (!finding.is_set_aside)
		set_aside(c, &finding, tally);
}

/* ---- memberships ------------------------------------------------------------------- */

/* Its mailbox was lost, or is deleted and waits to be purged. */
static void no_mailbox(struct checker *c, uint64_t mailbox, uint32_t uid)
{
	struct key key, name_key;
	struct str empty;

	if (look(c, key_purge(&key, c->account, mailbox), &empty))
		return;
	found(c, (struct check_finding){.what = CHECK_MISSING,
					.text = "the row of a mailbox",
					.account = c->account,
					.mailbox = mailbox});
	char text[40];
	int len = snprintf(text, sizeof text, "Recovered %llu",
			   (unsigned long long)mailbox);
	struct mailbox_row row = {.id = mailbox,
				  .name = {text, (size_t)len},
				  .is_subscribed = true,
				  .uid_validity = c->is.uid_validity,
				  .uid_next = uid + 1,
				  .modseq = c->is.change};

	buf_reset(&c->row);
	mailbox_write(&c->row, &row);
	fix_put(c, key_mailbox(&key, c->account, mailbox), buf_str(&c->row));
	buf_reset(&c->row);
	enc_key48(&c->row, mailbox);
	fix_put(c, key_name(&name_key, c->account, 0, row.name), buf_str(&c->row));
}

static void count(struct box *box, const struct member_row *row, uint32_t uid,
		  uint64_t size)
{
	box->exists++;
	box->unseen += !(row->flags & FLAG_SEEN);
	box->deleted += (row->flags & FLAG_DELETED) != 0;
	box->recent += uid >= box->row.recent_from;
	box->bytes += size;
	box->top_uid = (uint32_t)num_max(box->top_uid, uid);
	box->top_modseq = num_max(box->top_modseq, row->modseq);
}

static void check_modseq(struct checker *c, uint64_t modseq)
{
	struct key key;

	if (modseq <= c->is.change_floor || c->is_log_short)
		return;
	struct str first = key_change(&key, c->account, modseq, UINT32_MAX);

	if (kv_seek(&c->other, first) == OK &&
	    key_is_of(c->other.key, c->account, TABLE_CHANGE) &&
	    key_change_of(c->other.key) == modseq)
		return;
	found_row(c, CHECK_MISSING, "a change in the change log");
	c->is_log_short = true;
}

void check_member_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = key_dec(key);
	uint64_t mailbox = dec_key48(&d);
	uint32_t uid = key_uid_of(key);
	struct member_row row;
	struct box *box = box_find(c, mailbox);

	if (!member_read(value, &row)) {
		found_row(c, CHECK_ROW_DAMAGED, "the row of a mail in its mailbox");
		fix_delete(c, key);
		return;
	}
	struct tally *tally = tally_find(c, row.message);

	number_seen(c, row.member);
	number_seen(c, row.message);
	number_seen(c, row.modseq);
	if (!tally) {
		found(c, (struct check_finding){
				 .what = CHECK_MESSAGE_LOST,
				 .text = "a mail",
				 .account = c->account,
				 .mailbox = mailbox,
				 .message = row.message,
				 .uid = uid,
				 .received_at = row.saved_at,
				 .mailbox_name =
					 box ? (struct str){box->text, box->row.name.len}
					     : STR("")});
		fix_delete(c, key);
		return;
	}
	tally->seen++;
	if (!box) {
		no_mailbox(c, mailbox, uid);
		return;
	}
	c->report->mails++;
	count(box, &row, uid, tally->size);
	check_modseq(c, row.modseq);
	if (tally->is_lost && !tally->is_told)
		tell_lost(c, tally, box, uid);
}

/* ---- the queue --------------------------------------------------------------------- */

void check_queue_row(struct checker *c, struct str key, struct str value)
{
	struct dec d = key_dec(key);
	uint64_t id = dec_key48(&d);
	struct waiting_row row;
	struct tally *tally = NULL;
	struct key k;
	struct str value_of_envelope;
	struct envelope_row envelope;

	number_seen(c, id);
	bool is_good = waiting_read(value, &row);

	if (is_good)
		tally = tally_find(c, row.message);
	if (!is_good || !tally ||
	    !look(c, key_message(&k, c->account, row.message, PART_ENVELOPE),
		  &value_of_envelope) ||
	    !envelope_read(value_of_envelope, &envelope)) {
		found_row(c, is_good ? CHECK_MESSAGE_LOST : CHECK_ROW_DAMAGED,
			  "a mail in the queue");
		fix_delete(c, key);
		return;
	}
	number_seen(c, row.lease);
	tally->seen++;
	check_standing(c, id, &row, envelope.id);
	if (tally->is_lost && !tally->is_told)
		tell_lost(c, tally, NULL, 0);
}

/* ---- the end of an account --------------------------------------------------------- */

static void right_members(struct checker *c, const struct tally *tally)
{
	struct key key;
	struct str value, name = key_message(&key, c->account, tally->message, PART_ITEM);
	struct item_row row;

	found(c, (struct check_finding){.what = CHECK_COUNT_WRONG,
					.text = "how often a message is needed",
					.account = c->account,
					.message = tally->message});
	if (!look(c, name, &value) || !item_read(value, &row))
		return;
	if (tally->seen == 0) {
		/* Nobody can reach it; its body stays where it is. */
		struct key other;

		fix_delete(c,
			   key_message(&other, c->account, tally->message, PART_DIGEST));
		fix_delete(c, key_message(&other, c->account, tally->message,
					  PART_ENVELOPE));
		fix_delete(c, name);
		if (row.is_shared)
			fix_delete(c, key_reference(&other, row.blob.at.pack,
						    row.blob.at.offset, c->account,
						    tally->message));
		return;
	}
	row.members = tally->seen;
	buf_reset(&c->row);
	item_write(&c->row, &row);
	fix_put(c, name, buf_str(&c->row));
}

void check_messages_end(struct checker *c)
{
	for (size_t i = 0; i < c->tally_count; i++) {
		const struct tally *tally = &c->tallies[i];

		if (tally->members != tally->seen ||
		    (tally->seen == 0 && !tally->is_kept))
			right_members(c, &c->tallies[i]);
	}
}
