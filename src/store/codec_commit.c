/* Commits and their results.
 *
 * A commit is the account, its key, the operations without bodies, and then the bodies of
 * those that have one, in order: a form, and for BODY_INLINE the frame itself.  So a door
 * knows how much room is left when it comes to compress, and does it in place.
 */
#include "store/codec.h"

#include "store/body_frame.h"

enum body_source { BODY_INLINE, BODY_STAGED, BODY_OF_MESSAGE };

/* codec.c decodes commits with this. */
void store_dec_commit(struct dec *dec, struct arena *arena, struct store_commit *commit);

/* ---- encoding ---------------------------------------------------------------------- */

static void enc_append(struct buf *buf, const struct op_append *op)
{
	enc_var(buf, op->mailbox);
	store_enc_bounded(buf, op->path, MAILBOX_PATH_MAX);
	store_enc_bool(buf, op->unless_sieve);
	store_enc_bounded(buf, op->trace, TRACE_BYTES_MAX);
	store_enc_bounded(buf, op->digest, DIGEST_BYTES_MAX);
	enc_u64(buf, (uint64_t)op->received_at);
	enc_u16(buf, (uint16_t)op->received_zone);
	enc_u8(buf, op->flags);
	store_enc_keywords(buf, op->keywords);
}

static void enc_flags(struct buf *buf, const struct op_flags *op)
{
	enc_var(buf, op->mailbox);
	store_enc_uids(buf, op->uids, UID_RANGES_MAX);
	enc_u8(buf, (uint8_t)op->mode);
	enc_u8(buf, op->flags);
	store_enc_keywords(buf, op->keywords);
	enc_u64(buf, op->unchanged_since);
	store_enc_bool(buf, op->wants_runs);
}

static void enc_mailbox(struct buf *buf, const struct op_mailbox *op)
{
	enc_var(buf, op->mailbox);
	enc_var(buf, op->parent);
	store_enc_bounded(buf, op->name, MAILBOX_NAME_MAX);
	enc_u8(buf, (uint8_t)op->role);
	store_enc_bool(buf, op->is_container);
	store_enc_bool(buf, op->is_subscribed);
}

void store_enc_recipient(struct buf *buf, const struct queue_recipient *to)
{
	enc_u8(buf, (uint8_t)to->kind);
	store_enc_bounded(buf, to->address, QUEUE_ADDRESS_MAX);
	store_enc_bounded(buf, to->original, QUEUE_ADDRESS_MAX);
	enc_var(buf, to->account);
	store_enc_bounded(buf, to->orcpt, QUEUE_ORCPT_MAX);
	enc_u8(buf, to->notify);
}

void store_enc_timing(struct buf *buf, const struct queue_timing *timing)
{
	enc_u64(buf, (uint64_t)timing->deliver_by);
	enc_u64(buf, (uint64_t)timing->hold_until);
	enc_u8(buf, timing->modes);
}

static void enc_queue_add(struct buf *buf, const struct op_queue_add *op)
{
	store_enc_bounded(buf, op->sender, QUEUE_ADDRESS_MAX);
	store_enc_bounded(buf, op->id, QUEUE_ID_BYTES);
	store_enc_bounded(buf, op->trace, TRACE_BYTES_MAX);
	store_enc_bounded(buf, op->digest, DIGEST_BYTES_MAX);
	enc_u64(buf, (uint64_t)op->received_at);
	enc_u64(buf, (uint64_t)op->due_at);
	store_enc_bounded(buf, op->envid, QUEUE_ENVID_MAX);
	enc_u8(buf, op->ret);
	enc_u8(buf, op->body_kind);
	enc_u8(buf, op->priority);
	store_enc_timing(buf, &op->timing);
	if (op->count > COMMIT_OPS_MAX)
		buf->failed = true;
	enc_var(buf, op->count);
	for (size_t i = 0; i < op->count && buf_ok(buf); i++)
		store_enc_recipient(buf, &op->recipients[i]);
}

static void enc_settle(struct buf *buf, const struct op_queue_settle *op)
{
	enc_var(buf, op->row);
	enc_u64(buf, op->lease);
	enc_u8(buf, (uint8_t)op->outcome);
	enc_u64(buf, (uint64_t)op->due_at);
	store_enc_bounded(buf, op->reason, QUEUE_REASON_MAX);
	enc_u8(buf, op->told);
	enc_u8(buf, (uint8_t)op->cause);
	store_enc_bounded(buf, op->host, QUEUE_HOST_MAX);
}

static void enc_change(struct buf *buf, const struct op_queue_change *op)
{
	uint64_t last = 0;

	if (op->count > QUEUE_CHANGE_MAX)
		buf->failed = true;
	enc_u8(buf, (uint8_t)op->change);
	enc_var(buf, op->count);
	for (size_t i = 0; i < op->count && buf_ok(buf); last = op->rows[i++])
		enc_var(buf, op->rows[i] - last);
	enc_u64(buf, (uint64_t)op->until);
	store_enc_bounded(buf, op->text, QUEUE_REASON_MAX);
}

static void enc_acl(struct buf *buf, const struct op_acl *op)
{
	enc_var(buf, op->mailbox);
	enc_u8(buf, (uint8_t)op->change);
	enc_u8(buf, (uint8_t)op->entry.who.kind);
	store_enc_bool(buf, op->entry.who.is_negative);
	enc_var(buf, op->entry.who.account);
	enc_var(buf, op->entry.rights);
}

static void enc_op(struct buf *buf, const struct store_op *op)
{
	enc_u8(buf, (uint8_t)op->kind);
	switch (op->kind) {
	case OP_ACCOUNT_CREATE:
		break;
	case OP_APPEND:
		enc_append(buf, &op->append);
		break;
	case OP_FLAGS:
		enc_flags(buf, &op->flags);
		break;
	case OP_COPY:
	case OP_MOVE:
		enc_var(buf, op->copy.mailbox);
		enc_var(buf, op->copy.to_mailbox);
		store_enc_uids(buf, op->copy.uids, UID_RANGES_MAX);
		break;
	case OP_EXPUNGE:
		enc_var(buf, op->expunge.mailbox);
		store_enc_uids(buf, op->expunge.uids, UID_RANGES_MAX);
		store_enc_bool(buf, op->expunge.only_deleted);
		break;
	case OP_MAILBOX_CREATE:
	case OP_MAILBOX_RENAME:
	case OP_MAILBOX_DELETE:
	case OP_MAILBOX_SUBSCRIBE:
		enc_mailbox(buf, &op->mailbox);
		break;
	case OP_KV_PUT:
	case OP_KV_DELETE:
		store_enc_bounded(buf, op->kv.key, KV_KEY_MAX);
		store_enc_bounded(buf, op->kv.value, KV_VALUE_MAX);
		store_enc_bool(buf, op->kv.only_if_absent);
		break;
	case OP_QUEUE_ADD:
		enc_queue_add(buf, &op->queue_add);
		break;
	case OP_QUEUE_SETTLE:
		enc_settle(buf, &op->settle);
		break;
	case OP_UNDELETE:
		enc_var(buf, op->undelete.member);
		enc_var(buf, op->undelete.mailbox);
		break;
	case OP_QUEUE_CHANGE:
		enc_change(buf, &op->queue_change);
		break;
	case OP_ACL:
		enc_acl(buf, &op->acl);
		break;
	case OP_RECENT:
		enc_var(buf, op->recent.mailbox);
		enc_var(buf, op->recent.below);
		break;
	case OP_KEY_FORGET:
		store_enc_bounded(buf, op->key_forget, COMMIT_KEY_MAX);
		break;
	}
}

/* Returns the frame's length. */
static size_t make_frame(struct str raw, ZSTD_CCtx *zstd, char *room, size_t len)
{
	struct frame_maker maker;

	frame_maker_begin(&maker, zstd, raw);
	len = frame_make(&maker, room, len);
	ASSERT(maker.is_done);
	frame_maker_end(&maker);
	return len;
}

/* The size before the frame is known only after it, so four octets are kept free. */
static void enc_inline(struct buf *buf, const struct store_body *body, ZSTD_CCtx *zstd)
{
	size_t len = body->frame.len;
	size_t room = len > 0 ? len : frame_bound(body->raw.len);
	char *at = buf_room(buf, 4 + room);

	if (!at)
		return;
	if (len > 0)
		memcpy(at + 4, body->frame.ptr, len);
	else
		len = make_frame(body->raw, zstd, at + 4, room);
	enc_u32(buf, (uint32_t)len);
	buf_grew(buf, len);
}

static void enc_body(struct buf *buf, const struct store_body *body, uint64_t staged,
		     ZSTD_CCtx *zstd)
{
	uint64_t raw_size = body->raw.ptr ? body->raw.len : body->raw_size;

	if (body->from_message) {
		enc_u8(buf, BODY_OF_MESSAGE);
		enc_var(buf, body->from_account);
		enc_var(buf, body->from_message);
		enc_var(buf, body->from_mailbox);
		enc_var(buf, body->from_uid);
		return;
	}
	if (raw_size > STORE_BODY_BYTES_MAX)
		buf->failed = true;
	enc_u8(buf, staged ? BODY_STAGED : BODY_INLINE);
	enc_var(buf, raw_size);
	if (staged)
		enc_var(buf, staged);
	else
		enc_inline(buf, body, zstd);
}

static const struct store_body *body_of(const struct store_op *op)
{
	if (op->kind == OP_APPEND)
		return &op->append.body;
	return op->kind == OP_QUEUE_ADD ? &op->queue_add.body : NULL;
}

void store_enc_commit(struct buf *buf, const struct store_commit *commit,
		      const uint64_t *staged, ZSTD_CCtx *zstd)
{
	enc_var(buf, commit->account);
	store_enc_bounded(buf, commit->key, COMMIT_KEY_MAX);
	enc_u32(buf, commit->key_minute);
	if (commit->count > COMMIT_OPS_MAX)
		buf->failed = true;
	enc_var(buf, commit->count);
	for (size_t i = 0; i < commit->count && buf_ok(buf); i++)
		enc_op(buf, &commit->ops[i]);
	for (size_t i = 0; i < commit->count && buf_ok(buf); i++) {
		const struct store_body *body = body_of(&commit->ops[i]);

		if (body)
			enc_body(buf, body, staged ? staged[i] : body->staged, zstd);
	}
}

/* ---- decoding ---------------------------------------------------------------------- */

static void dec_append(struct dec *dec, struct arena *arena, struct op_append *op)
{
	op->mailbox = dec_var(dec);
	op->path = store_dec_bounded(dec, MAILBOX_PATH_MAX);
	op->unless_sieve = store_dec_bool(dec);
	op->trace = store_dec_bounded(dec, TRACE_BYTES_MAX);
	op->digest = store_dec_bounded(dec, DIGEST_BYTES_MAX);
	op->received_at = (int64_t)dec_u64(dec);
	op->received_zone = (int16_t)dec_u16(dec);
	op->flags = dec_u8(dec);
	op->keywords = store_dec_keywords(dec, arena);
}

static void dec_flags(struct dec *dec, struct arena *arena, struct op_flags *op)
{
	op->mailbox = dec_var(dec);
	op->uids = store_dec_uids(dec, arena, UID_RANGES_MAX);
	op->mode = (enum flags_mode)dec_var_max(dec, FLAGS_REMOVE);
	op->flags = dec_u8(dec);
	op->keywords = store_dec_keywords(dec, arena);
	op->unchanged_since = dec_u64(dec);
	op->wants_runs = store_dec_bool(dec);
}

static void dec_mailbox(struct dec *dec, struct op_mailbox *op)
{
	op->mailbox = dec_var(dec);
	op->parent = dec_var(dec);
	op->name = store_dec_bounded(dec, MAILBOX_NAME_MAX);
	op->role = (enum mailbox_role)dec_var_max(dec, ROLE_IMPORTANT);
	op->is_container = store_dec_bool(dec);
	op->is_subscribed = store_dec_bool(dec);
}

static void dec_acl(struct dec *dec, struct op_acl *op)
{
	op->mailbox = dec_var(dec);
	op->change = (enum acl_change)dec_var_max(dec, ACL_REMOVE);
	op->entry.who.kind = (enum acl_kind)dec_var_max(dec, ACL_ANYONE);
	op->entry.who.is_negative = store_dec_bool(dec);
	op->entry.who.account = (account_t)dec_var_max(dec, ACCOUNT_VISITS - 1);
	op->entry.rights = (uint32_t)dec_var_max(dec, UINT32_MAX);
	if (op->entry.who.kind < ACL_ACCOUNT)
		dec->failed = true;
}

struct queue_recipient store_dec_recipient(struct dec *dec)
{
	struct queue_recipient to;

	to.kind = (enum queue_kind)dec_var_max(dec, QUEUE_REMOTE);
	to.address = store_dec_bounded(dec, QUEUE_ADDRESS_MAX);
	to.original = store_dec_bounded(dec, QUEUE_ADDRESS_MAX);
	to.account = (account_t)dec_var_max(dec, UINT32_MAX);
	to.orcpt = store_dec_bounded(dec, QUEUE_ORCPT_MAX);
	to.notify = dec_u8(dec);
	return to;
}

struct queue_timing store_dec_timing(struct dec *dec)
{
	struct queue_timing timing = {.deliver_by = (int64_t)dec_u64(dec)};

	timing.hold_until = (int64_t)dec_u64(dec);
	timing.modes = dec_u8(dec);
	return timing;
}

static void dec_queue_add(struct dec *dec, struct arena *arena, struct op_queue_add *op)
{
	op->sender = store_dec_bounded(dec, QUEUE_ADDRESS_MAX);
	op->id = store_dec_bounded(dec, QUEUE_ID_BYTES);
	op->trace = store_dec_bounded(dec, TRACE_BYTES_MAX);
	op->digest = store_dec_bounded(dec, DIGEST_BYTES_MAX);
	op->received_at = (int64_t)dec_u64(dec);
	op->due_at = (int64_t)dec_u64(dec);
	op->envid = store_dec_bounded(dec, QUEUE_ENVID_MAX);
	op->ret = dec_u8(dec);
	op->body_kind = dec_u8(dec);
	op->priority = dec_u8(dec);
	op->timing = store_dec_timing(dec);
	struct queue_recipient *to = STORE_DEC_ARRAY(dec, arena, struct queue_recipient,
						     6, COMMIT_OPS_MAX, &op->count);

	for (size_t i = 0; i < op->count; i++)
		to[i] = store_dec_recipient(dec);
	op->recipients = to;
}

static void dec_settle(struct dec *dec, struct op_queue_settle *op)
{
	op->row = dec_var(dec);
	op->lease = dec_u64(dec);
	op->outcome = (enum queue_outcome)dec_var_max(dec, QUEUE_PROLONG);
	op->due_at = (int64_t)dec_u64(dec);
	op->reason = store_dec_bounded(dec, QUEUE_REASON_MAX);
	op->told = dec_u8(dec);
	op->cause = (enum queue_cause)dec_var_max(dec, CAUSES - 1);
	op->host = store_dec_bounded(dec, QUEUE_HOST_MAX);
}

static void dec_change(struct dec *dec, struct arena *arena, struct op_queue_change *op)
{
	uint64_t last = 0;

	op->change = (enum queue_change)dec_var_max(dec, ROWS_REROUTE);
	uint64_t *rows =
		STORE_DEC_ARRAY(dec, arena, uint64_t, 1, QUEUE_CHANGE_MAX, &op->count);

	for (size_t i = 0; i < op->count && dec_ok(dec); i++)
		last = rows[i] = last + dec_var(dec);
	op->rows = rows;
	op->until = (int64_t)dec_u64(dec);
	op->text = store_dec_bounded(dec, QUEUE_REASON_MAX);
}

static void dec_op(struct dec *dec, struct arena *arena, struct store_op *op)
{
	op->kind = (enum store_op_kind)dec_var_max(dec, OP_KEY_FORGET);
	switch (op->kind) {
	case OP_ACCOUNT_CREATE:
		break;
	case OP_APPEND:
		dec_append(dec, arena, &op->append);
		break;
	case OP_FLAGS:
		dec_flags(dec, arena, &op->flags);
		break;
	case OP_COPY:
	case OP_MOVE:
		op->copy.mailbox = dec_var(dec);
		op->copy.to_mailbox = dec_var(dec);
		op->copy.uids = store_dec_uids(dec, arena, UID_RANGES_MAX);
		break;
	case OP_EXPUNGE:
		op->expunge.mailbox = dec_var(dec);
		op->expunge.uids = store_dec_uids(dec, arena, UID_RANGES_MAX);
		op->expunge.only_deleted = store_dec_bool(dec);
		break;
	case OP_MAILBOX_CREATE:
	case OP_MAILBOX_RENAME:
	case OP_MAILBOX_DELETE:
	case OP_MAILBOX_SUBSCRIBE:
		dec_mailbox(dec, &op->mailbox);
		break;
	case OP_KV_PUT:
	case OP_KV_DELETE:
		op->kv.key = store_dec_bounded(dec, KV_KEY_MAX);
		op->kv.value = store_dec_bounded(dec, KV_VALUE_MAX);
		op->kv.only_if_absent = store_dec_bool(dec);
		break;
	case OP_QUEUE_ADD:
		dec_queue_add(dec, arena, &op->queue_add);
		break;
	case OP_QUEUE_SETTLE:
		dec_settle(dec, &op->settle);
		break;
	case OP_UNDELETE:
		op->undelete.member = dec_var(dec);
		op->undelete.mailbox = dec_var(dec);
		break;
	case OP_QUEUE_CHANGE:
		dec_change(dec, arena, &op->queue_change);
		break;
	case OP_ACL:
		dec_acl(dec, &op->acl);
		break;
	case OP_RECENT:
		op->recent.mailbox = dec_var(dec);
		op->recent.below = (uint32_t)dec_var_max(dec, UINT32_MAX);
		break;
	case OP_KEY_FORGET:
		op->key_forget = store_dec_bounded(dec, COMMIT_KEY_MAX);
		break;
	}
}

static void dec_body(struct dec *dec, struct store_body *body)
{
	enum body_source form = (enum body_source)dec_var_max(dec, BODY_OF_MESSAGE);

	if (form == BODY_OF_MESSAGE) {
		body->from_account = (account_t)dec_var_max(dec, UINT32_MAX);
		body->from_message = dec_var(dec);
		body->from_mailbox = dec_var(dec);
		body->from_uid = (uint32_t)dec_var_max(dec, UINT32_MAX);
		if (body->from_message == 0)
			dec->failed = true;
		return;
	}
	body->raw_size = dec_var_max(dec, STORE_BODY_BYTES_MAX);
	if (form == BODY_STAGED) {
		body->staged = dec_var(dec);
		if (body->staged == 0)
			dec->failed = true;
		return;
	}
	body->frame = dec_bytes(dec, dec_u32(dec));
	if (dec_ok(dec) && !frame_fits(body->frame, body->raw_size))
		dec->failed = true;
}

void store_dec_commit(struct dec *dec, struct arena *arena, struct store_commit *commit)
{
	commit->key = store_dec_bounded(dec, COMMIT_KEY_MAX);
	commit->key_minute = dec_u32(dec);
	struct store_op *ops = STORE_DEC_ARRAY(dec, arena, struct store_op, 1,
					       COMMIT_OPS_MAX, &commit->count);

	commit->ops = ops;
	for (size_t i = 0; i < commit->count && dec_ok(dec); i++)
		dec_op(dec, arena, &ops[i]);
	for (size_t i = 0; i < commit->count && dec_ok(dec); i++) {
		if (ops[i].kind == OP_APPEND)
			dec_body(dec, &ops[i].append.body);
		if (ops[i].kind == OP_QUEUE_ADD)
			dec_body(dec, &ops[i].queue_add.body);
	}
	if (commit->count == 0)
		dec->failed = true;
}

/* ---- results ----------------------------------------------------------------------- */

/* Least octets of a run on the wire. */
enum { LEAST_RUN = 4 };

static void enc_runs(struct buf *buf, const struct op_result *op)
{
	enc_var(buf, op->run_count);
	for (size_t i = 0; i < op->run_count && buf_ok(buf); i++) {
		const struct flags_run *run = &op->runs[i];

		enc_var(buf, run->uids.first);
		enc_var(buf, run->uids.last - run->uids.first);
		enc_u8(buf, run->flags);
		store_enc_keywords(buf, run->keywords);
	}
}

static void dec_runs(struct dec *dec, struct arena *arena, struct op_result *op)
{
	struct flags_run *runs = STORE_DEC_ARRAY(dec, arena, struct flags_run, LEAST_RUN,
						 FLAGS_RUNS_MAX, &op->run_count);

	op->runs = runs;
	for (size_t i = 0; i < op->run_count && dec_ok(dec); i++) {
		uint32_t first = (uint32_t)dec_var_max(dec, UINT32_MAX);

		runs[i].uids.first = first;
		runs[i].uids.last =
			first + (uint32_t)dec_var_max(dec, UINT32_MAX - first);
		runs[i].flags = dec_u8(dec);
		runs[i].keywords = store_dec_keywords(dec, arena);
	}
}

void store_enc_result(struct buf *buf, const struct store_result *result)
{
	enc_var(buf, result->change);
	store_enc_bool(buf, result->is_repeat);
	enc_var(buf, result->failed_op);
	enc_var(buf, result->count);
	for (size_t i = 0; i < result->count && buf_ok(buf); i++) {
		const struct op_result *op = &result->ops[i];

		enc_var(buf, op->mailbox);
		enc_var(buf, op->uid_validity);
		enc_var(buf, op->uid);
		enc_var(buf, op->message);
		enc_var(buf, op->row);
		store_enc_uids(buf, op->uids, SIZE_MAX);
		store_enc_uids(buf, op->to_uids, SIZE_MAX);
		store_enc_uids(buf, op->refused, SIZE_MAX);
		enc_runs(buf, op);
	}
}

bool store_dec_result(struct dec *dec, struct arena *arena, struct store_result *result)
{
	*result = (struct store_result){0};
	result->change = dec_var(dec);
	result->is_repeat = store_dec_bool(dec);
	result->failed_op = dec_var_max(dec, COMMIT_OPS_MAX);
	struct op_result *ops = STORE_DEC_ARRAY(dec, arena, struct op_result, 9,
						COMMIT_OPS_MAX, &result->count);

	result->ops = ops;
	for (size_t i = 0; i < result->count && dec_ok(dec); i++) {
		ops[i].mailbox = dec_var(dec);
		ops[i].uid_validity = (uint32_t)dec_var_max(dec, UINT32_MAX);
		ops[i].uid = (uint32_t)dec_var_max(dec, UINT32_MAX);
		ops[i].message = dec_var(dec);
		ops[i].row = dec_var(dec);
		ops[i].uids = store_dec_uids(dec, arena, SIZE_MAX);
		ops[i].to_uids = store_dec_uids(dec, arena, SIZE_MAX);
		ops[i].refused = store_dec_uids(dec, arena, SIZE_MAX);
		dec_runs(dec, arena, &ops[i]);
	}
	return dec_done(dec);
}
