/* An operation record, written with base/codec.h:
 *
 *   u8 1 (form of the record), var account, u64 now, var change, str key, var minute of
 *   the key, var count, then for each effect u8 kind and its fields in the order that the
 *   function of its kind below names them.  Numbers are var, signed times u64, texts str.
 *   A UID set is var count and pairs of var: UIDs passed over since the last range, UIDs
 *   of the range less one.
 *
 * One function a kind both writes and reads, so that the two cannot differ. */
#include "storage/record.h"

enum { RECORD_FORM = 1 };

/* Kinds on disk, for ever; the enumerators may be renumbered. */
static const uint8_t disk_kinds[] = {
	[OP_ACCOUNT_CREATE] = 1, [OP_APPEND] = 18,
	[OP_FLAGS] = 26,         [OP_COPY] = 4,
	[OP_MOVE] = 5,           [OP_EXPUNGE] = 6,
	[OP_MAILBOX_CREATE] = 7, [OP_MAILBOX_RENAME] = 8,
	[OP_MAILBOX_DELETE] = 9, [OP_MAILBOX_SUBSCRIBE] = 10,
	[OP_KV_PUT] = 11,        [OP_KV_DELETE] = 12,
	[OP_QUEUE_ADD] = 21,     [OP_QUEUE_SETTLE] = 22,
	[OP_RECENT] = 27,        [OP_KEY_FORGET] = 15,
	[EFFECT_LEASE] = 16,     [EFFECT_EPOCH] = 17,
	[OP_UNDELETE] = 19,      [EFFECT_BODY_MOVED] = 20,
	[OP_QUEUE_CHANGE] = 23,  [EFFECT_PURGED] = 24,
	[EFFECT_EXPIRED] = 25,
};
_Static_assert(FLAGS_SET == 0 && FLAGS_ADD == 1 && FLAGS_REMOVE == 2, "on disk");
_Static_assert(QUEUE_DONE == 0 && QUEUE_RETRY == 1 && QUEUE_RELEASE == 2 &&
		       QUEUE_PROLONG == 3,
	       "on disk");
_Static_assert(QUEUE_NORMAL == 0 && QUEUE_URGENT == 1 && QUEUE_BULK == 2, "on disk");
_Static_assert(CAUSE_NONE == 0 && CAUSE_OTHER == 7, "on disk");
_Static_assert(ROWS_RETRY == 0 && ROWS_REROUTE == 5, "on disk");
_Static_assert(QUEUE_LOCAL == 0 && QUEUE_REMOTE == 1, "on disk");
_Static_assert(ROLE_NONE == 0 && ROLE_INBOX == 1 && ROLE_IMPORTANT == 9, "on disk");

/* What earlier forms of a kind were; they are read as the kind without what is new. */
static const struct {
	uint8_t old, now;
} disk_olds[] = {
	{2, 18},  /* append before there were threads */
	{3, 26},  /* flags before there were visitors */
	{13, 21}, /* queue add before there was timing, and priority */
	{14, 22}, /* settle before senders were told, and causes counted */
};

/* Reads from in if there is one, then writes to out if there is one. */
struct coder {
	bool is_old; /* reading an earlier form */
	struct buf *out;
	struct dec *in;
	struct arena *arena;
	const struct effect_mover *mover; /* NULL: places stay as they are */
};

static void code_u64(struct coder *c, uint64_t *value)
{
	if (c->in)
		*value = dec_var(c->in);
	if (c->out)
		enc_var(c->out, *value);
}

static void code_u32(struct coder *c, uint32_t *value)
{
	if (c->in)
		*value = (uint32_t)dec_var_max(c->in, UINT32_MAX);
	if (c->out)
		enc_var(c->out, *value);
}

static void code_u8(struct coder *c, uint8_t *value)
{
	if (c->in)
		*value = dec_u8(c->in);
	if (c->out)
		enc_u8(c->out, *value);
}

static void code_bool(struct coder *c, bool *value)
{
	uint8_t byte = *value;

	code_u8(c, &byte);
	*value = byte != 0;
}

static void code_time(struct coder *c, int64_t *value)
{
	if (c->in)
		*value = (int64_t)dec_u64(c->in);
	if (c->out)
		enc_u64(c->out, (uint64_t)*value);
}

static void code_zone(struct coder *c, int16_t *value)
{
	if (c->in)
		*value = (int16_t)dec_u16(c->in);
	if (c->out)
		enc_u16(c->out, (uint16_t)*value);
}

static void code_str(struct coder *c, struct str *value)
{
	if (c->in)
		*value = dec_str(c->in);
	if (c->out)
		enc_str(c->out, *value);
}

static void code_place(struct coder *c, struct pack_body *at)
{
	struct buf *out = c->out;

	c->out = NULL;
	code_u32(c, &at->pack);
	code_u64(c, &at->offset);
	code_u64(c, &at->length);
	c->out = out;
	if (c->mover && dec_ok(c->in))
		c->mover->move(c->mover->arg, at);
	if (out) {
		enc_var(out, at->pack);
		enc_var(out, at->offset);
		enc_var(out, at->length);
	}
}

static void code_blob(struct coder *c, struct blob *blob)
{
	if (c->in) {
		struct str hash = dec_bytes(c->in, BLOB_HASH_BYTES);

		if (hash.len == BLOB_HASH_BYTES)
			memcpy(blob->hash, hash.ptr, BLOB_HASH_BYTES);
	}
	if (c->out)
		buf_add(c->out, (struct str){(const char *)blob->hash, BLOB_HASH_BYTES});
	code_place(c, &blob->at);
}

static void code_body(struct coder *c, struct effect_body *body)
{
	code_blob(c, &body->blob);
	code_u64(c, &body->raw_size);
	code_u32(c, &body->from_account);
	code_u64(c, &body->from_message);
}

static void uids_write(struct buf *buf, const struct uid_set *uids)
{
	uint32_t last = 0;

	enc_var(buf, uids->count);
	for (size_t i = 0; i < uids->count; i++) {
		enc_var(buf, uids->ranges[i].first - last);
		enc_var(buf, uids->ranges[i].last - uids->ranges[i].first);
		last = uids->ranges[i].last;
	}
}

static void uids_read(struct coder *c, struct uid_set *uids)
{
	size_t count = (size_t)dec_var_max(c->in, c->in->rest.len / 2);
	struct uid_range *ranges = ARENA_ARRAY(c->arena, struct uid_range, count);
	uint64_t last = 0;

	*uids = (struct uid_set){0};
	if (!ranges)
		c->in->failed = true;
	for (size_t i = 0; i < count && dec_ok(c->in); i++) {
		uint64_t first = last + dec_var_max(c->in, UINT32_MAX);

		last = first + dec_var_max(c->in, UINT32_MAX);
		if (first == 0 || last > UINT32_MAX)
			c->in->failed = true;
		ranges[i] = (struct uid_range){(uint32_t)first, (uint32_t)last};
	}
	if (dec_ok(c->in))
		*uids = (struct uid_set){ranges, count};
}

static void code_uids(struct coder *c, struct uid_set *uids)
{
	if (c->in)
		uids_read(c, uids);
	if (c->out)
		uids_write(c->out, uids);
}

/* ---- the kinds --------------------------------------------------------------------- */

static void code_append(struct coder *c, struct effect_append *e)
{
	code_u64(c, &e->mailbox);
	code_u64(c, &e->message);
	code_u64(c, &e->member);
	code_u32(c, &e->uid);
	code_body(c, &e->body);
	code_time(c, &e->received_at);
	code_zone(c, &e->received_zone);
	code_u8(c, &e->flags);
	code_str(c, &e->words);
	code_str(c, &e->trace);
	code_str(c, &e->digest);
	if (!c->is_old)
		code_u64(c, &e->thread);
}

static void code_flags(struct coder *c, struct effect_flags *e)
{
	uint8_t mode = (uint8_t)e->mode;

	code_u64(c, &e->mailbox);
	code_uids(c, &e->uids);
	code_u8(c, &mode);
	code_u8(c, &e->flags);
	code_str(c, &e->words);
	e->mode = mode == FLAGS_SET   ? FLAGS_SET
		  : mode == FLAGS_ADD ? FLAGS_ADD
				      : FLAGS_REMOVE;
	if (c->is_old)
		return;
	code_u8(c, &e->kept);
	code_u32(c, &e->seen_by);
}

static void code_copy(struct coder *c, struct effect_copy *e)
{
	code_u64(c, &e->mailbox);
	code_u64(c, &e->to_mailbox);
	code_uids(c, &e->uids);
	code_u32(c, &e->to_uid);
	code_u64(c, &e->to_member);
}

static void code_expunge(struct coder *c, struct effect_expunge *e)
{
	code_u64(c, &e->mailbox);
	code_uids(c, &e->uids);
}

static void code_undelete(struct coder *c, struct effect_undelete *e)
{
	code_u64(c, &e->member);
	code_u64(c, &e->mailbox);
	code_u32(c, &e->to_uid);
	code_u64(c, &e->to_member);
}

static void code_mailbox(struct coder *c, struct effect_mailbox *e)
{
	code_u64(c, &e->mailbox);
	code_u64(c, &e->parent);
	code_str(c, &e->name);
	code_u8(c, &e->role);
	code_bool(c, &e->is_container);
	code_bool(c, &e->is_subscribed);
	code_u32(c, &e->uid_validity);
}

static void code_kv(struct coder *c, struct effect_kv *e)
{
	code_str(c, &e->key);
	code_str(c, &e->value);
}

static void code_queue_add(struct coder *c, struct effect_queue_add *e)
{
	code_u64(c, &e->message);
	code_u64(c, &e->row);
	code_body(c, &e->body);
	code_time(c, &e->received_at);
	code_time(c, &e->due_at);
	code_str(c, &e->envelope.sender);
	code_str(c, &e->envelope.id);
	code_str(c, &e->envelope.envid);
	code_u8(c, &e->envelope.ret);
	code_u8(c, &e->envelope.body_kind);
	code_str(c, &e->trace);
	code_str(c, &e->digest);
	code_str(c, &e->recipients);
	code_u32(c, &e->count);
	if (c->is_old)
		return;
	code_time(c, &e->envelope.timing.deliver_by);
	code_time(c, &e->envelope.timing.hold_until);
	code_u8(c, &e->envelope.timing.modes);
	code_u8(c, &e->priority);
}

static void code_settle(struct coder *c, struct effect_settle *e)
{
	uint8_t outcome = (uint8_t)e->outcome;

	code_u64(c, &e->row);
	code_u8(c, &outcome);
	code_time(c, &e->due_at);
	code_str(c, &e->reason);
	e->outcome = outcome <= QUEUE_PROLONG ? (enum queue_outcome)outcome : QUEUE_RETRY;
	if (c->is_old)
		return;
	uint8_t cause = (uint8_t)e->cause;

	code_u8(c, &e->told);
	code_u8(c, &cause);
	code_str(c, &e->host);
	e->cause = cause < CAUSES ? (enum queue_cause)cause : CAUSE_OTHER;
}

/* Each as its distance from the one before. */
static void rows_write(struct buf *buf, const uint64_t *rows, size_t count)
{
	uint64_t last = 0;

	enc_var(buf, count);
	for (size_t i = 0; i < count; last = rows[i++])
		enc_var(buf, rows[i] - last);
}

static void rows_read(struct coder *c, struct effect_queue_change *e)
{
	size_t count = (size_t)dec_var_max(c->in, QUEUE_CHANGE_MAX);
	uint64_t *rows = ARENA_ARRAY(c->arena, uint64_t, count), last = 0;

	if (!rows)
		c->in->failed = true;
	for (size_t i = 0; i < count && dec_ok(c->in); i++)
		last = rows[i] = last + dec_var(c->in);
	e->rows = rows;
	e->count = dec_ok(c->in) ? count : 0;
}

static void code_queue_change(struct coder *c, struct effect_queue_change *e)
{
	uint8_t change = (uint8_t)e->change;

	code_u8(c, &change);
	if (c->in)
		rows_read(c, e);
	if (c->out)
		rows_write(c->out, e->rows, e->count);
	code_time(c, &e->until);
	code_str(c, &e->text);
	if (change > ROWS_REROUTE)
		c->in->failed = true; /* of a newer program */
	else
		e->change = (enum queue_change)change;
}

static void code_recent(struct coder *c, struct effect_recent *e)
{
	code_u64(c, &e->mailbox);
	code_u32(c, &e->below);
}

static void code_lease(struct coder *c, struct effect_lease *e)
{
	code_u64(c, &e->row);
	code_u64(c, &e->lease);
	code_time(c, &e->until);
}

static void code_epoch(struct coder *c, struct effect_epoch *e)
{
	code_u64(c, &e->epoch);
	code_u64(c, &e->jump);
}

static void code_body_moved(struct coder *c, struct effect_body_moved *e)
{
	code_place(c, &e->from);
	code_place(c, &e->to);
	code_u32(c, &e->account);
	code_u64(c, &e->message);
}

static void code_purged(struct coder *c, struct effect_purged *e)
{
	code_u32(c, &e->account);
	code_u64(c, &e->mailbox);
	code_u32(c, &e->upto);
	code_time(c, &e->at);
	code_bool(c, &e->is_end);
}

static void code_expired(struct coder *c, struct effect_expired *e)
{
	code_time(c, &e->until);
	code_u32(c, &e->account);
	code_u64(c, &e->member);
}

/* False if there is no such kind. */
static bool code_effect(struct coder *c, struct effect *e)
{
	switch (e->kind) {
	case OP_APPEND:
		return code_append(c, &e->append), true;
	case OP_FLAGS:
		return code_flags(c, &e->flags), true;
	case OP_COPY:
	case OP_MOVE:
		return code_copy(c, &e->copy), true;
	case OP_EXPUNGE:
		return code_expunge(c, &e->expunge), true;
	case OP_ACCOUNT_CREATE:
	case OP_MAILBOX_CREATE:
	case OP_MAILBOX_RENAME:
	case OP_MAILBOX_DELETE:
	case OP_MAILBOX_SUBSCRIBE:
		return code_mailbox(c, &e->mailbox), true;
	case OP_KV_PUT:
	case OP_KV_DELETE:
		return code_kv(c, &e->kv), true;
	case OP_QUEUE_ADD:
		return code_queue_add(c, &e->queue_add), true;
	case OP_QUEUE_SETTLE:
		return code_settle(c, &e->settle), true;
	case OP_QUEUE_CHANGE:
		return code_queue_change(c, &e->queue_change), true;
	case OP_RECENT:
		return code_recent(c, &e->recent), true;
	case OP_KEY_FORGET:
		return code_str(c, &e->key_forget), true;
	case EFFECT_LEASE:
		return code_lease(c, &e->lease), true;
	case EFFECT_EPOCH:
		return code_epoch(c, &e->epoch), true;
	case OP_UNDELETE:
		return code_undelete(c, &e->undelete), true;
	case EFFECT_BODY_MOVED:
		return code_body_moved(c, &e->body_moved), true;
	case EFFECT_PURGED:
		return code_purged(c, &e->purged), true;
	case EFFECT_EXPIRED:
		return code_expired(c, &e->expired), true;
	}
	return false;
}

void effect_write(struct buf *buf, const struct effect *effect)
{
	struct coder c = {.out = buf};
	struct effect copy = *effect;

	enc_u8(buf, disk_kinds[effect->kind]);
	ASSERT(code_effect(&c, &copy));
}

/* With c->out the kind is written as it stands there, which may be one of before. */
static bool read_effect(struct coder *c, struct effect *effect)
{
	uint8_t kind = dec_u8(c->in);

	if (c->out)
		enc_u8(c->out, kind);
	*effect = (struct effect){.kind = -1};
	c->is_old = false;
	for (size_t i = 0; i < COUNT_OF(disk_olds); i++) {
		if (disk_olds[i].old != kind)
			continue;
		c->is_old = true;
		kind = disk_olds[i].now;
		break;
	}
	for (size_t i = 0; i < COUNT_OF(disk_kinds); i++)
		if (kind != 0 && disk_kinds[i] == kind)
			effect->kind = (int)i;
	return dec_ok(c->in) && code_effect(c, effect) && dec_ok(c->in);
}

bool effect_read(struct dec *dec, struct arena *arena, struct effect *effect)
{
	struct coder c = {.in = dec, .arena = arena};

	return read_effect(&c, effect);
}

bool effect_move(struct dec *dec, struct arena *arena, const struct effect_mover *mover,
		 struct buf *out, struct effect *effect)
{
	struct coder c = {.in = dec, .arena = arena, .mover = mover, .out = out};

	return read_effect(&c, effect);
}

bool effect_source(const struct effect *effect, account_t *account, uint64_t *message)
{
	const struct effect_body *body = effect->kind == OP_APPEND
						 ? &effect->append.body
						 : &effect->queue_add.body;

	*account = body->from_account;
	*message = body->from_message;
	return (effect->kind == OP_APPEND || effect->kind == OP_QUEUE_ADD) &&
	       *message != 0;
}

static void code_head(struct coder *c, struct commit_head *head)
{
	code_u32(c, &head->account);
	code_time(c, &head->now);
	code_u64(c, &head->change);
	code_str(c, &head->key);
	code_u32(c, &head->key_minute);
	code_u32(c, &head->count);
}

void commit_head_write(struct buf *buf, const struct commit_head *head)
{
	struct coder c = {.out = buf};
	struct commit_head copy = *head;

	enc_u8(buf, RECORD_FORM);
	code_head(&c, &copy);
}

bool commit_head_read(struct dec *dec, struct commit_head *head)
{
	struct coder c = {.in = dec};

	*head = (struct commit_head){0};
	if (dec_u8(dec) != RECORD_FORM)
		return false;
	code_head(&c, head);
	return dec_ok(dec);
}
