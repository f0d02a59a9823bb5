/* What the reading calls give.  Slices borrow the reply. */
#include "store/codec.h"

/* Least octets of a row on the wire: a list cannot claim more rows than it has. */
enum { LEAST_MAILBOX = 15, LEAST_MESSAGE = 2, LEAST_CHANGE = 6, LEAST_KV = 2 };
enum {
	LEAST_QUEUE = 83,
	LEAST_DOMAIN = 4 + CAUSES,
	LEAST_EXTENT = 2,
	ROWS_MAX = 1 << 24
};

static uint32_t dec_var32(struct dec *dec)
{
	return (uint32_t)dec_var_max(dec, UINT32_MAX);
}

void store_enc_summary(struct buf *buf, const struct account_summary *summary)
{
	enc_var(buf, summary->change);
	enc_var(buf, summary->messages);
	enc_var(buf, summary->bytes);
	enc_var(buf, summary->messages_max);
	enc_var(buf, summary->bytes_max);
	enc_var(buf, summary->epoch);
}

bool store_dec_summary(struct dec *dec, struct account_summary *summary)
{
	summary->change = dec_var(dec);
	summary->messages = dec_var(dec);
	summary->bytes = dec_var(dec);
	summary->messages_max = dec_var(dec);
	summary->bytes_max = dec_var(dec);
	summary->epoch = dec_var(dec);
	return dec_done(dec);
}

/* ---- mailboxes --------------------------------------------------------------------- */

void store_enc_mailbox(struct buf *buf, const struct mailbox_row *row)
{
	enc_var(buf, row->id);
	enc_var(buf, row->parent);
	store_enc_bounded(buf, row->name, MAILBOX_NAME_MAX);
	enc_u8(buf, (uint8_t)row->role);
	store_enc_bool(buf, row->is_container);
	store_enc_bool(buf, row->is_subscribed);
	enc_var(buf, row->uid_validity);
	enc_var(buf, row->uid_next);
	enc_var(buf, row->exists);
	enc_var(buf, row->unseen);
	enc_var(buf, row->deleted);
	enc_var(buf, row->recent_from);
	enc_var(buf, row->recent);
	enc_var(buf, row->bytes);
	enc_var(buf, row->modseq);
	enc_var(buf, row->change);
	enc_var(buf, row->rights);
}

static void dec_mailbox_row(struct dec *dec, struct mailbox_row *row)
{
	row->id = dec_var(dec);
	row->parent = dec_var(dec);
	row->name = store_dec_bounded(dec, MAILBOX_NAME_MAX);
	row->role = (enum mailbox_role)dec_var_max(dec, ROLE_IMPORTANT);
	row->is_container = store_dec_bool(dec);
	row->is_subscribed = store_dec_bool(dec);
	row->uid_validity = dec_var32(dec);
	row->uid_next = dec_var32(dec);
	row->exists = dec_var32(dec);
	row->unseen = dec_var32(dec);
	row->deleted = dec_var32(dec);
	row->recent_from = dec_var32(dec);
	row->recent = dec_var32(dec);
	row->bytes = dec_var(dec);
	row->modseq = dec_var(dec);
	row->change = dec_var(dec);
	row->rights = dec_var32(dec);
}

bool store_dec_mailbox(struct dec *dec, struct mailbox_row *row)
{
	dec_mailbox_row(dec, row);
	return dec_done(dec);
}

void store_enc_mailboxes(struct buf *buf, const struct mailbox_row *rows, size_t count)
{
	enc_var(buf, count);
	for (size_t i = 0; i < count; i++)
		store_enc_mailbox(buf, &rows[i]);
}

bool store_dec_mailboxes(struct dec *dec, struct arena *arena, struct mailbox_row **rows,
			 size_t *count)
{
	*rows = STORE_DEC_ARRAY(dec, arena, struct mailbox_row, LEAST_MAILBOX, ROWS_MAX,
				count);
	for (size_t i = 0; i < *count; i++)
		dec_mailbox_row(dec, &(*rows)[i]);
	return dec_done(dec);
}

/* ---- messages ---------------------------------------------------------------------- */

static void enc_message_columns(struct buf *buf, unsigned columns,
				const struct message_row *row)
{
	if (columns & ROW_MODSEQ)
		enc_var(buf, row->modseq);
	if (columns & ROW_KEYWORDS)
		store_enc_keywords(buf, row->keywords);
	if (columns & ROW_MESSAGE) {
		enc_var(buf, row->member);
		enc_var(buf, row->message);
		enc_u64(buf, (uint64_t)row->received_at);
		enc_u16(buf, (uint16_t)row->received_zone);
		enc_u64(buf, (uint64_t)row->saved_at);
		enc_var(buf, row->size);
		store_enc_bounded(buf, row->trace, TRACE_BYTES_MAX);
	}
	if (columns & ROW_KEYS) {
		enc_u64(buf, (uint64_t)row->received_at);
		enc_var(buf, row->size);
	}
	if (columns & (ROW_DIGEST | ROW_KEYS))
		store_enc_bounded(buf, row->digest, DIGEST_BYTES_MAX);
	if (columns & ROW_THREAD)
		enc_var(buf, row->thread);
	if (columns & ROW_HASH)
		buf_add(buf, (struct str){(const char *)row->hash, ROW_HASH_BYTES});
}

static void dec_message_columns(struct dec *dec, struct arena *arena, unsigned columns,
				struct message_row *row)
{
	if (columns & ROW_MODSEQ)
		row->modseq = dec_var(dec);
	if (columns & ROW_KEYWORDS)
		row->keywords = store_dec_keywords(dec, arena);
	if (columns & ROW_MESSAGE) {
		row->member = dec_var(dec);
		row->message = dec_var(dec);
		row->received_at = (int64_t)dec_u64(dec);
		row->received_zone = (int16_t)dec_u16(dec);
		row->saved_at = (int64_t)dec_u64(dec);
		row->size = dec_var(dec);
		row->trace = store_dec_bounded(dec, TRACE_BYTES_MAX);
	}
	if (columns & ROW_KEYS) {
		row->received_at = (int64_t)dec_u64(dec);
		row->size = dec_var(dec);
	}
	if (columns & (ROW_DIGEST | ROW_KEYS))
		row->digest = store_dec_bounded(dec, DIGEST_BYTES_MAX);
	if (columns & ROW_THREAD)
		row->thread = dec_var(dec);
	if (columns & ROW_HASH) {
		struct str hash = dec_bytes(dec, ROW_HASH_BYTES);

		if (dec_ok(dec))
			memcpy(row->hash, hash.ptr, ROW_HASH_BYTES);
	}
}

static void enc_rows_head(struct buf *buf, unsigned columns, uint32_t next_uid,
			  uint32_t count)
{
	enc_u8(buf, (uint8_t)columns);
	enc_u32(buf, next_uid);
	enc_u32(buf, count);
}

struct rows_writer store_enc_rows(struct buf *buf, unsigned columns)
{
	size_t head = buf->len;

	enc_rows_head(buf, columns, 0, 0);
	return (struct rows_writer){.buf = buf, .head = head, .columns = columns};
}

void store_enc_row(struct rows_writer *writer, const struct message_row *row)
{
	struct buf *buf = writer->buf;

	ASSERT(row->uid > writer->uid);
	enc_var(buf, row->uid - writer->uid);
	enc_u8(buf, row->flags);
	enc_message_columns(buf, writer->columns, row);
	writer->uid = row->uid;
	writer->count++;
}

void store_enc_rows_end(const struct rows_writer *writer, uint32_t next_uid)
{
	struct buf head = BUF(9);

	enc_rows_head(&head, writer->columns, next_uid, writer->count);
	if (buf_ok(writer->buf))
		memcpy(writer->buf->ptr + writer->head, head.ptr, head.len);
	buf_fini(&head);
}

bool store_dec_rows(struct dec *dec, struct arena *arena, struct message_row **rows,
		    size_t *count, uint32_t *next_uid)
{
	unsigned columns = dec_u8(dec);
	uint64_t uid = 0;

	*next_uid = dec_u32(dec);
	*rows = store_dec_room(dec, arena, dec_u32(dec), LEAST_MESSAGE, sizeof **rows,
			       count);
	for (size_t i = 0; i < *count && dec_ok(dec); i++) {
		struct message_row *row = &(*rows)[i];

		uid += dec_var_max(dec, UINT32_MAX - uid);
		row->uid = (uint32_t)uid;
		row->flags = dec_u8(dec);
		dec_message_columns(dec, arena, columns, row);
	}
	return dec_done(dec);
}

/* ---- changes ----------------------------------------------------------------------- */

void store_enc_changes(struct buf *buf, const struct change_row *rows, size_t count,
		       uint64_t upto, bool more)
{
	enc_var(buf, upto);
	store_enc_bool(buf, more);
	enc_var(buf, count);
	for (size_t i = 0; i < count; i++) {
		enc_var(buf, rows[i].change);
		enc_u8(buf, (uint8_t)rows[i].kind);
		enc_var(buf, rows[i].mailbox);
		enc_var(buf, rows[i].uids.first);
		enc_var(buf, rows[i].uids.last);
		enc_str(buf, rows[i].entry);
	}
}

bool store_dec_changes(struct dec *dec, struct arena *arena, struct change_row **rows,
		       size_t *count, uint64_t *upto, bool *more)
{
	*upto = dec_var(dec);
	*more = store_dec_bool(dec);
	*rows = STORE_DEC_ARRAY(dec, arena, struct change_row, LEAST_CHANGE, ROWS_MAX,
				count);
	for (size_t i = 0; i < *count; i++) {
		struct change_row *row = &(*rows)[i];

		row->change = dec_var(dec);
		row->kind = (enum change_kind)dec_var_max(dec, CHANGE_SHARES);
		row->mailbox = dec_var(dec);
		row->uids.first = dec_var32(dec);
		row->uids.last = dec_var32(dec);
		if (!arena_copy(arena, dec_str(dec), &row->entry))
			dec->failed = true;
	}
	return dec_done(dec);
}

/* ---- small pairs, the queue, figures ----------------------------------------------- */

void store_enc_kv_rows(struct buf *buf, const struct kv_row *rows, size_t count)
{
	enc_var(buf, count);
	for (size_t i = 0; i < count; i++) {
		store_enc_bounded(buf, rows[i].key, KV_KEY_MAX);
		store_enc_bounded(buf, rows[i].value, KV_VALUE_MAX);
	}
}

bool store_dec_kv_rows(struct dec *dec, struct arena *arena, struct kv_row **rows,
		       size_t *count)
{
	*rows = STORE_DEC_ARRAY(dec, arena, struct kv_row, LEAST_KV, ROWS_MAX, count);
	for (size_t i = 0; i < *count; i++) {
		(*rows)[i].key = store_dec_bounded(dec, KV_KEY_MAX);
		(*rows)[i].value = store_dec_bounded(dec, KV_VALUE_MAX);
	}
	return dec_done(dec);
}

static void enc_queue_row(struct buf *buf, const struct queue_row *row)
{
	enc_var(buf, row->account);
	enc_var(buf, row->row);
	enc_u64(buf, row->lease);
	enc_var(buf, row->message);
	store_enc_bounded(buf, row->id, QUEUE_ID_BYTES);
	store_enc_bounded(buf, row->sender, QUEUE_ADDRESS_MAX);
	store_enc_bounded(buf, row->trace, TRACE_BYTES_MAX);
	store_enc_bounded(buf, row->envid, QUEUE_ENVID_MAX);
	enc_u8(buf, row->ret);
	enc_u8(buf, row->body_kind);
	store_enc_timing(buf, &row->timing);
	store_enc_recipient(buf, &row->recipient);
	enc_u64(buf, (uint64_t)row->received_at);
	enc_u64(buf, (uint64_t)row->due_at);
	enc_var(buf, row->tries);
	store_enc_bounded(buf, row->reason, QUEUE_REASON_MAX);
	enc_u8(buf, row->told);
	enc_var(buf, row->size);
	enc_u8(buf, row->priority);
	store_enc_bool(buf, row->is_given_up);
	enc_u64(buf, (uint64_t)row->leased_until);
	enc_u64(buf, (uint64_t)row->held_until);
	enc_u64(buf, (uint64_t)row->tried_at);
	enc_u8(buf, (uint8_t)row->cause);
	store_enc_bounded(buf, row->host, QUEUE_HOST_MAX);
	store_enc_bounded(buf, row->route, QUEUE_HOST_MAX);
}

static void dec_queue_row(struct dec *dec, struct queue_row *row)
{
	row->account = dec_var32(dec);
	row->row = dec_var(dec);
	row->lease = dec_u64(dec);
	row->message = dec_var(dec);
	row->id = store_dec_bounded(dec, QUEUE_ID_BYTES);
	row->sender = store_dec_bounded(dec, QUEUE_ADDRESS_MAX);
	row->trace = store_dec_bounded(dec, TRACE_BYTES_MAX);
	row->envid = store_dec_bounded(dec, QUEUE_ENVID_MAX);
	row->ret = dec_u8(dec);
	row->body_kind = dec_u8(dec);
	row->timing = store_dec_timing(dec);
	row->recipient = store_dec_recipient(dec);
	row->received_at = (int64_t)dec_u64(dec);
	row->due_at = (int64_t)dec_u64(dec);
	row->tries = dec_var32(dec);
	row->reason = store_dec_bounded(dec, QUEUE_REASON_MAX);
	row->told = dec_u8(dec);
	row->size = dec_var(dec);
	row->priority = dec_u8(dec);
	row->is_given_up = store_dec_bool(dec);
	row->leased_until = (int64_t)dec_u64(dec);
	row->held_until = (int64_t)dec_u64(dec);
	row->tried_at = (int64_t)dec_u64(dec);
	row->cause = (enum queue_cause)dec_var_max(dec, CAUSES - 1);
	row->host = store_dec_bounded(dec, QUEUE_HOST_MAX);
	row->route = store_dec_bounded(dec, QUEUE_HOST_MAX);
}

void store_enc_queue_rows(struct buf *buf, const struct queue_row *rows, size_t count)
{
	enc_var(buf, count);
	for (size_t i = 0; i < count; i++)
		enc_queue_row(buf, &rows[i]);
}

bool store_dec_queue_rows(struct dec *dec, struct arena *arena, struct queue_row **rows,
			  size_t *count)
{
	*rows = STORE_DEC_ARRAY(dec, arena, struct queue_row, LEAST_QUEUE, LIST_ROWS_MAX,
				count);
	for (size_t i = 0; i < *count; i++)
		dec_queue_row(dec, &(*rows)[i]);
	return dec_done(dec);
}

void store_enc_undelete_rows(struct buf *buf, const struct undelete_row *rows,
			     size_t count)
{
	enc_var(buf, count);
	for (size_t i = 0; i < count; i++) {
		enc_var(buf, rows[i].member);
		enc_var(buf, rows[i].message);
		enc_var(buf, rows[i].mailbox);
		enc_var(buf, rows[i].uid);
		enc_u8(buf, rows[i].flags);
		enc_u64(buf, (uint64_t)rows[i].received_at);
		enc_u64(buf, (uint64_t)rows[i].expunged_at);
		enc_u64(buf, (uint64_t)rows[i].until);
		enc_var(buf, rows[i].size);
		store_enc_bounded(buf, rows[i].digest, DIGEST_BYTES_MAX);
	}
}

bool store_dec_undelete_rows(struct dec *dec, struct arena *arena,
			     struct undelete_row **rows, size_t *count)
{
	*rows = STORE_DEC_ARRAY(dec, arena, struct undelete_row, 31, EXPUNGED_PAGE_MAX,
				count);
	for (size_t i = 0; i < *count; i++) {
		struct undelete_row *row = &(*rows)[i];

		row->member = dec_var(dec);
		row->message = dec_var(dec);
		row->mailbox = dec_var(dec);
		row->uid = dec_var32(dec);
		row->flags = dec_u8(dec);
		row->received_at = (int64_t)dec_u64(dec);
		row->expunged_at = (int64_t)dec_u64(dec);
		row->until = (int64_t)dec_u64(dec);
		row->size = dec_var(dec);
		row->digest = store_dec_bounded(dec, DIGEST_BYTES_MAX);
	}
	return dec_done(dec);
}

void store_enc_place(struct buf *buf, const struct queue_place *place)
{
	enc_var(buf, place->account);
	enc_var(buf, place->row);
	store_enc_bool(buf, place->is_end);
}

struct queue_place store_dec_place(struct dec *dec)
{
	struct queue_place place = {.account = dec_var32(dec)};

	place.row = dec_var(dec);
	place.is_end = store_dec_bool(dec);
	return place;
}

void store_enc_count(struct buf *buf, const struct queue_count *count)
{
	enc_var(buf, count->rows);
	enc_var(buf, count->held);
	enc_var(buf, count->leased);
	for (size_t i = 0; i < CAUSES; i++)
		enc_var(buf, count->causes[i]);
}

void store_dec_count(struct dec *dec, struct queue_count *count)
{
	count->rows = dec_var(dec);
	count->held = dec_var(dec);
	count->leased = dec_var(dec);
	for (size_t i = 0; i < CAUSES; i++)
		count->causes[i] = dec_var(dec);
}

void store_enc_counts(struct buf *buf, const struct queue_count *all,
		      const struct queue_domain *domains, size_t count)
{
	store_enc_count(buf, all);
	enc_var(buf, count);
	for (size_t i = 0; i < count; i++) {
		store_enc_bounded(buf, domains[i].domain, QUEUE_DOMAIN_BYTES);
		store_enc_count(buf, &domains[i].count);
	}
}

bool store_dec_counts(struct dec *dec, struct arena *arena, struct queue_count *all,
		      struct queue_domain **domains, size_t *count)
{
	store_dec_count(dec, all);
	*domains = STORE_DEC_ARRAY(dec, arena, struct queue_domain, LEAST_DOMAIN,
				   COUNT_ROWS_MAX, count);
	for (size_t i = 0; i < *count; i++) {
		(*domains)[i].domain = store_dec_bounded(dec, QUEUE_DOMAIN_BYTES);
		store_dec_count(dec, &(*domains)[i].count);
	}
	return dec_done(dec);
}

void store_enc_stats(struct buf *buf, const struct store_stats *stats)
{
	enc_var(buf, stats->accounts);
	enc_var(buf, stats->messages);
	enc_var(buf, stats->mailboxes);
	enc_var(buf, stats->queue_rows);
	enc_var(buf, stats->body_bytes);
	enc_var(buf, stats->shared_bytes);
	enc_var(buf, stats->expunged);
	enc_var(buf, stats->dead_bytes);
	enc_var(buf, stats->punched_bytes);
	enc_var(buf, stats->log_bytes);
	enc_var(buf, stats->pack_bytes);
	enc_var(buf, stats->index_bytes);
	enc_var(buf, stats->commits);
	enc_var(buf, stats->groups);
	enc_var(buf, stats->bodies_read);
}

bool store_dec_stats(struct dec *dec, struct store_stats *stats)
{
	stats->accounts = dec_var(dec);
	stats->messages = dec_var(dec);
	stats->mailboxes = dec_var(dec);
	stats->queue_rows = dec_var(dec);
	stats->body_bytes = dec_var(dec);
	stats->shared_bytes = dec_var(dec);
	stats->expunged = dec_var(dec);
	stats->dead_bytes = dec_var(dec);
	stats->punched_bytes = dec_var(dec);
	stats->log_bytes = dec_var(dec);
	stats->pack_bytes = dec_var(dec);
	stats->index_bytes = dec_var(dec);
	stats->commits = dec_var(dec);
	stats->groups = dec_var(dec);
	stats->bodies_read = dec_var(dec);
	return dec_done(dec);
}

void store_enc_extent(struct buf *buf, const struct store_extent *extent)
{
	enc_var(buf, extent->epoch);
	enc_var(buf, extent->sequence);
	enc_var(buf, extent->count);
	for (size_t i = 0; i < extent->count; i++) {
		enc_var(buf, extent->packs[i].number);
		enc_var(buf, extent->packs[i].length);
	}
}

bool store_dec_extent(struct dec *dec, struct arena *arena, struct store_extent *extent)
{
	extent->epoch = dec_var(dec);
	extent->sequence = dec_var(dec);
	extent->packs = STORE_DEC_ARRAY(dec, arena, struct pack_extent, LEAST_EXTENT,
					ROWS_MAX, &extent->count);
	for (size_t i = 0; i < extent->count; i++) {
		extent->packs[i].number = dec_var32(dec);
		extent->packs[i].length = dec_var(dec);
	}
	return dec_done(dec);
}
