/* Queue rows: added, leased, settled.  A waiting row stands in the index of its kind
 * under the time when it is due, a leased one under the time when its lease ends. */
#include "base/log.h"
#include "base/num.h"
#include "storage/apply.h"
#include "storage/items.h"

static err_t waiting_get(struct work *work, uint64_t row, struct waiting_row *waiting)
{
	struct key key;
	struct str value;

	TRY(kv_get(work->txn, key_numbered(&key, work->account.id, TABLE_QUEUE, row),
		   &value));
	return waiting_read(value, waiting) ? OK : ERR_SYNTAX;
}

static err_t waiting_put(struct work *work, uint64_t row,
			 const struct waiting_row *waiting)
{
	struct key key;
	account_t account = work->account.id;

	buf_reset(&work->row);
	waiting_write(&work->row, waiting);
	if (!buf_ok(&work->row))
		return ERR_LIMIT;
	enum queue_kind kind = waiting->recipient.kind;
	int64_t due_at = waiting->due_at;

	TRY(kv_put(work->txn, key_numbered(&key, account, TABLE_QUEUE, row),
		   buf_str(&work->row)));
	return kv_put(work->txn, key_wait(&key, kind, due_at, account, row), STR(""));
}

static err_t wait_delete(struct work *work, uint64_t row,
			 const struct waiting_row *waiting)
{
	struct key key;
	err_t err =
		kv_delete(work->txn, key_wait(&key, waiting->recipient.kind,
					      waiting->due_at, work->account.id, row));

	return err == ERR_ABSENT ? OK : err;
}

err_t apply_queue_add(struct work *work, const struct effect_queue_add *e,
		      struct op_result *result)
{
	struct item_row item = {.members = e->count,
				.blob = e->body.blob,
				.raw_size = e->body.raw_size,
				.received_at = e->received_at,
				.trace = e->trace};
	struct dec d = dec_over(e->recipients);
	struct key key;

	TRY(item_add(work, e->message, &item, e->digest, e->body.from_account,
		     e->body.from_message));
	buf_reset(&work->row);
	envelope_write(&work->row, &e->envelope);
	TRY(kv_put(work->txn,
		   key_message(&key, work->account.id, e->message, PART_ENVELOPE),
		   buf_str(&work->row)));
	for (uint32_t i = 0; i < e->count; i++) {
		struct waiting_row waiting = {.message = e->message, .due_at = e->due_at};

		recipient_read(&d, &waiting.recipient);
		TRY(waiting_put(work, e->row + i, &waiting));
	}
	work_number_used(work, e->row + e->count - 1);
	work->state.queue_rows += e->count;
	*result = (struct op_result){.message = e->message, .row = e->row};
	return dec_done(&d) ? OK : ERR_SYNTAX;
}

static err_t settle_done(struct work *work, uint64_t row, uint64_t message)
{
	struct key key;
	bool gone;

	TRY(kv_delete(work->txn, key_numbered(&key, work->account.id, TABLE_QUEUE, row)));
	work->state.queue_rows -= num_min(work->state.queue_rows, 1);
	TRY(item_unref(work, work->account.id, message, &gone));
	if (!gone)
		return OK;
	err_t err = kv_delete(
		work->txn, key_message(&key, work->account.id, message, PART_ENVELOPE));

	return err == ERR_ABSENT ? OK : err;
}

err_t apply_settle(struct work *work, const struct effect_settle *e)
{
	struct waiting_row waiting;
	err_t err = waiting_get(work, e->row, &waiting);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	struct waiting_row old = {.due_at = waiting.due_at,
				  .recipient.kind = waiting.recipient.kind};

	if (e->outcome == QUEUE_DONE) {
		uint64_t message = waiting.message;

		TRY(wait_delete(work, e->row, &old));
		return settle_done(work, e->row, message);
	}
	waiting.lease = 0;
	waiting.due_at = e->due_at;
	if (e->outcome == QUEUE_RETRY) {
		waiting.tries++;
		waiting.reason = e->reason;
		waiting.told |= e->told;
	}
	/* The row is written before its old place goes: its slices are in the index. */
	TRY(waiting_put(work, e->row, &waiting));
	return old.due_at == e->due_at ? OK : wait_delete(work, e->row, &old);
}

err_t apply_lease(struct work *work, const struct effect_lease *e)
{
	struct waiting_row waiting;
	err_t err = waiting_get(work, e->row, &waiting);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	struct waiting_row old = {.due_at = waiting.due_at,
				  .recipient.kind = waiting.recipient.kind};

	waiting.lease = e->lease;
	waiting.due_at = e->until;
	work_number_used(work, e->lease);
	TRY(waiting_put(work, e->row, &waiting));
	return old.due_at == e->until ? OK : wait_delete(work, e->row, &old);
}
