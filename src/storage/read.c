/* Accounts and messages, for any thread. */
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "storage/changes.h"
#include "storage/embedded.h"
#include "storage/items.h"
#include "storage/words.h"
#include "store/digest.h"

enum {
	ROW_BYTES = 24,        /* of a page, beside what has no fixed length */
	STEPS_MAX = 2,         /* a message has three rows at most */
	CHANGES_A_PAGE = 4096, /* a page ends with the change that reaches it */
};

enum store_outcome read_err(err_t err)
{
	switch (err) {
	case OK:
		return STORE_OK;
	case ERR_ABSENT:
		return STORE_ABSENT;
	case ERR_LIMIT:
		return STORE_INVALID;
	case ERR_CLOSED:
	case ERR_TIMEOUT:
	case ERR_CANCELED:
	case ERR_IO:
	case ERR_SYNTAX:
	case ERR_DENIED:
		break;
	}
	return STORE_UNAVAILABLE;
}

enum store_outcome read_damaged(const char *what)
{
	LOG(ERROR, "index row damaged", KV("row", what));
	return STORE_UNAVAILABLE;
}

enum store_outcome reader_begin(struct reader *reader, struct storage *storage)
{
	*reader = (struct reader){.storage = storage};
	(void)pthread_rwlock_rdlock(&storage->gate);
	if (storage->kv && kv_begin(storage->kv, KV_READ, &reader->txn) == OK &&
	    kv_cursor_open(reader->txn, &reader->cursor) == OK)
		return STORE_OK;
	reader_end(reader);
	return STORE_UNAVAILABLE;
}

void reader_rest(struct reader *reader)
{
	if (!reader->storage)
		return;
	kv_cursor_close(&reader->cursor);
	if (reader->has_parts)
		kv_cursor_close(&reader->parts);
	reader->has_parts = false;
	kv_drop(&reader->txn);
}

void reader_end(struct reader *reader)
{
	if (!reader->storage)
		return;
	reader_rest(reader);
	(void)pthread_rwlock_unlock(&reader->storage->gate);
	reader->storage = NULL;
}

enum store_outcome reader_account(struct reader *reader, account_t account,
				  struct account_row *row)
{
	struct key key;
	struct str value;
	err_t err = kv_get(reader->txn, key_account(&key, account), &value);

	if (err != OK)
		return read_err(err);
	return account_read(value, row) ? STORE_OK : read_damaged("account");
}

static enum store_outcome reader_state(struct reader *reader, struct state_row *row)
{
	struct key key;
	struct str value;
	err_t err = kv_get(reader->txn, key_state(&key), &value);

	if (err != OK)
		return read_err(err);
	return state_read(value, row) ? STORE_OK : read_damaged("state");
}

enum store_outcome storage_summary(struct storage *storage, account_t account,
				   struct account_summary *summary)
{
	SCOPED(reader_end) struct reader reader;
	struct account_row row;
	struct state_row state;
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome == STORE_OK)
		outcome = reader_account(&reader, account, &row);
	if (outcome == STORE_OK)
		outcome = reader_state(&reader, &state);
	if (outcome != STORE_OK)
		return outcome;
	*summary = (struct account_summary){.change = row.change,
					    .messages = row.messages,
					    .bytes = row.bytes,
					    .messages_max = row.messages_max,
					    .bytes_max = row.bytes_max,
					    .epoch = state.epoch};
	return STORE_OK;
}

enum store_outcome storage_stats(struct storage *storage, struct store_stats *stats)
{
	SCOPED(reader_end) struct reader reader;
	struct state_row state;
	struct kv_stats index;
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome == STORE_OK)
		outcome = reader_state(&reader, &state);
	if (outcome != STORE_OK)
		return outcome;
	if (kv_stats(storage->kv, &index) != OK)
		return STORE_UNAVAILABLE;
	uint64_t frames = state.body_bytes + state.dead_bytes + state.punched_bytes;
	uint64_t used = packs_used(storage->packs, state.end);
	*stats = (struct store_stats){.accounts = state.accounts,
				      .messages = state.messages,
				      .mailboxes = state.mailboxes,
				      .queue_rows = state.queue.rows,
				      .body_bytes = state.body_bytes,
				      .shared_bytes = state.shared_bytes,
				      .expunged = state.expunged,
				      .dead_bytes = state.dead_bytes,
				      .punched_bytes = state.punched_bytes,
				      .log_bytes = used - num_min(used, frames),
				      .pack_bytes = packs_bytes(storage->packs),
				      .index_bytes = index.bytes_used,
				      .commits = atomic_load(&storage->commits),
				      .groups = atomic_load(&storage->groups),
				      .bodies_read = atomic_load(&storage->bodies_read)};
	return STORE_OK;
}

/* ---- messages ---------------------------------------------------------------------- */

/* Whether the row comes soon after the one that the cursor is on; then it is on that. */
static bool step_to(struct kv_cursor *cursor, struct str wanted, err_t *err)
{
	*err = OK;
	for (unsigned i = 0; i < STEPS_MAX && (*err == OK || *err == ERR_SYNTAX); i++) {
		*err = kv_next(cursor);
		if (*err != ERR_ABSENT && str_same(cursor->key, wanted))
			return true;
	}
	return false;
}

/* A row of a message.  Messages are read in their order, mostly, so it comes soon after
 * the last one; if not, it is near, and a cursor finds it sooner than a search from the
 * top. */
static err_t part_get(struct reader *reader, account_t account, uint64_t message,
		      enum message_part part, struct str *value)
{
	struct key key;
	struct str wanted = key_message(&key, account, message, part);

	err_t err = OK;

	if (!reader->has_parts)
		TRY(kv_cursor_open(reader->txn, &reader->parts));
	if (!reader->has_parts || !step_to(&reader->parts, wanted, &err))
		err = kv_seek(&reader->parts, wanted);
	reader->has_parts = true;
	if ((err == OK || err == ERR_SYNTAX) && !str_same(reader->parts.key, wanted))
		return ERR_ABSENT;
	*value = reader->parts.value;
	return err;
}

static enum store_outcome row_message(struct reader *reader, account_t account,
				      uint64_t message, struct message_row *row)
{
	struct str value;
	struct item_row item;
	err_t err = part_get(reader, account, message, PART_ITEM, &value);

	if (err != OK)
		return err == ERR_ABSENT ? read_damaged("message missing")
					 : read_err(err);
	if (!item_read(value, &item))
		return read_damaged("message");
	row->received_at = item.received_at;
	row->received_zone = item.received_zone;
	row->size = item_size(&item);
	row->trace = item.trace;
	memcpy(row->hash, item.blob.hash, ROW_HASH_BYTES);
	return STORE_OK;
}

static enum store_outcome row_digest(struct reader *reader, account_t account,
				     uint64_t message, unsigned columns,
				     struct message_row *row)
{
	struct str value;
	err_t err = part_get(reader, account, message, PART_DIGEST, &value);

	if (err != OK)
		return err == ERR_ABSENT ? STORE_OK : read_err(err);
	row->digest = columns & ROW_DIGEST ? value : digest_front(value);
	return STORE_OK;
}

/* RFC 8474 §5.2: a message without a row is a thread of its own. */
static enum store_outcome row_thread(struct reader *reader, account_t account,
				     uint64_t message, struct message_row *row)
{
	struct str value;
	err_t err = part_get(reader, account, message, PART_THREAD, &value);

	row->thread = message;
	if (err != OK)
		return err == ERR_ABSENT ? STORE_OK : read_err(err);
	struct dec d = dec_over(value);

	row->thread = dec_var(&d);
	return dec_done(&d) ? STORE_OK : read_damaged("thread");
}

/* The row that the cursor is on.  Its slices are the index's. */
static enum store_outcome row_fill(struct reader *reader, account_t account,
				   unsigned columns, struct arena *arena,
				   struct message_row *row)
{
	struct member_row member;
	enum store_outcome outcome = STORE_OK;

	if (!member_read(reader->cursor.value, &member))
		return read_damaged("member");
	*row = (struct message_row){.uid = key_uid_of(reader->cursor.key),
				    .flags = member.flags,
				    .modseq = member.modseq,
				    .member = member.member,
				    .message = member.message,
				    .saved_at = member.saved_at};
	if ((columns & ROW_KEYWORDS) && !words_read(member.words, arena, &row->keywords))
		return STORE_INVALID;
	if (columns & (ROW_MESSAGE | ROW_HASH | ROW_KEYS))
		outcome = row_message(reader, account, member.message, row);
	if (outcome == STORE_OK && (columns & (ROW_DIGEST | ROW_KEYS)))
		outcome = row_digest(reader, account, member.message, columns, row);
	if (outcome == STORE_OK && (columns & ROW_THREAD))
		outcome = row_thread(reader, account, member.message, row);
	return outcome;
}

static size_t row_bytes(const struct message_row *row, unsigned columns)
{
	size_t trace = columns & ROW_MESSAGE ? row->trace.len : 0;
	size_t bytes = ROW_BYTES + trace + row->digest.len;

	for (size_t i = 0; i < row->keywords.count; i++)
		bytes += row->keywords.words[i].len + 1;
	return bytes;
}

/* Whose rows are told, and to whom. */
struct page {
	account_t account;
	uint64_t mailbox;
	unsigned columns;
	struct arena *arena;
	void (*take)(void *arg, struct message_row *row);
	void *arg;
	size_t count, bytes; /* so far */
};

static enum store_outcome range_read(struct reader *reader, struct page *page,
				     struct uid_range uids, uint32_t *next_uid)
{
	struct message_row row;
	struct key first, last;
	struct str start = key_member(&first, page->account, page->mailbox, uids.first);
	struct str end = key_member(&last, page->account, page->mailbox, uids.last);
	err_t err = kv_seek(&reader->cursor, start);

	/* Backwards in the index is upwards in UIDs.  A damaged row is passed over (it
	 * was logged): it must not take the mailbox with it. */
	if (err == ERR_ABSENT || !str_same(reader->cursor.key, start))
		err = kv_prev(&reader->cursor);
	for (; err == OK || err == ERR_SYNTAX; err = kv_prev(&reader->cursor)) {
		struct str key = reader->cursor.key;

		if (key.len != end.len || memcmp(key.ptr, end.ptr, end.len) < 0)
			return STORE_OK;
		if (page->bytes >= ROWS_PAGE_BYTES || page->count == ROWS_PAGE_MAX) {
			*next_uid = key_uid_of(key);
			return STORE_OK;
		}
		if (err == ERR_SYNTAX)
			continue;
		enum store_outcome outcome =
			row_fill(reader, page->account, page->columns, page->arena, &row);

		if (outcome == STORE_UNAVAILABLE)
			continue;
		if (outcome != STORE_OK)
			return outcome;
		page->bytes += row_bytes(&row, page->columns);
		page->count++;
		page->take(page->arg, &row);
	}
	return err == ERR_ABSENT ? STORE_OK : read_err(err);
}

static enum store_outcome page_read(struct reader *reader, struct page *page,
				    struct uid_set uids, uint32_t *next_uid)
{
	enum store_outcome outcome = STORE_OK;

	for (size_t i = 0; outcome == STORE_OK && *next_uid == 0 && i < uids.count; i++)
		outcome = range_read(reader, page, uids.ranges[i], next_uid);
	return outcome;
}

enum store_outcome storage_each_row(struct storage *storage, account_t account,
				    uint64_t mailbox, struct uid_set uids,
				    unsigned columns, struct arena *arena,
				    void (*take)(void *arg, struct message_row *row),
				    void *arg, uint32_t *next_uid)
{
	struct page page = {account, mailbox, columns, arena, take, arg, 0, 0};
	SCOPED(reader_end) struct reader reader;
	struct key key;
	struct str value;
	enum store_outcome outcome = reader_begin(&reader, storage);

	*next_uid = 0;
	if (outcome != STORE_OK)
		return outcome;
	if (mailbox >> NUMBER_MAX_BITS)
		return STORE_ABSENT;
	err_t err = kv_get(reader.txn, key_mailbox(&key, account, mailbox), &value);

	if (err != OK)
		return read_err(err);
	return page_read(&reader, &page, uids, next_uid);
}

struct gathering {
	struct arena *arena;
	unsigned columns;
	struct message_row *rows; /* on the heap while it grows */
	size_t count, room;
	bool is_full;
};

static bool keep_slices(struct gathering *g, struct message_row *row)
{
	struct str *words = (struct str *)(uintptr_t)row->keywords.words;

	for (size_t i = 0; i < row->keywords.count; i++)
		if (!arena_copy(g->arena, words[i], &words[i]))
			return false;
	if (!(g->columns & ROW_MESSAGE))
		row->trace = STR("");
	return arena_copy(g->arena, row->trace, &row->trace) &&
	       arena_copy(g->arena, row->digest, &row->digest);
}

static void gather(void *arg, struct message_row *row)
{
	struct gathering *g = arg;

	g->is_full |= !keep_slices(g, row);
	MEM_ROOM(g->rows, g->count, g->room);
	g->rows[g->count++] = *row;
}

enum store_outcome storage_rows(struct storage *storage, account_t account,
				uint64_t mailbox, struct uid_range uids, unsigned columns,
				struct arena *arena, struct message_row **rows,
				size_t *count, uint32_t *next_uid)
{
	struct gathering g = {.arena = arena, .columns = columns};
	enum store_outcome outcome =
		storage_each_row(storage, account, mailbox, (struct uid_set){&uids, 1},
				 columns, arena, gather, &g, next_uid);

	*count = 0;
	*rows = outcome == STORE_OK ? ARENA_ARRAY(arena, struct message_row, g.count)
				    : NULL;
	if (outcome == STORE_OK && (g.is_full || !*rows))
		outcome = STORE_INVALID;
	if (outcome == STORE_OK && g.count > 0)
		memcpy(*rows, g.rows, g.count * sizeof **rows);
	if (outcome == STORE_OK)
		*count = g.count;
	mem_free(g.rows);
	return outcome;
}

/* ---- changes ----------------------------------------------------------------------- */

struct telling {
	struct arena *arena; /* of annotations' names */
	struct change_row *rows;
	size_t count, room;
	uint64_t mailbox, upto;
};

static enum store_outcome tell(struct telling *t, uint64_t change, struct str value)
{
	struct change_row row = {.change = change};
	struct dec uids;
	uint32_t day;
	uint64_t last = 0;

	if (!change_read(value, &row.kind, &day, &row.mailbox, &uids))
		return read_damaged("change");
	if (t->mailbox != 0 && row.mailbox != t->mailbox)
		return STORE_OK;
	if (row.kind == CHANGE_ANNOTATION && !arena_copy(t->arena, uids.rest, &row.entry))
		return STORE_INVALID;
	bool has_uids =
		row.kind != CHANGE_ANNOTATION && change_next(&uids, &last, &row.uids);

	do {
		MEM_ROOM(t->rows, t->count, t->room);
		t->rows[t->count++] = row;
	} while (has_uids && change_next(&uids, &last, &row.uids));
	return STORE_OK;
}

static enum store_outcome tell_all(struct reader *reader, account_t account,
				   uint64_t since, struct telling *t, bool *more)
{
	struct key key;
	err_t err = kv_seek_before(&reader->cursor,
				   key_change(&key, account, since, UINT32_MAX));

	/* Backwards in the index is forwards in time. */
	for (; err == OK; err = kv_prev(&reader->cursor)) {
		if (!key_is_of(reader->cursor.key, account, TABLE_CHANGE))
			return STORE_OK;
		uint64_t change = key_change_of(reader->cursor.key);

		if (change != t->upto && t->count >= CHANGES_A_PAGE) {
			*more = true;
			return STORE_OK;
		}
		t->upto = change;
		enum store_outcome outcome = tell(t, change, reader->cursor.value);

		if (outcome != STORE_OK)
			return outcome;
	}
	return err == ERR_ABSENT ? STORE_OK : read_err(err);
}

enum store_outcome storage_changes(struct storage *storage, account_t account,
				   uint64_t mailbox, uint64_t since, struct arena *arena,
				   struct change_row **rows, size_t *count,
				   uint64_t *upto, bool *more)
{
	SCOPED(reader_end) struct reader reader;
	struct account_row row;
	struct telling t = {.arena = arena, .mailbox = mailbox, .upto = since};
	enum store_outcome outcome = reader_begin(&reader, storage);

	*count = 0;
	*more = false;
	if (outcome == STORE_OK)
		outcome = reader_account(&reader, account, &row);
	if (outcome != STORE_OK)
		return outcome;
	if (since < row.change_floor || since > row.change)
		return STORE_CONFLICT;
	outcome = tell_all(&reader, account, since, &t, more);
	if (outcome == STORE_OK) {
		*rows = ARENA_ARRAY(arena, struct change_row, t.count);
		outcome = *rows ? STORE_OK : STORE_INVALID;
	}
	if (outcome == STORE_OK && t.count > 0)
		memcpy(*rows, t.rows, t.count * sizeof **rows);
	mem_free(t.rows);
	*count = outcome == STORE_OK ? t.count : 0;
	*upto = *more ? t.upto : row.change;
	return outcome;
}

/* ---- key-value pairs --------------------------------------------------------------- */

enum store_outcome storage_kv_get(struct storage *storage, account_t account,
				  struct str name, struct arena *arena, struct str *value)
{
	SCOPED(reader_end) struct reader reader;
	struct key key;
	struct str found;
	enum store_outcome outcome = reader_begin(&reader, storage);

	if (outcome != STORE_OK)
		return outcome;
	if (name.len == 0 || name.len > KV_KEY_MAX)
		return STORE_INVALID;
	err_t err = kv_get(reader.txn, key_kv(&key, account, name), &found);

	if (err != OK)
		return read_err(err);
	return arena_copy(arena, found, value) ? STORE_OK : STORE_INVALID;
}

enum store_outcome storage_kv_scan(struct storage *storage, account_t account,
				   struct str prefix, struct str after, size_t limit,
				   struct arena *arena, struct kv_row **rows,
				   size_t *count)
{
	SCOPED(reader_end) struct reader reader;
	struct key start_key, prefix_key;
	enum store_outcome outcome = reader_begin(&reader, storage);

	*count = 0;
	if (outcome != STORE_OK)
		return outcome;
	if (prefix.len > KV_KEY_MAX || after.len > KV_KEY_MAX)
		return STORE_INVALID;
	limit = (size_t)num_min(limit, 10000);
	*rows = ARENA_ARRAY(arena, struct kv_row, limit);
	if (!*rows)
		return STORE_INVALID;
	bool starts_after = str_cmp(after, prefix) >= 0 && after.len > 0;
	struct str wanted = key_kv(&prefix_key, account, prefix);
	struct str start = key_kv(&start_key, account, starts_after ? after : prefix);
	err_t err = kv_seek(&reader.cursor, start);

	if (err == OK && starts_after && str_same(reader.cursor.key, start))
		err = kv_next(&reader.cursor);
	for (; err == OK && *count < limit; err = kv_next(&reader.cursor)) {
		struct kv_row *row = &(*rows)[*count];

		if (!str_starts(reader.cursor.key, wanted))
			return STORE_OK;
		if (!arena_copy(arena, str_skip(reader.cursor.key, KEY_PREFIX_LEN),
				&row->key) ||
		    !arena_copy(arena, reader.cursor.value, &row->value))
			return STORE_INVALID;
		++*count;
	}
	return err == OK || err == ERR_ABSENT ? STORE_OK : read_err(err);
}
