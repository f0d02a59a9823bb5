#include "storage/plan.h"
#include "storage/storage.h"

/* In octets.  RFC 5321 §4.5.3.1.3 allows a path 256; RFC 3461 §5.4 an ENVID 100 before
 * decoding and an ORCPT 500. */
enum { PATH_MAX_BYTES = 1024, ENVID_MAX = 256, ID_MAX = 32, REASON_MAX = 500 };
enum { HOST_MAX = 255 };

static bool recipient_is_valid(const struct queue_recipient *recipient)
{
	return recipient->address.len <= PATH_MAX_BYTES &&
	       recipient->original.len <= PATH_MAX_BYTES &&
	       recipient->orcpt.len <= PATH_MAX_BYTES;
}

static bool add_is_valid(const struct op_queue_add *op)
{
	if (op->count == 0 || op->count > COMMIT_OPS_MAX ||
	    op->sender.len > PATH_MAX_BYTES || op->id.len > ID_MAX ||
	    op->envid.len > ENVID_MAX || op->trace.len > TRACE_BYTES_MAX ||
	    op->digest.len > DIGEST_BYTES_MAX || op->priority > QUEUE_BULK)
		return false;
	for (size_t i = 0; i < op->count; i++)
		if (!recipient_is_valid(&op->recipients[i]))
			return false;
	return true;
}

enum store_outcome plan_queue_add(struct plan *plan, const struct op_queue_add *op,
				  struct effect_queue_add *e)
{
	struct work *work = plan->work;

	if (!add_is_valid(op))
		return STORE_INVALID;
	for (size_t i = 0; i < op->count; i++)
		recipient_write(plan->scratch, &op->recipients[i]);
	if (!buf_ok(plan->scratch))
		return STORE_INVALID;
	uint64_t message = work_number(work);

	*e = (struct effect_queue_add){.message = message,
				       .row = message + 1,
				       .received_at = op->received_at,
				       .due_at = op->due_at < 0 ? 0 : op->due_at,
				       .priority = op->priority,
				       .envelope = {.sender = op->sender,
						    .id = op->id,
						    .envid = op->envid,
						    .ret = op->ret,
						    .body_kind = op->body_kind,
						    .timing = op->timing},
				       .trace = op->trace,
				       .digest = op->digest,
				       .recipients = buf_str(plan->scratch),
				       .count = (uint32_t)op->count};
	work_number_used(work, e->row + e->count - 1);
	return plan_body(plan, &op->body, e->message, &e->body);
}

enum store_outcome plan_settle(struct plan *plan, const struct op_queue_settle *op,
			       struct effect_settle *e)
{
	struct work *work = plan->work;
	struct waiting_row waiting;
	struct key key;
	struct str value;

	if (op->reason.len > REASON_MAX || op->host.len > HOST_MAX ||
	    op->cause >= CAUSES || op->row >> NUMBER_MAX_BITS)
		return STORE_INVALID;
	enum store_outcome outcome = plan_err(
		plan, kv_get(work->txn,
			     key_numbered(&key, work->account.id, TABLE_QUEUE, op->row),
			     &value));

	if (outcome != STORE_OK)
		return outcome;
	if (!waiting_read(value, &waiting))
		return plan_err(plan, ERR_SYNTAX);
	if (waiting.lease == 0 || waiting.lease != op->lease)
		return STORE_CONFLICT;
	*e = (struct effect_settle){.row = op->row,
				    .outcome = op->outcome,
				    .due_at = op->due_at < 0 ? 0 : op->due_at,
				    .reason = op->reason,
				    .told = op->told,
				    .cause = op->cause,
				    .host = op->host};
	if (op->outcome == QUEUE_PROLONG && e->due_at > work->now + LEASE_S_MAX)
		e->due_at = work->now + LEASE_S_MAX;
	return STORE_OK;
}

enum store_outcome plan_queue_change(const struct op_queue_change *op,
				     struct effect_queue_change *e)
{
	size_t text_max = op->change == ROWS_REROUTE  ? HOST_MAX
			  : op->change == ROWS_BOUNCE ? REASON_MAX
						      : 0;

	if (op->count == 0 || op->count > QUEUE_CHANGE_MAX || op->text.len > text_max ||
	    op->until < 0)
		return STORE_INVALID;
	for (size_t i = 0; i < op->count; i++)
		if (op->rows[i] >> NUMBER_MAX_BITS ||
		    (i > 0 && op->rows[i] <= op->rows[i - 1]))
			return STORE_INVALID;
	*e = (struct effect_queue_change){.change = op->change,
					  .rows = op->rows,
					  .count = op->count,
					  .until = op->until,
					  .text = op->text};
	return STORE_OK;
}
