/* Leasing and listing queue rows. */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "storage/apply.h"
#include "storage/embedded.h"

enum { LEASES_MAX = 1000, LIST_MAX = 10000 };

struct due {
	account_t account;
	uint64_t row;
};

/* ---- reading ----------------------------------------------------------------------- */

static bool copy_recipient(struct arena *arena, struct queue_recipient *recipient)
{
	return arena_copy(arena, recipient->address, &recipient->address) &&
	       arena_copy(arena, recipient->original, &recipient->original) &&
	       arena_copy(arena, recipient->orcpt, &recipient->orcpt);
}

static bool copy_envelope(struct arena *arena, const struct envelope_row *envelope,
			  struct queue_row *row)
{
	row->ret = envelope->ret;
	row->body_kind = envelope->body_kind;
	row->timing = envelope->timing;
	return arena_copy(arena, envelope->sender, &row->sender) &&
	       arena_copy(arena, envelope->id, &row->id) &&
	       arena_copy(arena, envelope->envid, &row->envid);
}

static enum store_outcome damaged(const struct due *due, const char *what)
{
	LOG(ERROR, "queue row damaged", KV_INT("account", due->account),
	    KV_INT("row", due->row), KV("what", what));
	return STORE_UNAVAILABLE;
}

static enum store_outcome queue_row_get(struct kv_txn *txn, const struct due *due,
					struct arena *arena, struct queue_row *row)
{
	struct key key;
	struct str value;
	struct waiting_row waiting;
	struct envelope_row envelope;
	struct item_row item;
	account_t account = due->account;
	err_t err =
		kv_get(txn, key_numbered(&key, account, TABLE_QUEUE, due->row), &value);

	if (err != OK)
		return read_err(err);
	if (!waiting_read(value, &waiting))
		return damaged(due, "row");
	if (kv_get(txn, key_message(&key, account, waiting.message, PART_ENVELOPE),
		   &value) != OK ||
	    !envelope_read(value, &envelope))
		return damaged(due, "envelope");
	if (kv_get(txn, key_message(&key, account, waiting.message, PART_ITEM), &value) !=
		    OK ||
	    !item_read(value, &item))
		return damaged(due, "message");
	*row = (struct queue_row){.account = account,
				  .row = due->row,
				  .lease = waiting.lease,
				  .message = waiting.message,
				  .recipient = waiting.recipient,
				  .received_at = item.received_at,
				  .due_at = waiting.due_at,
				  .tries = waiting.tries,
				  .told = waiting.told,
				  .size = item.trace.len + item.raw_size};
	if (copy_recipient(arena, &row->recipient) &&
	    copy_envelope(arena, &envelope, row) &&
	    arena_copy(arena, item.trace, &row->trace) &&
	    arena_copy(arena, waiting.reason, &row->reason))
		return STORE_OK;
	return STORE_INVALID;
}

enum store_outcome storage_queue_list(struct storage *storage, account_t after_account,
				      uint64_t after_row, size_t limit,
				      struct arena *arena, struct queue_row **rows,
				      size_t *count)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;
	enum store_outcome outcome = reader_begin(&reader, storage);

	*count = 0;
	if (outcome != STORE_OK)
		return outcome;
	limit = (size_t)num_min(limit, LIST_MAX);
	*rows = ARENA_ARRAY(arena, struct queue_row, limit);
	if (!*rows || after_row >> NUMBER_MAX_BITS)
		return STORE_INVALID;
	struct due due = {.account = after_account, .row = after_row};
	uint64_t from = after_row + 1;

	while (*count < limit) {
		err_t err = kv_seek(&reader.cursor,
				    key_numbered(&key, due.account, TABLE_QUEUE, from));

		if (err != OK)
			return err == ERR_ABSENT ? STORE_OK : read_err(err);
		struct str found = reader.cursor.key;

		if (!key_is_of(found, due.account, TABLE_QUEUE)) {
			/* The next account that has anything at all. */
			account_t next = key_account_of(found);

			if (next == due.account && next == UINT32_MAX)
				return STORE_OK;
			due.account = next == due.account ? next + 1 : next;
			from = 0;
			continue;
		}
		struct dec d = key_dec(found);

		due.row = dec_key48(&d);
		from = due.row + 1;
		outcome = queue_row_get(reader.txn, &due, arena, &(*rows)[*count]);
		if (outcome != STORE_OK)
			return outcome;
		++*count;
	}
	return STORE_OK;
}

/* ---- leasing ----------------------------------------------------------------------- */

/* The place of a row in the index of what is due; false at the end of the kind. */
static bool wait_read(struct str key, enum queue_kind kind, int64_t *due_at,
		      struct due *due)
{
	if (!key_is_of(key, ACCOUNT_SYSTEM, TABLE_WAIT))
		return false;
	struct dec d = key_dec(key);

	if (dec_bytes(&d, 1).ptr[0] != (char)kind)
		return false;
	*due_at = (int64_t)dec_key64(&d);
	due->account = dec_key32(&d);
	due->row = dec_key48(&d);
	return dec_done(&d);
}

static err_t find_due(struct work *work, enum queue_kind kind, int64_t now, size_t limit,
		      struct due *list, size_t *count)
{
	struct key key;
	err_t err = kv_seek(&work->cursor, key_wait(&key, kind, 0, 0, 0));

	for (*count = 0; err == OK && *count < limit; err = kv_next(&work->cursor)) {
		int64_t due_at;

		if (!wait_read(work->cursor.key, kind, &due_at, &list[*count]) ||
		    due_at > now)
			return OK;
		++*count;
	}
	return err == ERR_ABSENT ? OK : err;
}

static err_t next_due_get(struct work *work, enum queue_kind kind, int64_t *next_due)
{
	struct key key;
	struct due due;
	err_t err = kv_seek(&work->cursor, key_wait(&key, kind, 0, 0, 0));

	*next_due = 0;
	if (err == OK)
		(void)wait_read(work->cursor.key, kind, next_due, &due); /* or 0 */
	return err == ERR_ABSENT ? OK : err;
}

/* All rows of the list from i on that are of the same account: one record. */
static err_t lease_account(struct storage *storage, const struct due *list, size_t count,
			   int64_t until)
{
	struct work *work = &storage->work;
	struct op_result result;
	struct commit_head head = {.account = list[0].account, .now = work->now};

	TRY(work_account(work, head.account));
	buf_reset(&storage->effects);
	for (size_t i = 0; i < count; i++) {
		struct effect effect = {.kind = EFFECT_LEASE};

		if (list[i].account != head.account)
			continue;
		effect.lease = (struct effect_lease){
			.row = list[i].row, .lease = work_number(work), .until = until};
		effect_write(&storage->effects, &effect);
		TRY(effect_apply(work, &effect, &result));
		head.count++;
	}
	return group_record(storage, &head);
}

static bool is_first_of_account(const struct due *list, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (list[i].account == list[at].account)
			return false;
	return true;
}

static err_t lease_all(struct storage *storage, const struct due *list, size_t count,
		       int64_t until)
{
	for (size_t i = 0; i < count; i++)
		if (is_first_of_account(list, i))
			TRY(lease_account(storage, list + i, count - i, until));
	return OK;
}

static enum store_outcome rows_get(struct storage *storage, const struct due *list,
				   size_t found, struct storage_lease *lease)
{
	lease->rows = ARENA_ARRAY(lease->arena, struct queue_row, found);
	if (!lease->rows)
		return STORE_INVALID;
	for (size_t i = 0; i < found; i++) {
		enum store_outcome outcome =
			queue_row_get(storage->work.txn, &list[i], lease->arena,
				      &lease->rows[lease->count]);

		if (outcome == STORE_OK)
			lease->count++;
		/* A damaged one stays leased, and costs only itself. */
		else if (outcome != STORE_UNAVAILABLE && outcome != STORE_ABSENT)
			return outcome;
	}
	return STORE_OK;
}

void lease_plan(struct storage *storage, struct plan *plan, struct storage_lease *lease)
{
	struct work *work = &storage->work;
	size_t found = 0, limit = (size_t)num_min(lease->limit, LEASES_MAX);

	lease->count = 0;
	lease->next_due = 0;
	lease->outcome = STORE_INVALID;
	if (lease->leased_until <= lease->now)
		return;
	struct due *list = NEW_ARRAY(struct due, limit + 1);
	err_t err = find_due(work, lease->kind, lease->now, limit, list, &found);

	if (err == OK)
		err = lease_all(storage, list, found, lease->leased_until);
	if (err == OK)
		lease->outcome = rows_get(storage, list, found, lease);
	if (err == OK)
		err = next_due_get(work, lease->kind, &lease->next_due);
	if (found > 0)
		storage_touch(storage, ACCOUNT_SYSTEM, STORAGE_QUEUE);
	mem_free(list);
	plan->failed = err;
}

/* ---- what a process that is gone had leased -----------------------------------------
 */

/* The next leased row of any kind from the place on, which moves behind it. */
static err_t next_leased(struct work *work, struct key *from, struct due *due,
			 struct waiting_row *waiting)
{
	err_t err = kv_seek(&work->cursor, (struct str){from->bytes, from->len});

	for (; err == OK; err = kv_next(&work->cursor)) {
		struct key key;
		struct str found = work->cursor.key, value;

		if (!key_is_of(found, ACCOUNT_SYSTEM, TABLE_WAIT))
			return ERR_ABSENT;
		struct dec d = dec_over(str_skip(found, KEY_PREFIX_LEN + 1 + 8));

		due->account = dec_key32(&d);
		due->row = dec_key48(&d);
		err = kv_get(work->txn,
			     key_numbered(&key, due->account, TABLE_QUEUE, due->row),
			     &value);
		if (err == ERR_ABSENT ||
		    (err == OK && (!waiting_read(value, waiting) || waiting->lease == 0)))
			continue;
		memcpy(from->bytes, found.ptr, found.len);
		from->len = found.len;
		return err;
	}
	return err;
}

/* Not in the log: whoever rebuilds the index comes here again. */
err_t storage_release_leases(struct storage *storage)
{
	struct work *work = &storage->work;
	struct key from;
	struct due due;
	struct waiting_row waiting;
	err_t err = index_begin(storage);
	uint64_t count = 0;

	(void)key_table(&from, ACCOUNT_SYSTEM, TABLE_WAIT);
	while (err == OK && (err = next_leased(work, &from, &due, &waiting)) == OK) {
		struct effect_settle settle = {
			.row = due.row, .outcome = QUEUE_RELEASE, .due_at = work->now};

		err = work_account(work, due.account);
		if (err == OK)
			err = apply_settle(work, &settle);
		count++;
	}
	if (err != ERR_ABSENT)
		return err;
	if (count > 0) {
		LOG(INFO, "leases released", KV_INT("count", count));
		index_changed(storage);
	}
	storage_index_commit(storage);
	return OK;
}
