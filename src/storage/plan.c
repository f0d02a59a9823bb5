#include "storage/plan.h"

#include <openssl/evp.h>

#include "storage/apply.h"
#include "storage/bodies.h"

enum { RAW_BYTES_MAX_BITS = 40, FRAME_ROOM = 64 /* for the record's header */ };

enum store_outcome plan_err(struct plan *plan, err_t err)
{
	if (err == OK)
		return STORE_OK;
	if (err == ERR_ABSENT)
		return STORE_ABSENT;
	plan->failed = err;
	return STORE_UNAVAILABLE;
}

static void hash_frame(struct str frame, unsigned char hash[BLOB_HASH_BYTES])
{
	unsigned len = 0;

	ASSERT(EVP_Digest(frame.ptr, frame.len, hash, &len, EVP_sha256(), NULL) == 1);
	ASSERT(len == BLOB_HASH_BYTES);
}

/* Of that message; nothing may be shared with one that was expunged (bodies.c). */
static enum store_outcome body_shared(struct plan *plan, account_t account,
				      uint64_t message, struct effect_body *e)
{
	struct item_row from;
	enum store_outcome outcome =
		plan_err(plan, work_item(plan->work, account, message, &from));

	if (outcome != STORE_OK)
		return outcome;
	*e = (struct effect_body){.blob = from.blob,
				  .raw_size = from.raw_size,
				  .from_account = account,
				  .from_message = message};
	return from.members > 0 ? STORE_OK : STORE_ABSENT;
}

/* Whoever is told that his mail is kept must not depend on a disk that has damaged its
 * like: what stands there is compared. */
static bool is_whole(struct plan *plan, struct pack_body at, struct str frame)
{
	struct buf there = BUF(frame.len + FRAME_ROOM);
	uint64_t raw_size;
	bool is_same =
		packs_is_coming(plan->packs, at) ||
		(packs_read(plan->packs, at, 0, frame.len, &there, &raw_size) == OK &&
		 str_same(buf_str(&there), frame));

	buf_fini(&there);
	return is_same;
}

enum store_outcome plan_body(struct plan *plan, const struct store_body *body,
			     uint64_t message, struct effect_body *e)
{
	account_t equal_account;
	uint64_t equal;

	if (body->from_message != 0)
		return body_shared(plan, body->from_account, body->from_message, e);
	if (body->frame.len == 0 || body->raw_size >> RAW_BYTES_MAX_BITS)
		return STORE_INVALID;
	*e = (struct effect_body){.blob.at.length = body->frame.len,
				  .raw_size = body->raw_size};
	hash_frame(body->frame, e->blob.hash);
	enum store_outcome outcome =
		plan_err(plan, body_find_equal(plan->work, e, &equal_account, &equal));

	struct effect_body other;

	if (outcome == STORE_OK && equal != 0 &&
	    body_shared(plan, equal_account, equal, &other) == STORE_OK &&
	    is_whole(plan, other.blob.at, body->frame)) {
		*e = other;
		return STORE_OK;
	}
	if (outcome != STORE_OK || plan->failed != OK)
		return STORE_UNAVAILABLE;
	err_t err = packs_add_body(plan->packs, plan->work->account.id, message,
				   body->raw_size, body->frame, &e->blob.at);

	return err == ERR_LIMIT ? STORE_INVALID : plan_err(plan, err);
}

static enum store_outcome plan_kv(struct plan *plan, const struct op_kv *op, bool is_put,
				  struct effect_kv *e)
{
	struct key key;
	struct str value;
	uint64_t messages_max, bytes_max;
	uint32_t days;

	if (op->key.len == 0 || op->key.len > KV_KEY_MAX || op->value.len > KV_VALUE_MAX)
		return STORE_INVALID;
	if (is_put && str_same(op->key, STR(STORE_KV_QUOTA)) &&
	    !quota_parse(op->value, &messages_max, &bytes_max))
		return STORE_INVALID;
	if (is_put &&
	    (str_same(op->key, STR(STORE_KV_UNDELETE)) ||
	     str_starts(op->key, STR(STORE_KV_RETENTION))) &&
	    !keep_days_parse(op->value, &days))
		return STORE_INVALID;
	*e = (struct effect_kv){op->key, is_put ? op->value : STR("")};
	if (is_put && !op->only_if_absent)
		return STORE_OK;
	enum store_outcome outcome = plan_err(
		plan, kv_get(plan->work->txn,
			     key_kv(&key, plan->work->account.id, op->key), &value));

	if (!is_put)
		return outcome;
	if (outcome == STORE_OK)
		return STORE_CONFLICT;
	return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

static enum store_outcome plan_forget(struct str name, struct str *e)
{
	*e = name;
	return name.len > 0 && name.len <= STORE_KEY_MAX ? STORE_OK : STORE_INVALID;
}

enum store_outcome plan_op(struct plan *plan, const struct store_op *op,
			   struct effect *effect, struct op_result *result)
{
	*effect = (struct effect){.kind = (int)op->kind};
	switch (op->kind) {
	case OP_ACCOUNT_CREATE:
		return plan_account(plan, &effect->mailbox);
	case OP_APPEND:
		return plan_append(plan, &op->append, &effect->append);
	case OP_FLAGS:
		return plan_flags(plan, &op->flags, &effect->flags, result);
	case OP_COPY:
		return plan_copy(plan, &op->copy, false, &effect->copy, result);
	case OP_MOVE:
		return plan_copy(plan, &op->copy, true, &effect->copy, result);
	case OP_EXPUNGE:
		return plan_expunge(plan, &op->expunge, &effect->expunge, result);
	case OP_UNDELETE:
		return plan_undelete(plan, &op->undelete, &effect->undelete);
	case OP_MAILBOX_CREATE:
		return plan_mailbox_create(plan, &op->mailbox, &effect->mailbox);
	case OP_MAILBOX_RENAME:
		return plan_mailbox_rename(plan, &op->mailbox, &effect->mailbox);
	case OP_MAILBOX_DELETE:
		return plan_mailbox_delete(plan, &op->mailbox, &effect->mailbox);
	case OP_MAILBOX_SUBSCRIBE:
		return plan_mailbox_subscribe(plan, &op->mailbox, &effect->mailbox);
	case OP_KV_PUT:
		return plan_kv(plan, &op->kv, true, &effect->kv);
	case OP_KV_DELETE:
		return plan_kv(plan, &op->kv, false, &effect->kv);
	case OP_QUEUE_ADD:
		return plan_queue_add(plan, &op->queue_add, &effect->queue_add);
	case OP_QUEUE_SETTLE:
		return plan_settle(plan, &op->settle, &effect->settle);
	case OP_QUEUE_CHANGE:
		return plan_queue_change(&op->queue_change, &effect->queue_change);
	case OP_ACL:
		return plan_acl(plan, &op->acl, effect);
	case OP_RECENT:
		return plan_recent(plan, &op->recent, &effect->recent, result);
	case OP_KEY_FORGET:
		return plan_forget(op->key_forget, &effect->key_forget);
	}
	return STORE_INVALID;
}
