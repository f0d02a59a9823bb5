/* Queue rows: added, leased, settled, changed by people.  A row that waits stands in the
 * index of what is due (rows.h: waiting_place()), and is counted for its domain and in
 * all. */
#include "base/log.h"
#include "base/num.h"
#include "storage/apply.h"
#include "storage/items.h"
#include "store/codec.h"

/* What has to follow when a row changes.  Taken before the row is written, since its
 * slices are in the index. */
struct standing {
	struct queue_count count;
	struct key domain, place; /* place.len 0: it waits nowhere */
};

static void standing_of(struct work *work, uint64_t row,
			const struct waiting_row *waiting, struct standing *standing)
{
	standing->count = waiting_count(waiting);
	(void)key_queue_count(&standing->domain, waiting->recipient.address);
	(void)waiting_place(waiting, work->account.id, row, &standing->place);
}

static struct str key_str(const struct key *key)
{
	return (struct str){key->bytes, key->len};
}

static err_t delete_if_there(struct work *work, struct str key)
{
	err_t err = kv_delete(work->txn, key);

	return err == ERR_ABSENT ? OK : err;
}

/* ---- counts ------------------------------------------------------------------------ */

/* The domain's row goes with its last recipient. */
static err_t domain_count(struct work *work, const struct key *domain,
			  const struct queue_count *less, const struct queue_count *more)
{
	struct queue_count count = {0};
	struct str value;
	err_t err = kv_get(work->txn, key_str(domain), &value);

	if (err == OK) {
		struct dec d = dec_over(value);

		store_dec_count(&d, &count);
		if (!dec_done(&d))
			return ERR_SYNTAX;
	} else if (err != ERR_ABSENT) {
		return err;
	}
	count_take(&count, less);
	count_add(&count, more);
	if (count.rows == 0)
		return delete_if_there(work, key_str(domain));
	buf_reset(&work->row);
	store_enc_count(&work->row, &count);
	return kv_put(work->txn, key_str(domain), buf_str(&work->row));
}

static err_t count_move(struct work *work, const struct key *domain,
			const struct queue_count *less, const struct queue_count *more)
{
	if (memcmp(less, more, sizeof *less) == 0)
		return OK;
	count_take(&work->state.queue, less);
	count_add(&work->state.queue, more);
	return domain_count(work, domain, less, more);
}

/* ---- rows -------------------------------------------------------------------------- */

static err_t waiting_get(struct work *work, uint64_t row, struct waiting_row *waiting)
{
	struct key key;
	struct str value;

	TRY(kv_get(work->txn, key_numbered(&key, work->account.id, TABLE_QUEUE, row),
		   &value));
	return waiting_read(value, waiting) ? OK : ERR_SYNTAX;
}

static err_t row_put(struct work *work, uint64_t row, const struct waiting_row *waiting)
{
	struct key key;

	buf_reset(&work->row);
	waiting_write(&work->row, waiting);
	if (!buf_ok(&work->row))
		return ERR_LIMIT;
	return kv_put(work->txn, key_numbered(&key, work->account.id, TABLE_QUEUE, row),
		      buf_str(&work->row));
}

static err_t row_change(struct work *work, uint64_t row, const struct standing *was,
			const struct waiting_row *waiting)
{
	struct standing is;
	struct str from = key_str(&was->place), to;

	standing_of(work, row, waiting, &is);
	to = key_str(&is.place);
	TRY(row_put(work, row, waiting));
	if (!str_same(from, to)) {
		if (from.len > 0)
			TRY(delete_if_there(work, from));
		if (to.len > 0)
			TRY(kv_put(work->txn, to, STR("")));
	}
	return count_move(work, &is.domain, &was->count, &is.count);
}

/* With the last row of a message its envelope goes, and its queue id. */
static err_t envelope_remove(struct work *work, uint64_t message)
{
	struct key key, id;
	struct str value,
		name = key_message(&key, work->account.id, message, PART_ENVELOPE);
	struct envelope_row envelope;
	err_t err = kv_get(work->txn, name, &value);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	if (!envelope_read(value, &envelope))
		return ERR_SYNTAX;
	(void)key_queue_id(&id, envelope.id, work->account.id, message);
	TRY(kv_delete(work->txn, name));
	return delete_if_there(work, key_str(&id));
}

static err_t row_remove(struct work *work, uint64_t row, uint64_t message,
			const struct standing *was)
{
	const struct queue_count none = {0};
	struct key key;
	bool gone;

	TRY(kv_delete(work->txn, key_numbered(&key, work->account.id, TABLE_QUEUE, row)));
	if (was->place.len > 0)
		TRY(delete_if_there(work, key_str(&was->place)));
	TRY(count_move(work, &was->domain, &was->count, &none));
	TRY(item_unref(work, work->account.id, message, &gone));
	return gone ? envelope_remove(work, message) : OK;
}

/* ---- effects ----------------------------------------------------------------------- */

static err_t envelope_add(struct work *work, const struct effect_queue_add *e)
{
	struct key key;
	account_t account = work->account.id;

	buf_reset(&work->row);
	envelope_write(&work->row, &e->envelope);
	TRY(kv_put(work->txn, key_message(&key, account, e->message, PART_ENVELOPE),
		   buf_str(&work->row)));
	return kv_put(work->txn, key_queue_id(&key, e->envelope.id, account, e->message),
		      STR(""));
}

/* Neighbours of one domain are counted together. */
static err_t rows_add(struct work *work, const struct effect_queue_add *e)
{
	const struct queue_count none = {0};
	struct queue_count count = {0};
	struct key domain = {0};
	struct dec d = dec_over(e->recipients);

	for (uint32_t i = 0; i < e->count; i++) {
		struct waiting_row waiting = {.message = e->message,
					      .due_at = e->due_at,
					      .held_until = e->envelope.timing.hold_until,
					      .received_at = e->received_at,
					      .priority = e->priority};
		struct standing is;

		recipient_read(&d, &waiting.recipient);
		standing_of(work, e->row + i, &waiting, &is);
		TRY(row_put(work, e->row + i, &waiting));
		if (is.place.len > 0)
			TRY(kv_put(work->txn, key_str(&is.place), STR("")));
		if (i > 0 && !str_same(key_str(&domain), key_str(&is.domain))) {
			TRY(count_move(work, &domain, &none, &count));
			count = none;
		}
		count_add(&count, &is.count);
		domain = is.domain;
	}
	if (!dec_done(&d))
		return ERR_SYNTAX;
	return count_move(work, &domain, &none, &count);
}

err_t apply_queue_add(struct work *work, const struct effect_queue_add *e,
		      struct op_result *result)
{
	struct item_row item = {.members = e->count,
				.blob = e->body.blob,
				.raw_size = e->body.raw_size,
				.received_at = e->received_at,
				.trace = e->trace};

	TRY(item_add(work, e->message, &item, e->digest, e->body.from_account,
		     e->body.from_message));
	TRY(envelope_add(work, e));
	TRY(rows_add(work, e));
	work_number_used(work, e->row + e->count - 1);
	*result = (struct op_result){.message = e->message, .row = e->row};
	return OK;
}

err_t apply_settle(struct work *work, const struct effect_settle *e)
{
	struct waiting_row waiting;
	struct standing was;
	err_t err = waiting_get(work, e->row, &waiting);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	standing_of(work, e->row, &waiting, &was);
	switch (e->outcome) {
	case QUEUE_DONE:
		return row_remove(work, e->row, waiting.message, &was);
	case QUEUE_PROLONG:
		waiting.leased_until = e->due_at;
		return row_change(work, e->row, &was, &waiting);
	case QUEUE_RETRY:
		waiting.tries++;
		waiting.reason = e->reason;
		waiting.told |= e->told;
		waiting.cause = e->cause;
		waiting.host = e->host;
		waiting.tried_at = work->now;
		break;
	case QUEUE_RELEASE:
		break;
	}
	waiting.lease = 0;
	waiting.leased_until = 0;
	waiting.due_at = e->due_at;
	return row_change(work, e->row, &was, &waiting);
}

err_t apply_lease(struct work *work, const struct effect_lease *e)
{
	struct waiting_row waiting;
	struct standing was;
	err_t err = waiting_get(work, e->row, &waiting);

	if (err == ERR_ABSENT)
		return OK;
	TRY(err);
	standing_of(work, e->row, &waiting, &was);
	waiting.lease = e->lease;
	waiting.leased_until = e->until;
	work_number_used(work, e->lease);
	return row_change(work, e->row, &was, &waiting);
}

static err_t change_row(struct work *work, uint64_t row,
			const struct effect_queue_change *e)
{
	struct waiting_row waiting;
	struct standing was;

	TRY(waiting_get(work, row, &waiting));
	standing_of(work, row, &waiting, &was);
	switch (e->change) {
	case ROWS_DROP:
		return row_remove(work, row, waiting.message, &was);
	case ROWS_RETRY:
		waiting.due_at = work->now;
		break;
	case ROWS_HOLD:
		waiting.held_until = e->until;
		break;
	case ROWS_RELEASE:
		waiting.held_until = 0;
		break;
	case ROWS_BOUNCE:
		waiting.is_given_up = true;
		waiting.held_until = 0;
		waiting.due_at = work->now;
		waiting.reason = e->text.len > 0 ? e->text : waiting.reason;
		break;
	case ROWS_REROUTE:
		waiting.route = e->text;
		break;
	}
	return row_change(work, row, &was, &waiting);
}

err_t apply_queue_change(struct work *work, const struct effect_queue_change *e,
			 struct op_result *result)
{
	*result = (struct op_result){0};
	for (size_t i = 0; i < e->count; i++) {
		err_t err = change_row(work, e->rows[i], e);

		if (err == OK)
			result->row++;
		else if (err != ERR_ABSENT)
			return err;
	}
	return OK;
}
