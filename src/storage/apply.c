#include "storage/apply.h"

#include "base/num.h"
#include "storage/bodies.h"
#include "storage/changes.h"
#include "storage/expunged.h"

bool quota_parse(struct str value, uint64_t *messages_max, uint64_t *bytes_max)
{
	struct str messages = str_cut(&value, ' ');

	return num_parse(messages, UINT64_MAX, messages_max) &&
	       num_parse(value, UINT64_MAX, bytes_max);
}

bool keep_days_parse(struct str value, uint32_t *days)
{
	uint64_t number;

	if (!num_parse(value, KEEP_DAYS_MAX, &number))
		return false;
	*days = (uint32_t)number;
	return true;
}

/* "" is what holds without the pair. */
static void keep_days_set(struct work *work, struct str value)
{
	struct account_row *row = &work->account.row;

	if (!keep_days_parse(value, &row->keep_days))
		row->keep_days = KEEP_DAYS;
	work->account.is_dirty = true;
}

static void limits_set(struct work *work, struct str key, struct str value)
{
	struct account_row *row = &work->account.row;

	if (str_same(key, STR(STORE_KV_UNDELETE)))
		keep_days_set(work, value);
	if (!str_same(key, STR(STORE_KV_QUOTA)))
		return;
	row->messages_max = row->bytes_max = 0;
	if (value.len > 0 && !quota_parse(value, &row->messages_max, &row->bytes_max))
		row->messages_max = row->bytes_max = 0;
	work->account.is_dirty = true;
}

static err_t apply_kv_put(struct work *work, const struct effect_kv *e)
{
	struct key key;

	limits_set(work, e->key, e->value);
	TRY(kv_put(work->txn, key_kv(&key, work->account.id, e->key), e->value));
	return change_add_pair(work, e->key);
}

static err_t apply_kv_delete(struct work *work, const struct effect_kv *e)
{
	struct key key;

	limits_set(work, e->key, STR(""));
	err_t err = kv_delete(work->txn, key_kv(&key, work->account.id, e->key));

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	return change_add_pair(work, e->key);
}

err_t key_forget(struct work *work, account_t account, struct str name)
{
	struct key key;
	struct str value;
	err_t err = kv_get(work->txn, key_kept(&key, account, name), &value);

	if (err == OK) {
		uint32_t minute = kept_minute(&value);

		TRY(kv_delete(work->txn, key_kept(&key, account, name)));
		err = kv_delete(work->txn, key_kept_age(&key, minute, account, name));
	}
	return err == ERR_ABSENT ? OK : err;
}

static err_t result_keep(struct work *work, const struct commit_head *head)
{
	struct key key;

	if (head->key_minute)
		return kv_put(work->txn,
			      key_timed(&key, head->key_minute, head->account, head->key),
			      buf_str(&work->row));
	TRY(kv_put(work->txn, key_kept(&key, head->account, head->key),
		   buf_str(&work->row)));
	return kv_put(
		work->txn,
		key_kept_age(&key, (uint32_t)(head->now / 60), head->account, head->key),
		STR(""));
}

err_t key_keep(struct work *work, const struct commit_head *head,
	       const struct op_result *ops, size_t count)
{
	if (head->key.len == 0)
		return OK;
	buf_reset(&work->row);
	if (!head->key_minute)
		enc_u32(&work->row, (uint32_t)(head->now / 60));
	result_write(&work->row, work->account.row.change, ops, count);
	if (!buf_ok(&work->row))
		return ERR_LIMIT;
	return result_keep(work, head);
}

err_t effect_apply(struct work *work, const struct effect *effect,
		   struct op_result *result)
{
	switch (effect->kind) {
	case OP_ACCOUNT_CREATE:
		return apply_account(work, &effect->mailbox, result);
	case OP_APPEND:
		return apply_append(work, &effect->append, result);
	case OP_FLAGS:
		return apply_flags(work, &effect->flags);
	case OP_COPY:
		return apply_copy(work, &effect->copy, false, result);
	case OP_MOVE:
		return apply_copy(work, &effect->copy, true, result);
	case OP_EXPUNGE:
		return apply_expunge(work, &effect->expunge);
	case OP_MAILBOX_CREATE:
		return apply_mailbox_create(work, &effect->mailbox, result);
	case OP_MAILBOX_RENAME:
		return apply_mailbox_rename(work, &effect->mailbox);
	case OP_MAILBOX_DELETE:
		return apply_mailbox_delete(work, &effect->mailbox);
	case OP_MAILBOX_SUBSCRIBE:
		return apply_mailbox_subscribe(work, &effect->mailbox);
	case OP_KV_PUT:
		return apply_kv_put(work, &effect->kv);
	case OP_KV_DELETE:
		return apply_kv_delete(work, &effect->kv);
	case OP_QUEUE_ADD:
		return apply_queue_add(work, &effect->queue_add, result);
	case OP_QUEUE_SETTLE:
		return apply_settle(work, &effect->settle);
	case OP_QUEUE_CHANGE:
		return apply_queue_change(work, &effect->queue_change, result);
	case OP_RECENT:
		return apply_recent(work, &effect->recent);
	case OP_KEY_FORGET:
		return key_forget(work, work->account.id, effect->key_forget);
	case EFFECT_LEASE:
		return apply_lease(work, &effect->lease);
	case OP_UNDELETE:
		return apply_undelete(work, &effect->undelete, result);
	case EFFECT_BODY_MOVED:
		return apply_body_moved(work, &effect->body_moved);
	case EFFECT_PURGED:
		return apply_purged(work, &effect->purged);
	case EFFECT_EXPIRED:
		return apply_expired(work, &effect->expired);
	case EFFECT_EPOCH:
		return apply_epoch(work, &effect->epoch);
	}
	return ERR_SYNTAX;
}
