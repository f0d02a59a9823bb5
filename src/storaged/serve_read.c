/* The reading calls, in a thread that may block. */
#include "base/num.h"
#include "storage/seen_set.h"
#include "storaged/state.h"

enum {
	READ_ARENA_BYTES =
		32 * 1024 * 1024, /* a page of rows, 200 pairs, all mailboxes */
};

static enum store_outcome read_mailboxes(struct storage *storage,
					 const struct store_request *r,
					 struct arena *arena, struct buf *reply)
{
	struct mailbox_row *rows;
	size_t count;
	enum store_outcome outcome =
		storage_mailboxes(storage, r->account, arena, &rows, &count);

	if (outcome == STORE_OK && r->visitor != 0)
		outcome = visit_mailboxes(storage, r->account, r->visitor, arena, rows,
					  &count);
	if (outcome == STORE_OK)
		store_enc_mailboxes(reply, rows, count);
	return outcome;
}

struct telling {
	struct rows_writer writer;
	const struct seen_set *seen; /* of who visits; NULL: nobody does */
};

static void tell_row(void *arg, struct message_row *row)
{
	struct telling *telling = arg;

	if (telling->seen)
		visit_row(telling->seen, row);
	store_enc_row(&telling->writer, row);
}

static enum store_outcome read_rows(struct storage *storage,
				    const struct store_request *r, struct arena *arena,
				    struct buf *reply)
{
	SCOPED(seen_set_fini) struct seen_set seen = {0};
	struct telling telling = {store_enc_rows(reply, r->rows.columns),
				  r->visitor != 0 ? &seen : NULL};
	enum store_outcome outcome = STORE_OK;
	uint32_t next_uid;

	if (r->visitor != 0)
		outcome = visit_seen(storage, r->account, r->visitor, r->rows.mailbox,
				     arena, &seen);
	if (outcome == STORE_OK)
		outcome = storage_each_row(storage, r->account, r->rows.mailbox,
					   r->rows.uids, r->rows.columns, arena, tell_row,
					   &telling, &next_uid);
	if (outcome == STORE_OK)
		store_enc_rows_end(&telling.writer, next_uid);
	return outcome;
}

static enum store_outcome read_changes(struct storage *storage,
				       const struct store_request *r, struct arena *arena,
				       struct buf *reply)
{
	struct change_row *rows;
	uint64_t upto;
	size_t count;
	bool more;
	enum store_outcome outcome =
		storage_changes(storage, r->account, r->changes.mailbox, r->changes.since,
				arena, &rows, &count, &upto, &more);

	if (outcome == STORE_OK && r->visitor != 0)
		visit_changes(storage, r->account, r->visitor, rows, &count);
	if (outcome == STORE_OK)
		store_enc_changes(reply, rows, count, upto, more);
	return outcome;
}

/* The frame's octets go straight behind the reply's head, whose sizes are known only
 * then. */
static enum store_outcome read_body(struct storage *storage,
				    const struct store_request *r, struct buf *reply)
{
	uint64_t frame_size = 0, raw_size = 0;
	size_t at = reply->len;

	enc_u64(reply, 0);
	enc_u64(reply, 0);
	enum store_outcome outcome =
		storage_frame(storage, r->account, r->body.ref.message, r->body.offset,
			      r->body.room, reply, &frame_size, &raw_size);

	if (outcome == STORE_OK && buf_ok(reply)) {
		struct buf head = BUF(16);

		enc_u64(&head, frame_size);
		enc_u64(&head, raw_size);
		memcpy(reply->ptr + at, head.ptr, head.len);
		buf_fini(&head);
	}
	return outcome;
}

/* Of each, "var outcome [var raw_size, str frame]". */
static enum store_outcome read_bodies(struct storage *storage,
				      const struct store_request *r, struct buf *reply,
				      bool *misses)
{
	struct buf octets = BUF(BODIES_BYTES + STORAGE_FRAMES_EXTRA);
	struct storage_frame frames[BODIES_MAX];

	for (size_t i = 0; i < r->bodies.count; i++)
		frames[i] = (struct storage_frame){.message = r->bodies.refs[i].message};
	storage_frames(storage, r->account, frames, r->bodies.count, BODIES_BYTES,
		       &octets);
	for (size_t i = 0; i < r->bodies.count; i++) {
		enc_var(reply, frames[i].outcome);
		*misses |= frames[i].outcome == STORE_ABSENT;
		if (frames[i].outcome != STORE_OK)
			continue;
		enc_var(reply, frames[i].raw_size);
		enc_str(reply, str_first(str_skip(buf_str(&octets), frames[i].from),
					 frames[i].len));
	}
	buf_fini(&octets);
	return STORE_OK;
}

static enum store_outcome read_kv_scan(struct storage *storage,
				       const struct store_request *r, struct arena *arena,
				       struct buf *reply)
{
	struct kv_row *rows;
	size_t count;
	enum store_outcome outcome =
		storage_kv_scan(storage, r->account, r->scan.prefix, r->scan.after,
				r->scan.limit, arena, &rows, &count);

	if (outcome == STORE_OK)
		store_enc_kv_rows(reply, rows, count);
	return outcome;
}

static enum store_outcome read_expunged(struct storage *storage,
					const struct store_request *request,
					struct arena *arena, struct buf *reply)
{
	struct undelete_row *rows;
	size_t count;
	enum store_outcome outcome =
		storage_expunged(storage, request->account, request->list.after_row,
				 request->list.limit, arena, &rows, &count);

	if (outcome == STORE_OK)
		store_enc_undelete_rows(reply, rows, count);
	return outcome;
}

static enum store_outcome read_queue(struct storage *storage,
				     const struct store_request *r, struct arena *arena,
				     struct buf *reply)
{
	struct queue_place place = r->listing.place;
	struct queue_row *rows;
	size_t count;
	enum store_outcome outcome =
		storage_queue_list(storage, &r->listing.select, &place, r->listing.limit,
				   arena, &rows, &count);

	if (outcome == STORE_OK) {
		store_enc_place(reply, &place);
		store_enc_queue_rows(reply, rows, count);
	}
	return outcome;
}

static enum store_outcome read_counts(struct storage *storage,
				      const struct store_request *r, struct arena *arena,
				      struct buf *reply)
{
	struct queue_count all;
	struct queue_domain *domains;
	size_t count;
	enum store_outcome outcome = storage_queue_counts(
		storage, r->counts.after, r->counts.limit, arena, &all, &domains, &count);

	if (outcome == STORE_OK)
		store_enc_counts(reply, &all, domains, count);
	return outcome;
}

static enum store_outcome read_candidates(struct storage *storage,
					  const struct store_request *r,
					  struct arena *arena, struct buf *reply)
{
	struct store_candidates candidates;
	enum store_outcome outcome =
		storage_search(storage, r->account, &r->find, arena, &candidates);

	if (outcome == STORE_OK)
		store_enc_candidates(reply, &candidates);
	return outcome;
}

static enum store_outcome read_index_state(struct storage *storage, struct buf *reply)
{
	struct index_state state;
	enum store_outcome outcome = storage_index_state(storage, &state);

	if (outcome == STORE_OK)
		store_enc_index_state(reply, &state);
	return outcome;
}

static enum store_outcome read_small(struct storage *storage,
				     const struct store_request *r, struct arena *arena,
				     struct buf *reply)
{
	struct account_summary summary = {0};
	struct mailbox_row mailbox = {0};
	struct store_stats stats = {0};
	struct str value = STR("");
	enum store_outcome outcome;

	if (r->call == CALL_SUMMARY) {
		outcome = storage_summary(storage, r->account, &summary);
		if (r->visitor != 0)
			summary = (struct account_summary){.change = summary.change};
		store_enc_summary(reply, &summary);
	} else if (r->call == CALL_MAILBOX) {
		outcome =
			storage_mailbox(storage, r->account, r->mailbox, arena, &mailbox);
		if (outcome == STORE_OK && r->visitor != 0)
			outcome = visit_mailbox(storage, r->account, r->visitor, arena,
						&mailbox);
		store_enc_mailbox(reply, &mailbox);
	} else if (r->call == CALL_STATS) {
		outcome = storage_stats(storage, &stats);
		store_enc_stats(reply, &stats);
	} else {
		outcome = storage_kv_get(storage, r->account, r->key, arena, &value);
		buf_add(reply, value);
	}
	return outcome;
}

static enum store_outcome read_call(struct storage *storage,
				    const struct store_request *request,
				    struct arena *arena, struct buf *reply, bool *misses)
{
	switch (request->call) {
	case CALL_SUMMARY:
	case CALL_MAILBOX:
	case CALL_KV_GET:
	case CALL_STATS:
		return read_small(storage, request, arena, reply);
	case CALL_MAILBOXES:
		return read_mailboxes(storage, request, arena, reply);
	case CALL_ROWS:
		return read_rows(storage, request, arena, reply);
	case CALL_CHANGES:
		return read_changes(storage, request, arena, reply);
	case CALL_BODY:
		return read_body(storage, request, reply);
	case CALL_BODIES:
		return read_bodies(storage, request, reply, misses);
	case CALL_KV_SCAN:
		return read_kv_scan(storage, request, arena, reply);
	case CALL_QUEUE_LIST:
		return read_queue(storage, request, arena, reply);
	case CALL_EXPUNGED:
		return read_expunged(storage, request, arena, reply);
	case CALL_QUEUE_COUNTS:
		return read_counts(storage, request, arena, reply);
	case CALL_SEARCH:
		return read_candidates(storage, request, arena, reply);
	case CALL_INDEX_STATE:
		return read_index_state(storage, reply);
	case CALL_ENTER:
	case CALL_LEAVE:
	case CALL_COMMIT:
	case CALL_QUEUE_LEASE:
	case CALL_LOCK:
	case CALL_UNLOCK:
	case CALL_WATCH:
	case CALL_UNWATCH:
	case CALL_WATCH_QUEUE:
	case CALL_UNWATCH_QUEUE:
	case CALL_STAGE:
	case CALL_STAGE_DROP:
	case CALL_REST:
	case CALL_VISIT:
	case CALL_VISIT_END:
	case CALL_BACKUP_BEGIN:
	case CALL_BACKUP_END:
	case CALL_INDEX_TAKE:
	case CALL_INDEX_PUT:
	case CALL_INDEX_RENEW:
	case CALL_COUNT_:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		break;
	}
	return STORE_INVALID;
}

bool serve_read(struct storage *storage, const struct store_request *request,
		struct buf *reply)
{
	struct arena arena;
	bool misses = false;

	arena_init(&arena, READ_ARENA_BYTES);
	enc_u8(reply, STORE_OK);
	enum store_outcome outcome = read_call(storage, request, &arena, reply, &misses);

	if (outcome == STORE_OK && !buf_ok(reply))
		outcome = STORE_INVALID; /* more than a reply may be */
	if (outcome != STORE_OK) {
		buf_reset(reply);
		enc_u8(reply, (uint8_t)outcome);
	}
	arena_fini(&arena);
	return misses || (request->call == CALL_BODY && outcome == STORE_ABSENT);
}
