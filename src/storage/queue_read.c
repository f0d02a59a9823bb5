/* Reading queue rows: one by one, by what they have in common, and counted. */
#include "storage/queue_read.h"
#include "base/log.h"
#include "base/num.h"
#include "rt/clock.h"
#include "store/codec.h"

enum {
	LIST_MAX = 10000,
	LOOKS_MAX = 3000, /* rows looked at for one page: some 5 ms */
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

static err_t envelope_get(struct kv_txn *txn, account_t account, uint64_t message,
			  struct envelope_row *envelope)
{
	struct key key;
	struct str value;

	TRY(kv_get(txn, key_message(&key, account, message, PART_ENVELOPE), &value));
	return envelope_read(value, envelope) ? OK : ERR_SYNTAX;
}

static enum store_outcome add_item(struct kv_txn *txn, const struct due *due,
				   struct arena *arena, struct queue_row *row)
{
	struct key key;
	struct str value;
	struct item_row item;

	if (kv_get(txn, key_message(&key, due->account, row->message, PART_ITEM),
		   &value) != OK ||
	    !item_read(value, &item))
		return damaged(due, "message");
	row->size = item.trace.len + item.raw_size;
	return arena_copy(arena, item.trace, &row->trace) ? STORE_OK : STORE_INVALID;
}

static enum store_outcome row_make(struct kv_txn *txn, const struct due *due,
				   const struct waiting_row *waiting, bool is_brief,
				   struct arena *arena, struct queue_row *row)
{
	struct envelope_row envelope;

	if (envelope_get(txn, due->account, waiting->message, &envelope) != OK)
		return damaged(due, "envelope");
	*row = (struct queue_row){.account = due->account,
				  .row = due->row,
				  .lease = waiting->lease,
				  .message = waiting->message,
				  .recipient = waiting->recipient,
				  .received_at = waiting->received_at,
				  .due_at = waiting->due_at,
				  .tries = waiting->tries,
				  .told = waiting->told,
				  .priority = waiting->priority,
				  .is_given_up = waiting->is_given_up,
				  .leased_until = waiting->leased_until,
				  .held_until = waiting->held_until,
				  .tried_at = waiting->tried_at,
				  .cause = waiting->cause};
	if (!copy_recipient(arena, &row->recipient) ||
	    !copy_envelope(arena, &envelope, row) ||
	    !arena_copy(arena, waiting->reason, &row->reason) ||
	    !arena_copy(arena, waiting->host, &row->host) ||
	    !arena_copy(arena, waiting->route, &row->route))
		return STORE_INVALID;
	return is_brief ? STORE_OK : add_item(txn, due, arena, row);
}

enum store_outcome queue_row_get(struct kv_txn *txn, const struct due *due, bool is_brief,
				 struct arena *arena, struct queue_row *row)
{
	struct key key;
	struct str value;
	struct waiting_row waiting;
	err_t err = kv_get(txn, key_numbered(&key, due->account, TABLE_QUEUE, due->row),
			   &value);

	if (err != OK)
		return read_err(err);
	if (!waiting_read(value, &waiting))
		return damaged(due, "row");
	return row_make(txn, due, &waiting, is_brief, arena, row);
}

/* ---- lists ------------------------------------------------------------------------- */

/* A page while it fills.  What is damaged is logged and passed over. */
struct page {
	struct reader reader;
	const struct queue_select *select;
	struct queue_place *place;
	struct arena *arena;
	struct queue_row *rows;
	size_t count, limit, looks;
};

static bool is_full(const struct page *page)
{
	return page->count == page->limit || page->looks >= LOOKS_MAX;
}

/* What the row alone can tell. */
static bool may_fit(const struct queue_select *s, const struct waiting_row *w)
{
	if ((s->by & BY_CAUSE) && w->cause != s->cause)
		return false;
	if ((s->by & BY_AGE) && w->received_at >= s->received_before)
		return false;
	if ((s->by & BY_HELD) && w->held_until <= clock_s())
		return false;
	return !(s->by & BY_DOMAIN) ||
	       str_same_nocase(queue_domain_of(w->recipient.address), s->domain);
}

static bool fits(struct page *page, const struct due *due,
		 const struct waiting_row *waiting)
{
	struct envelope_row envelope;

	if (!may_fit(page->select, waiting))
		return false;
	if (!(page->select->by & BY_SENDER))
		return true;
	return envelope_get(page->reader.txn, due->account, waiting->message,
			    &envelope) == OK &&
	       str_same_nocase(envelope.sender, page->select->sender);
}

/* The row that the cursor is on. */
static enum store_outcome look_at(struct page *page)
{
	struct due due = {page->place->account, page->place->row};
	struct waiting_row waiting;

	page->looks++;
	if (!waiting_read(page->reader.cursor.value, &waiting)) {
		(void)damaged(&due, "row");
		return STORE_OK;
	}
	if (!fits(page, &due, &waiting))
		return STORE_OK;
	enum store_outcome outcome =
		row_make(page->reader.txn, &due, &waiting, page->select->is_brief,
			 page->arena, &page->rows[page->count]);

	page->count += outcome == STORE_OK;
	return outcome == STORE_UNAVAILABLE ? STORE_OK : outcome;
}

static bool is_wanted(const struct page *page, account_t account)
{
	return !(page->select->by & BY_ACCOUNT) || account == page->select->account;
}

/* The account's rows behind the place; err is how the walk ended. */
static enum store_outcome walk_account(struct page *page, err_t *err)
{
	struct kv_cursor *cursor = &page->reader.cursor;
	struct queue_place *place = page->place;
	struct key key;

	*err = kv_seek(cursor,
		       key_numbered(&key, place->account, TABLE_QUEUE, place->row + 1));
	for (; *err == OK && !is_full(page); *err = kv_next(cursor)) {
		if (!key_is_of(cursor->key, place->account, TABLE_QUEUE))
			return STORE_OK;
		struct dec d = key_dec(cursor->key);

		place->row = dec_key48(&d);
		enum store_outcome outcome = look_at(page);

		if (outcome != STORE_OK)
			return outcome;
	}
	return STORE_OK;
}

static enum store_outcome walk_all(struct page *page)
{
	struct queue_place *place = page->place;
	err_t err;

	if ((page->select->by & BY_ACCOUNT) && place->account != page->select->account)
		*place = (struct queue_place){.account = page->select->account};
	for (;;) {
		enum store_outcome outcome = walk_account(page, &err);

		if (outcome != STORE_OK || is_full(page))
			return outcome;
		if (err != OK && err != ERR_ABSENT)
			return read_err(err);
		/* The next account that has anything at all. */
		account_t next = err == OK ? key_account_of(page->reader.cursor.key) : 0;

		if (next == place->account && next < UINT32_MAX)
			next++;
		place->is_end = next <= place->account || !is_wanted(page, next);
		if (place->is_end)
			return STORE_OK;
		page->looks++;
		*place = (struct queue_place){.account = next};
	}
}

/* The rows of a message have the numbers that follow its own. */
static enum store_outcome walk_message(struct page *page, account_t account,
				       uint64_t message)
{
	struct queue_place *place = page->place;
	struct kv_cursor *cursor = &page->reader.cursor;
	struct waiting_row waiting;
	struct key key;

	if (place->account != account || place->row < message)
		*place = (struct queue_place){.account = account, .row = message};
	err_t err =
		kv_seek(cursor, key_numbered(&key, account, TABLE_QUEUE, place->row + 1));

	for (; err == OK && !is_full(page); err = kv_next(cursor)) {
		if (!key_is_of(cursor->key, account, TABLE_QUEUE) ||
		    (waiting_read(cursor->value, &waiting) && waiting.message != message))
			return STORE_OK;
		struct dec d = key_dec(cursor->key);

		place->row = dec_key48(&d);
		enum store_outcome outcome = look_at(page);

		if (outcome != STORE_OK)
			return outcome;
	}
	return err == OK || err == ERR_ABSENT ? STORE_OK : read_err(err);
}

/* The messages of that queue id: one, unless ids were given twice. */
static enum store_outcome walk_id(struct page *page)
{
	struct kv_cursor *cursor = &page->reader.cursor;
	struct str id = page->select->id;
	struct key key;
	account_t account = page->place->account;
	uint64_t message = 0;

	while (!is_full(page)) {
		struct str from = key_queue_id(&key, id, account, message);
		err_t err = kv_seek(cursor, from);

		if (err != OK && err != ERR_ABSENT)
			return read_err(err);
		if (err == ERR_ABSENT ||
		    !str_starts(cursor->key, str_first(from, from.len - 10))) {
			page->place->is_end = true;
			return STORE_OK;
		}
		struct dec d = dec_over(str_skip(cursor->key, cursor->key.len - 10));

		account = dec_key32(&d);
		message = dec_key48(&d);
		page->looks++;
		bool is_behind = account == page->place->account &&
				 message + COMMIT_OPS_MAX < page->place->row;
		enum store_outcome outcome =
			is_behind || !is_wanted(page, account)
				? STORE_OK
				: walk_message(page, account, message);

		if (outcome != STORE_OK)
			return outcome;
		message++;
	}
	return STORE_OK;
}

enum store_outcome storage_queue_list(struct storage *storage,
				      const struct queue_select *select,
				      struct queue_place *place, size_t limit,
				      struct arena *arena, struct queue_row **rows,
				      size_t *count)
{
	struct page page = {.select = select, .place = place, .arena = arena};
	enum store_outcome outcome = reader_begin(&page.reader, storage);

	*count = 0;
	if (outcome != STORE_OK)
		return outcome;
	page.limit = (size_t)num_min(limit, LIST_MAX);
	page.rows = *rows = ARENA_ARRAY(arena, struct queue_row, page.limit);
	if (!*rows || place->row >> NUMBER_MAX_BITS || select->id.len > QUEUE_ID_BYTES)
		outcome = STORE_INVALID;
	else if (!place->is_end)
		outcome = select->by & BY_ID ? walk_id(&page) : walk_all(&page);
	reader_end(&page.reader);
	*count = page.count;
	return outcome;
}

/* ---- counts ------------------------------------------------------------------------ */

enum store_outcome storage_queue_counts(struct storage *storage, struct str after,
					size_t limit, struct arena *arena,
					struct queue_count *all,
					struct queue_domain **domains, size_t *count)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;
	struct str value;
	struct state_row state;
	enum store_outcome outcome = reader_begin(&reader, storage);

	*count = 0;
	if (outcome != STORE_OK)
		return outcome;
	limit = (size_t)num_min(limit, LIST_MAX);
	*domains = ARENA_ARRAY(arena, struct queue_domain, limit);
	if (!*domains || after.len > QUEUE_DOMAIN_BYTES)
		return STORE_INVALID;
	err_t err = kv_get(reader.txn, key_state(&key), &value);

	if (err == OK && !state_read(value, &state))
		err = ERR_SYNTAX;
	if (err != OK)
		return read_err(err);
	*all = state.queue;
	(void)key_table(&key, ACCOUNT_SYSTEM, TABLE_QUEUE_COUNT);
	memcpy(key.bytes + key.len, after.ptr ? after.ptr : "", after.len);
	struct str from = {key.bytes, key.len + after.len};

	err = kv_seek(&reader.cursor, from);
	if (err == OK && after.len > 0 && str_same(reader.cursor.key, from))
		err = kv_next(&reader.cursor);
	for (; err == OK && *count < limit; err = kv_next(&reader.cursor)) {
		struct queue_domain *domain = &(*domains)[*count];
		struct dec d = dec_over(reader.cursor.value);

		if (!key_is_of(reader.cursor.key, ACCOUNT_SYSTEM, TABLE_QUEUE_COUNT))
			return STORE_OK;
		store_dec_count(&d, &domain->count);
		if (!arena_copy(arena, str_skip(reader.cursor.key, KEY_PREFIX_LEN),
				&domain->domain))
			return STORE_INVALID;
		++*count;
	}
	return err == OK || err == ERR_ABSENT ? STORE_OK : read_err(err);
}
