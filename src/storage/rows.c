/* Rows are written with base/codec.h, fields in the order below; var is enc_var(), str is
 * enc_str(), signed times are stored as u64.
 *
 *   state     format u32, epoch u64, sequence u64, at {pack u32, offset u64},
 *             end {pack u32, offset u64}, then var: accounts, messages, mailboxes,
 *             octets of bodies, of those saved by sharing, dead, punched,
 *             expunged messages, then the queue rows as in count
 *   account   var: next number, change, floor of the log, rows in the log, next
 *             UIDVALIDITY, mailboxes, messages, octets, most messages, most octets,
 *             days that expunged messages are kept, expunged messages, their octets
 *   mailbox   var parent, str name, u8 role, u8 bits (1 container, 2 subscribed), var:
 *             UIDVALIDITY, UIDNEXT, exists, unseen, deleted, octets, MODSEQ, the first
 *             UID that is recent, and how many are (before these were kept the row ended
 *             here, and nothing is)
 *   member    var membership, var message, u8 flags, var MODSEQ, u64 saved at, then
 *             keywords (str each) to the end
 *   message   u8 bits (1 shared, 2 threaded), var members, 32 octets SHA-256 of the
 *             frame, var: pack, offset, frame length, raw size; u64 received at, u16
 *             zone, trace to the end
 *   digest    as it was given
 *   envelope  str sender, str id, str envid, u8 ret, u8 body kind, u64 deliver by, u64
 *             hold until, u8 modes
 *   queue     var message, var lease, u64 due, var tries, str reason,
 *             recipient {u8 kind, str address, str original, u32 account, str orcpt,
 *             u8 notify}, u8 told, u8 bits (priority; 16 given up), u8 cause, u64: leased
 *             until, held until, tried at, received at; str host, str route
 *   count     of queue rows, var: rows, held, leased, then those of each cause
 *   result    var change, var count, then for each operation var: mailbox, UIDVALIDITY,
 *             UID, message, row
 *   change    u8 kind, var day since 1970, var mailbox, then pairs of var to the end:
 * UIDs passed over since the last range, UIDs of the range less one expunged  var
 * message, var mailbox, var UID, u8 flags, u64 saved at, u64 expunged at, u64 until, then
 * keywords (str each) to the end dead      var length of the frame, var sequence of the
 * group that listed it pack      var octets of frames: needed, dead, punched, needed but
 * not to be copied equal     u32 account, var message purge     u64 when the mailbox was
 * deleted thread    of a message: var thread; of an identifier: var thread, var messages
 *   damaged   u64 found at, u64 received at, var mailbox, var UID, var octets, str name
 *             of the mailbox, str digest (check.c)
 *   name      the mailbox's number, key48
 *   reference, trim, wait, expiry, queue id: empty
 */
#include "storage/rows.h"

#include "base/arena.h"
#include "base/num.h"
#include "store/codec.h"

static uint32_t dec_var32(struct dec *d)
{
	return (uint32_t)dec_var_max(d, UINT32_MAX);
}

static struct pack_place place_read(struct dec *d)
{
	struct pack_place place = {.pack = dec_u32(d)};

	place.offset = dec_u64(d);
	return place;
}

static void place_write(struct buf *buf, struct pack_place place)
{
	enc_u32(buf, place.pack);
	enc_u64(buf, place.offset);
}

void state_write(struct buf *buf, const struct state_row *row)
{
	enc_u32(buf, row->format);
	enc_u64(buf, row->epoch);
	enc_u64(buf, row->sequence);
	place_write(buf, row->at);
	place_write(buf, row->end);
	enc_var(buf, row->accounts);
	enc_var(buf, row->messages);
	enc_var(buf, row->mailboxes);
	enc_var(buf, row->body_bytes);
	enc_var(buf, row->shared_bytes);
	enc_var(buf, row->dead_bytes);
	enc_var(buf, row->punched_bytes);
	enc_var(buf, row->expunged);
	store_enc_count(buf, &row->queue);
}

bool state_read(struct str bytes, struct state_row *row)
{
	struct dec d = dec_over(bytes);

	*row = (struct state_row){.format = dec_u32(&d)};
	if (row->format != STORAGE_FORMAT)
		return dec_ok(&d); /* the caller refuses it */
	row->epoch = dec_u64(&d);
	row->sequence = dec_u64(&d);
	row->at = place_read(&d);
	row->end = place_read(&d);
	row->accounts = dec_var(&d);
	row->messages = dec_var(&d);
	row->mailboxes = dec_var(&d);
	row->body_bytes = dec_var(&d);
	row->shared_bytes = dec_var(&d);
	row->dead_bytes = dec_var(&d);
	row->punched_bytes = dec_var(&d);
	row->expunged = dec_var(&d);
	store_dec_count(&d, &row->queue);
	return dec_done(&d);
}

void account_write(struct buf *buf, const struct account_row *row)
{
	enc_var(buf, row->next);
	enc_var(buf, row->change);
	enc_var(buf, row->change_floor);
	enc_var(buf, row->changes);
	enc_var(buf, row->uid_validity);
	enc_var(buf, row->mailboxes);
	enc_var(buf, row->messages);
	enc_var(buf, row->bytes);
	enc_var(buf, row->messages_max);
	enc_var(buf, row->bytes_max);
	enc_var(buf, row->keep_days);
	enc_var(buf, row->expunged);
	enc_var(buf, row->expunged_bytes);
	enc_var(buf, row->trim_day);
}

bool account_read(struct str bytes, struct account_row *row)
{
	struct dec d = dec_over(bytes);

	row->next = dec_var(&d);
	row->change = dec_var(&d);
	row->change_floor = dec_var(&d);
	row->changes = dec_var(&d);
	row->uid_validity = dec_var32(&d);
	row->mailboxes = dec_var32(&d);
	row->messages = dec_var(&d);
	row->bytes = dec_var(&d);
	row->messages_max = dec_var(&d);
	row->bytes_max = dec_var(&d);
	row->keep_days = dec_var32(&d);
	row->expunged = dec_var(&d);
	row->expunged_bytes = dec_var(&d);
	row->trim_day = dec_var32(&d);
	return dec_done(&d);
}

void mailbox_write(struct buf *buf, const struct mailbox_row *row)
{
	enc_var(buf, row->parent);
	enc_str(buf, row->name);
	enc_u8(buf, (uint8_t)row->role);
	enc_u8(buf, (uint8_t)(row->is_container | row->is_subscribed << 1));
	enc_var(buf, row->uid_validity);
	enc_var(buf, row->uid_next);
	enc_var(buf, row->exists);
	enc_var(buf, row->unseen);
	enc_var(buf, row->deleted);
	enc_var(buf, row->bytes);
	enc_var(buf, row->modseq);
	enc_var(buf, row->recent_from);
	enc_var(buf, row->recent);
}

bool mailbox_read(struct str bytes, uint64_t id, struct mailbox_row *row)
{
	struct dec d = dec_over(bytes);

	*row = (struct mailbox_row){.id = id, .parent = dec_var(&d)};
	row->name = dec_str(&d);
	row->role = (enum mailbox_role)dec_u8(&d);
	uint8_t bits = dec_u8(&d);

	row->is_container = bits & 1;
	row->is_subscribed = bits & 2;
	row->uid_validity = dec_var32(&d);
	row->uid_next = dec_var32(&d);
	row->exists = dec_var32(&d);
	row->unseen = dec_var32(&d);
	row->deleted = dec_var32(&d);
	row->bytes = dec_var(&d);
	row->modseq = dec_var(&d);
	row->recent_from = row->uid_next;
	if (d.rest.len > 0) {
		row->recent_from = dec_var32(&d);
		row->recent = dec_var32(&d);
	}
	return dec_done(&d);
}

void member_write(struct buf *buf, const struct member_row *row)
{
	enc_var(buf, row->member);
	enc_var(buf, row->message);
	enc_u8(buf, row->flags);
	enc_var(buf, row->modseq);
	enc_u64(buf, (uint64_t)row->saved_at);
	buf_add(buf, row->words);
}

bool member_read(struct str bytes, struct member_row *row)
{
	struct dec d = dec_over(bytes);

	row->member = dec_var(&d);
	row->message = dec_var(&d);
	row->flags = dec_u8(&d);
	row->modseq = dec_var(&d);
	row->saved_at = (int64_t)dec_u64(&d);
	row->words = d.rest;
	return dec_ok(&d);
}

void item_write(struct buf *buf, const struct item_row *row)
{
	enc_u8(buf, (uint8_t)(row->is_shared | row->is_threaded << 1));
	enc_var(buf, row->members);
	buf_add(buf, (struct str){(const char *)row->blob.hash, BLOB_HASH_BYTES});
	enc_var(buf, row->blob.at.pack);
	enc_var(buf, row->blob.at.offset);
	enc_var(buf, row->blob.at.length);
	enc_var(buf, row->raw_size);
	enc_u64(buf, (uint64_t)row->received_at);
	enc_u16(buf, (uint16_t)row->received_zone);
	buf_add(buf, row->trace);
}

bool item_read(struct str bytes, struct item_row *row)
{
	struct dec d = dec_over(bytes);
	uint8_t bits = dec_u8(&d);

	row->is_shared = bits & 1;
	row->is_threaded = bits & 2;
	row->members = dec_var32(&d);
	struct str hash = dec_bytes(&d, BLOB_HASH_BYTES);

	row->blob.at.pack = dec_var32(&d);
	row->blob.at.offset = dec_var(&d);
	row->blob.at.length = dec_var(&d);
	row->raw_size = dec_var(&d);
	row->received_at = (int64_t)dec_u64(&d);
	row->received_zone = (int16_t)dec_u16(&d);
	row->trace = d.rest;
	if (!dec_ok(&d))
		return false;
	memcpy(row->blob.hash, hash.ptr, BLOB_HASH_BYTES);
	return true;
}

void expunged_write(struct buf *buf, const struct expunged_row *row)
{
	enc_var(buf, row->message);
	enc_var(buf, row->mailbox);
	enc_var(buf, row->uid);
	enc_u8(buf, row->flags);
	enc_u64(buf, (uint64_t)row->saved_at);
	enc_u64(buf, (uint64_t)row->expunged_at);
	enc_u64(buf, (uint64_t)row->until);
	buf_add(buf, row->words);
}

bool expunged_read(struct str bytes, struct expunged_row *row)
{
	struct dec d = dec_over(bytes);

	row->message = dec_var(&d);
	row->mailbox = dec_var(&d);
	row->uid = dec_var32(&d);
	row->flags = dec_u8(&d);
	row->saved_at = (int64_t)dec_u64(&d);
	row->expunged_at = (int64_t)dec_u64(&d);
	row->until = (int64_t)dec_u64(&d);
	row->words = d.rest;
	return dec_ok(&d);
}

void dead_write(struct buf *buf, const struct dead_row *row)
{
	enc_var(buf, row->length);
	enc_var(buf, row->sequence);
}

bool dead_read(struct str bytes, struct dead_row *row)
{
	struct dec d = dec_over(bytes);

	row->length = dec_var(&d);
	row->sequence = dec_var(&d);
	return dec_done(&d);
}

void pack_row_write(struct buf *buf, const struct pack_row *row)
{
	enc_var(buf, row->live);
	enc_var(buf, row->dead);
	enc_var(buf, row->punched);
	enc_var(buf, row->kept);
}

bool pack_row_read(struct str bytes, struct pack_row *row)
{
	struct dec d = dec_over(bytes);

	row->live = dec_var(&d);
	row->dead = dec_var(&d);
	row->punched = dec_var(&d);
	row->kept = dec_var(&d);
	return dec_done(&d);
}

void envelope_write(struct buf *buf, const struct envelope_row *row)
{
	enc_str(buf, row->sender);
	enc_str(buf, row->id);
	enc_str(buf, row->envid);
	enc_u8(buf, row->ret);
	enc_u8(buf, row->body_kind);
	enc_u64(buf, (uint64_t)row->timing.deliver_by);
	enc_u64(buf, (uint64_t)row->timing.hold_until);
	enc_u8(buf, row->timing.modes);
}

bool envelope_read(struct str bytes, struct envelope_row *row)
{
	struct dec d = dec_over(bytes);

	row->sender = dec_str(&d);
	row->id = dec_str(&d);
	row->envid = dec_str(&d);
	row->ret = dec_u8(&d);
	row->body_kind = dec_u8(&d);
	row->timing.deliver_by = (int64_t)dec_u64(&d);
	row->timing.hold_until = (int64_t)dec_u64(&d);
	row->timing.modes = dec_u8(&d);
	return dec_done(&d);
}

void recipient_write(struct buf *buf, const struct queue_recipient *recipient)
{
	enc_u8(buf, (uint8_t)recipient->kind);
	enc_str(buf, recipient->address);
	enc_str(buf, recipient->original);
	enc_u32(buf, recipient->account);
	enc_str(buf, recipient->orcpt);
	enc_u8(buf, recipient->notify);
}

void recipient_read(struct dec *dec, struct queue_recipient *recipient)
{
	recipient->kind = dec_u8(dec) == QUEUE_LOCAL ? QUEUE_LOCAL : QUEUE_REMOTE;
	recipient->address = dec_str(dec);
	recipient->original = dec_str(dec);
	recipient->account = dec_u32(dec);
	recipient->orcpt = dec_str(dec);
	recipient->notify = dec_u8(dec);
}

void waiting_write(struct buf *buf, const struct waiting_row *row)
{
	enc_var(buf, row->message);
	enc_var(buf, row->lease);
	enc_u64(buf, (uint64_t)row->due_at);
	enc_var(buf, row->tries);
	enc_str(buf, row->reason);
	recipient_write(buf, &row->recipient);
	enc_u8(buf, row->told);
	enc_u8(buf, (uint8_t)(row->priority | row->is_given_up << 4));
	enc_u8(buf, (uint8_t)row->cause);
	enc_u64(buf, (uint64_t)row->leased_until);
	enc_u64(buf, (uint64_t)row->held_until);
	enc_u64(buf, (uint64_t)row->tried_at);
	enc_u64(buf, (uint64_t)row->received_at);
	enc_str(buf, row->host);
	enc_str(buf, row->route);
}

bool waiting_read(struct str bytes, struct waiting_row *row)
{
	struct dec d = dec_over(bytes);

	row->message = dec_var(&d);
	row->lease = dec_var(&d);
	row->due_at = (int64_t)dec_u64(&d);
	row->tries = dec_var32(&d);
	row->reason = dec_str(&d);
	recipient_read(&d, &row->recipient);
	row->told = dec_u8(&d);
	uint8_t bits = dec_u8(&d), cause = dec_u8(&d);

	row->priority = bits & 15;
	row->is_given_up = bits & 16;
	row->cause = cause < CAUSES ? (enum queue_cause)cause : CAUSE_OTHER;
	row->leased_until = (int64_t)dec_u64(&d);
	row->held_until = (int64_t)dec_u64(&d);
	row->tried_at = (int64_t)dec_u64(&d);
	row->received_at = (int64_t)dec_u64(&d);
	row->host = dec_str(&d);
	row->route = dec_str(&d);
	return dec_done(&d);
}

/* ---- the queue, counted ------------------------------------------------------------ */

struct queue_count waiting_count(const struct waiting_row *row)
{
	struct queue_count count = {.rows = 1,
				    .held = row->held_until == QUEUE_HELD,
				    .leased = row->lease != 0};

	count.causes[row->cause] = 1;
	return count;
}

static enum wait_class class_of(const struct waiting_row *row)
{
	if (row->lease != 0)
		return WAIT_LEASED;
	if (row->priority == QUEUE_URGENT)
		return WAIT_URGENT;
	return row->priority == QUEUE_BULK ? WAIT_BULK : WAIT_NORMAL;
}

struct str waiting_place(const struct waiting_row *row, account_t account, uint64_t id,
			 struct key *key)
{
	int64_t at = row->due_at > row->held_until ? row->due_at : row->held_until;

	key->len = 0;
	if (row->lease == 0 && row->held_until == QUEUE_HELD)
		return STR("");
	return key_wait(key, row->recipient.kind, class_of(row),
			row->lease ? row->leased_until : at, account, id);
}

void count_add(struct queue_count *sum, const struct queue_count *count)
{
	sum->rows += count->rows;
	sum->held += count->held;
	sum->leased += count->leased;
	for (size_t i = 0; i < CAUSES; i++)
		sum->causes[i] += count->causes[i];
}

/* Never below none: damage may have lost what was added. */
void count_take(struct queue_count *sum, const struct queue_count *count)
{
	sum->rows -= num_min(sum->rows, count->rows);
	sum->held -= num_min(sum->held, count->held);
	sum->leased -= num_min(sum->leased, count->leased);
	for (size_t i = 0; i < CAUSES; i++)
		sum->causes[i] -= num_min(sum->causes[i], count->causes[i]);
}

void result_write(struct buf *buf, uint64_t change, const struct op_result *ops,
		  size_t count)
{
	enc_var(buf, change);
	enc_var(buf, count);
	for (size_t i = 0; i < count; i++) {
		enc_var(buf, ops[i].mailbox);
		enc_var(buf, ops[i].uid_validity);
		enc_var(buf, ops[i].uid);
		enc_var(buf, ops[i].message);
		enc_var(buf, ops[i].row);
	}
}

uint32_t kept_minute(struct str *bytes)
{
	struct dec d = dec_over(*bytes);
	uint32_t minute = dec_u32(&d);

	*bytes = d.rest;
	return minute;
}

bool result_read(struct str bytes, struct arena *arena, struct store_result *result)
{
	struct dec d = dec_over(bytes);

	*result = (struct store_result){.change = dec_var(&d), .is_repeat = true};
	size_t count = (size_t)dec_var_max(&d, COMMIT_OPS_MAX);
	struct op_result *ops = ARENA_ARRAY(arena, struct op_result, count);

	if (!ops)
		return false;
	for (size_t i = 0; i < count; i++) {
		ops[i].mailbox = dec_var(&d);
		ops[i].uid_validity = dec_var32(&d);
		ops[i].uid = dec_var32(&d);
		ops[i].message = dec_var(&d);
		ops[i].row = dec_var(&d);
	}
	result->ops = ops;
	result->count = count;
	return dec_done(&d);
}
