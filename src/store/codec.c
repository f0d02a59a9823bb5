#include "store/codec.h"

#include "base/num.h"

/* ---- shared ------------------------------------------------------------------------ */

void store_enc_bounded(struct buf *buf, struct str value, size_t max)
{
	if (value.len > max)
		buf->failed = true;
	else
		enc_str(buf, value);
}

struct str store_dec_bounded(struct dec *dec, size_t max)
{
	return dec_bytes(dec, dec_var_max(dec, max));
}

void store_enc_bool(struct buf *buf, bool value)
{
	enc_u8(buf, value);
}

bool store_dec_bool(struct dec *dec)
{
	return dec_var_max(dec, 1) == 1;
}

void *store_dec_array(struct dec *dec, struct arena *arena, size_t least, size_t size,
		      size_t max, size_t *count)
{
	return store_dec_room(dec, arena, dec_var_max(dec, max), least, size, count);
}

void *store_dec_room(struct dec *dec, struct arena *arena, uint64_t claimed, size_t least,
		     size_t size, size_t *count)
{
	void *array = NULL;

	*count = 0;
	if (claimed > dec->rest.len / least)
		dec->failed = true; /* a lie: memory follows octets that are there */
	if (!dec_ok(dec) || claimed == 0)
		return NULL;
	array = arena_alloc(arena, claimed, size);
	if (!array)
		dec->failed = true;
	else
		*count = claimed;
	return array;
}

/* Each range as its distance from the end of the one before (at least 1, so order and
 * gaps cannot be wrong) and its length less one. */
void store_enc_uids(struct buf *buf, struct uid_set set, size_t max)
{
	uint32_t last = 0;

	if (set.count > max)
		buf->failed = true;
	enc_var(buf, set.count);
	for (size_t i = 0; i < set.count && buf_ok(buf); i++) {
		struct uid_range range = set.ranges[i];

		if (range.first <= last || range.last < range.first)
			buf->failed = true;
		enc_var(buf, range.first - last);
		enc_var(buf, range.last - range.first);
		last = range.last;
	}
}

struct uid_set store_dec_uids(struct dec *dec, struct arena *arena, size_t max)
{
	size_t count;
	uint64_t last = 0;
	struct uid_range *ranges =
		STORE_DEC_ARRAY(dec, arena, struct uid_range, 2, max, &count);

	for (size_t i = 0; i < count && dec_ok(dec); i++) {
		uint64_t gap = dec_var_max(dec, UINT32_MAX - last);
		uint64_t first = last + gap;

		last = first + dec_var_max(dec, UINT32_MAX - first);
		if (gap == 0)
			dec->failed = true;
		ranges[i] = (struct uid_range){(uint32_t)first, (uint32_t)last};
	}
	return dec_ok(dec) ? (struct uid_set){ranges, count} : (struct uid_set){0};
}

void store_enc_keywords(struct buf *buf, struct keywords keywords)
{
	if (keywords.count > KEYWORDS_MAX)
		buf->failed = true;
	enc_var(buf, keywords.count);
	for (size_t i = 0; i < keywords.count && buf_ok(buf); i++)
		store_enc_bounded(buf, keywords.words[i], KEYWORD_BYTES_MAX);
}

struct keywords store_dec_keywords(struct dec *dec, struct arena *arena)
{
	size_t count;
	struct str *words =
		STORE_DEC_ARRAY(dec, arena, struct str, 1, KEYWORDS_MAX, &count);

	for (size_t i = 0; i < count; i++)
		words[i] = store_dec_bounded(dec, KEYWORD_BYTES_MAX);
	return dec_ok(dec) ? (struct keywords){words, count} : (struct keywords){0};
}

/* ---- requests ---------------------------------------------------------------------- */

bool store_call_has_reply(enum store_message call)
{
	switch (call) {
	case CALL_LEAVE:
	case CALL_UNLOCK:
	case CALL_UNWATCH:
	case CALL_UNWATCH_QUEUE:
	case CALL_STAGE_DROP:
	case CALL_VISIT_END:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		return false;
	case CALL_ENTER:
	case CALL_COMMIT:
	case CALL_SUMMARY:
	case CALL_MAILBOXES:
	case CALL_MAILBOX:
	case CALL_ROWS:
	case CALL_CHANGES:
	case CALL_BODY:
	case CALL_BODIES:
	case CALL_KV_GET:
	case CALL_KV_SCAN:
	case CALL_QUEUE_LEASE:
	case CALL_QUEUE_LIST:
	case CALL_EXPUNGED:
	case CALL_QUEUE_COUNTS:
	case CALL_SEARCH:
	case CALL_INDEX_TAKE:
	case CALL_INDEX_PUT:
	case CALL_INDEX_STATE:
	case CALL_INDEX_RENEW:
	case CALL_VISIT:
	case CALL_LOCK:
	case CALL_WATCH:
	case CALL_WATCH_QUEUE:
	case CALL_STAGE:
	case CALL_REST:
	case CALL_STATS:
	case CALL_BACKUP_BEGIN:
	case CALL_BACKUP_END:
	case CALL_COUNT_:
		break;
	}
	return true;
}

static void enc_limit(struct buf *buf, size_t limit, size_t max)
{
	enc_var(buf, num_min(limit, max));
}

static void enc_rows_request(struct buf *buf, const struct store_request *r)
{
	enc_var(buf, r->rows.mailbox);
	store_enc_uids(buf, r->rows.uids, ROWS_RANGES_MAX);
	enc_u8(buf, (uint8_t)r->rows.columns);
}

static void enc_numbers(struct buf *buf, uint64_t first, uint64_t second)
{
	enc_var(buf, first);
	enc_var(buf, second);
}

static void enc_ref(struct buf *buf, const struct message_ref *ref)
{
	enc_numbers(buf, ref->message, ref->mailbox);
	enc_var(buf, ref->uid);
}

static void enc_bodies_request(struct buf *buf, const struct store_request *r)
{
	enc_limit(buf, r->bodies.count, BODIES_MAX);
	for (size_t i = 0; i < r->bodies.count; i++)
		enc_ref(buf, &r->bodies.refs[i]);
}

static void enc_body_request(struct buf *buf, const struct store_request *r)
{
	enc_ref(buf, &r->body.ref);
	enc_var(buf, r->body.offset);
	enc_limit(buf, r->body.room, BODY_PAGE_BYTES);
}

static void enc_scan(struct buf *buf, const struct store_request *r)
{
	store_enc_bounded(buf, r->scan.prefix, KV_KEY_MAX);
	store_enc_bounded(buf, r->scan.after, KV_KEY_MAX);
	enc_limit(buf, r->scan.limit, SCAN_ROWS_MAX);
}

static void enc_lease(struct buf *buf, const struct store_request *r)
{
	enc_var(buf, r->lease.kind);
	enc_u64(buf, (uint64_t)r->lease.now);
	enc_u64(buf, (uint64_t)r->lease.leased_until);
	enc_limit(buf, r->lease.limit, LEASE_ROWS_MAX);
}

static void enc_list(struct buf *buf, const struct store_request *r)
{
	enc_var(buf, r->list.after_row);
	enc_limit(buf, r->list.limit, LEASE_ROWS_MAX);
}

static void enc_listing(struct buf *buf, const struct store_request *r)
{
	const struct queue_select *s = &r->listing.select;

	enc_u8(buf, (uint8_t)s->by);
	store_enc_bounded(buf, s->id, QUEUE_ID_BYTES);
	store_enc_bounded(buf, s->sender, QUEUE_ADDRESS_MAX);
	store_enc_bounded(buf, s->domain, QUEUE_DOMAIN_BYTES);
	enc_u8(buf, (uint8_t)s->cause);
	enc_u64(buf, (uint64_t)s->received_before);
	enc_var(buf, s->account);
	store_enc_bool(buf, s->is_brief);
	store_enc_place(buf, &r->listing.place);
	enc_limit(buf, r->listing.limit, LIST_ROWS_MAX);
}

static void enc_counts(struct buf *buf, const struct store_request *r)
{
	store_enc_bounded(buf, r->counts.after, QUEUE_DOMAIN_BYTES);
	enc_limit(buf, r->counts.limit, COUNT_ROWS_MAX);
}

static void enc_stage(struct buf *buf, const struct store_request *r)
{
	enc_numbers(buf, r->stage.id, r->stage.offset);
	store_enc_bounded(buf, r->stage.bytes, BODY_PAGE_BYTES);
}

static void enc_detail(struct buf *buf, const struct store_request *r)
{
	switch (r->call) {
	case CALL_ROWS:
		return enc_rows_request(buf, r);
	case CALL_CHANGES:
		return enc_numbers(buf, r->changes.mailbox, r->changes.since);
	case CALL_BODY:
		return enc_body_request(buf, r);
	case CALL_BODIES:
		return enc_bodies_request(buf, r);
	case CALL_KV_SCAN:
		return enc_scan(buf, r);
	case CALL_QUEUE_LEASE:
		return enc_lease(buf, r);
	case CALL_QUEUE_LIST:
		return enc_listing(buf, r);
	case CALL_EXPUNGED:
		return enc_list(buf, r);
	case CALL_QUEUE_COUNTS:
		return enc_counts(buf, r);
	case CALL_STAGE:
		return enc_stage(buf, r);
	case CALL_STAGE_DROP:
		return enc_var(buf, r->stage.id);
	case CALL_SEARCH:
		return store_enc_find(buf, r);
	case CALL_INDEX_PUT:
		return store_enc_done(buf, &r->done);
	case CALL_REST:
		return enc_numbers(buf, r->rest.token, r->rest.offset);
	case CALL_ENTER:
		return store_enc_bounded(buf, r->grant, GRANT_BYTES_MAX);
	case CALL_MAILBOX:
		return enc_var(buf, r->mailbox);
	case CALL_KV_GET:
		return store_enc_bounded(buf, r->key, KV_KEY_MAX);
	case CALL_LOCK:
	case CALL_UNLOCK:
		return store_enc_bounded(buf, r->name, LOCK_NAME_MAX);
	case CALL_WATCH_QUEUE:
	case CALL_UNWATCH_QUEUE:
		return enc_var(buf, r->queue);
	case CALL_VISIT:
	case CALL_VISIT_END:
		return enc_numbers(buf, r->visit.owner, r->visit.number);
	case CALL_LEAVE:
	case CALL_SUMMARY:
	case CALL_MAILBOXES:
	case CALL_WATCH:
	case CALL_UNWATCH:
	case CALL_STATS:
	case CALL_BACKUP_BEGIN:
	case CALL_BACKUP_END:
	case CALL_INDEX_TAKE:
	case CALL_INDEX_STATE:
	case CALL_INDEX_RENEW:
		return;
	case CALL_COMMIT: /* store_enc_commit() */
	case CALL_COUNT_:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		panic_at("no such request", __FILE__, __LINE__);
	}
}

void store_enc_request(struct buf *buf, const struct store_request *request)
{
	enc_var(buf, request->account);
	enc_detail(buf, request);
}

static void dec_rows_request(struct dec *dec, struct arena *arena,
			     struct store_request *r)
{
	r->rows.mailbox = dec_var(dec);
	r->rows.uids = store_dec_uids(dec, arena, ROWS_RANGES_MAX);
	r->rows.columns = dec_u8(dec);
	if (r->rows.uids.count == 0 ||
	    (r->rows.columns &
	     ~(unsigned)(ROW_KEYWORDS | ROW_MESSAGE | ROW_DIGEST | ROW_HASH | ROW_THREAD |
			 ROW_KEYS | ROW_MODSEQ)) != 0)
		dec->failed = true;
}

static void dec_lease_request(struct dec *dec, struct store_request *r)
{
	r->lease.kind = (enum queue_kind)dec_var_max(dec, QUEUE_REMOTE);
	r->lease.now = (int64_t)dec_u64(dec);
	r->lease.leased_until = (int64_t)dec_u64(dec);
	r->lease.limit = dec_var_max(dec, LEASE_ROWS_MAX);
}

static void dec_listing(struct dec *dec, struct store_request *r)
{
	struct queue_select *s = &r->listing.select;

	s->by = dec_u8(dec);
	s->id = store_dec_bounded(dec, QUEUE_ID_BYTES);
	s->sender = store_dec_bounded(dec, QUEUE_ADDRESS_MAX);
	s->domain = store_dec_bounded(dec, QUEUE_DOMAIN_BYTES);
	s->cause = (enum queue_cause)dec_var_max(dec, CAUSES - 1);
	s->received_before = (int64_t)dec_u64(dec);
	s->account = (account_t)dec_var_max(dec, UINT32_MAX);
	s->is_brief = store_dec_bool(dec);
	r->listing.place = store_dec_place(dec);
	r->listing.limit = dec_var_max(dec, LIST_ROWS_MAX);
}

static void dec_counts(struct dec *dec, struct store_request *r)
{
	r->counts.after = store_dec_bounded(dec, QUEUE_DOMAIN_BYTES);
	r->counts.limit = dec_var_max(dec, COUNT_ROWS_MAX);
}

static void dec_list(struct dec *dec, struct store_request *r)
{
	r->list.after_row = dec_var(dec);
	r->list.limit = dec_var_max(dec, LEASE_ROWS_MAX);
}

static void dec_stage(struct dec *dec, struct store_request *r)
{
	r->stage.id = dec_var(dec);
	if (r->stage.id == 0)
		dec->failed = true;
	if (r->call == CALL_STAGE_DROP)
		return;
	r->stage.offset = dec_var_max(dec, STORE_BODY_BYTES_MAX);
	r->stage.bytes = store_dec_bounded(dec, BODY_PAGE_BYTES);
}

/* codec_commit.c */
void store_dec_commit(struct dec *dec, struct arena *arena, struct store_commit *commit);

static void dec_scan(struct dec *dec, struct store_request *r)
{
	r->scan.prefix = store_dec_bounded(dec, KV_KEY_MAX);
	r->scan.after = store_dec_bounded(dec, KV_KEY_MAX);
	r->scan.limit = dec_var_max(dec, SCAN_ROWS_MAX);
}

static void dec_ref(struct dec *dec, struct message_ref *ref)
{
	ref->message = dec_var(dec);
	ref->mailbox = dec_var(dec);
	ref->uid = (uint32_t)dec_var_max(dec, UINT32_MAX);
}

static void dec_visit(struct dec *dec, struct store_request *r)
{
	r->visit.owner = (account_t)dec_var_max(dec, ACCOUNT_VISITS - 1);
	r->visit.number = (account_t)dec_var_max(dec, UINT32_MAX);
	if (r->visit.number < ACCOUNT_VISITS || r->account >= ACCOUNT_VISITS)
		dec->failed = true;
}

static void dec_body(struct dec *dec, struct store_request *r)
{
	dec_ref(dec, &r->body.ref);
	r->body.offset = dec_var_max(dec, STORE_BODY_BYTES_MAX);
	r->body.room = dec_var_max(dec, BODY_PAGE_BYTES);
}

static void dec_bodies(struct dec *dec, struct arena *arena, struct store_request *r)
{
	struct message_ref *refs = STORE_DEC_ARRAY(dec, arena, struct message_ref, 3,
						   BODIES_MAX, &r->bodies.count);

	for (size_t i = 0; i < r->bodies.count; i++)
		dec_ref(dec, &refs[i]);
	r->bodies.refs = refs;
}

static void dec_numbers(struct dec *dec, uint64_t *first, uint64_t *second)
{
	*first = dec_var(dec);
	*second = dec_var(dec);
}

static void dec_text(struct dec *dec, struct store_request *r)
{
	if (r->call == CALL_ENTER)
		r->grant = store_dec_bounded(dec, GRANT_BYTES_MAX);
	else if (r->call == CALL_KV_GET)
		r->key = store_dec_bounded(dec, KV_KEY_MAX);
	else
		r->name = store_dec_bounded(dec, LOCK_NAME_MAX);
}

static void dec_detail(struct dec *dec, struct arena *arena, struct store_request *r)
{
	switch (r->call) {
	case CALL_COMMIT:
		r->commit.account = r->account;
		return store_dec_commit(dec, arena, &r->commit);
	case CALL_ROWS:
		return dec_rows_request(dec, arena, r);
	case CALL_CHANGES:
		return dec_numbers(dec, &r->changes.mailbox, &r->changes.since);
	case CALL_BODY:
		return dec_body(dec, r);
	case CALL_BODIES:
		return dec_bodies(dec, arena, r);
	case CALL_KV_SCAN:
		return dec_scan(dec, r);
	case CALL_QUEUE_LEASE:
		return dec_lease_request(dec, r);
	case CALL_QUEUE_LIST:
		return dec_listing(dec, r);
	case CALL_EXPUNGED:
		return dec_list(dec, r);
	case CALL_QUEUE_COUNTS:
		return dec_counts(dec, r);
	case CALL_VISIT:
	case CALL_VISIT_END:
		return dec_visit(dec, r);
	case CALL_STAGE:
	case CALL_STAGE_DROP:
		return dec_stage(dec, r);
	case CALL_SEARCH:
		return store_dec_find(dec, r);
	case CALL_INDEX_PUT:
		return store_dec_done(dec, arena, &r->done);
	case CALL_REST:
		return dec_numbers(dec, &r->rest.token, &r->rest.offset);
	case CALL_ENTER:
	case CALL_KV_GET:
	case CALL_LOCK:
	case CALL_UNLOCK:
		return dec_text(dec, r);
	case CALL_MAILBOX:
		r->mailbox = dec_var(dec);
		break;
	case CALL_WATCH_QUEUE:
	case CALL_UNWATCH_QUEUE:
		r->queue = (enum queue_kind)dec_var_max(dec, QUEUE_REMOTE);
		break;
	case CALL_LEAVE:
	case CALL_SUMMARY:
	case CALL_MAILBOXES:
	case CALL_WATCH:
	case CALL_UNWATCH:
	case CALL_STATS:
	case CALL_BACKUP_BEGIN:
	case CALL_BACKUP_END:
	case CALL_INDEX_TAKE:
	case CALL_INDEX_STATE:
	case CALL_INDEX_RENEW:
		break;
	case CALL_COUNT_:
	case EVENT_CHANGED:
	case EVENT_ENDED:
	case REPLY_WHOLE:
	case REPLY_PART:
		dec->failed = true;
	}
}

bool store_dec_request(uint16_t type, struct str body, struct arena *arena,
		       struct store_request *request)
{
	struct dec dec = dec_over(body);

	*request = (struct store_request){.fd = -1};
	if (type < CALL_ENTER || type >= CALL_COUNT_)
		return false;
	request->call = (enum store_message)type;
	request->account = (account_t)dec_var_max(&dec, UINT32_MAX);
	dec_detail(&dec, arena, request);
	return dec_done(&dec);
}

/* ---- events ------------------------------------------------------------------------ */

void store_enc_event(struct buf *buf, const struct store_event *event)
{
	ASSERT(event->count <= EVENT_ACCOUNTS_MAX);
	enc_u8(buf, (uint8_t)event->queues);
	enc_var(buf, event->count);
	for (size_t i = 0; i < event->count; i++)
		enc_var(buf, event->accounts[i]);
}

bool store_dec_event(struct str body, struct arena *arena, struct store_event *event)
{
	struct dec dec = dec_over(body);
	account_t *accounts;

	event->queues = dec_u8(&dec);
	accounts = STORE_DEC_ARRAY(&dec, arena, account_t, 1, EVENT_ACCOUNTS_MAX,
				   &event->count);
	for (size_t i = 0; i < event->count; i++)
		accounts[i] = (account_t)dec_var_max(&dec, UINT32_MAX);
	event->accounts = accounts;
	return dec_done(&dec);
}

void store_enc_ended(struct buf *buf, const struct store_ended *ended)
{
	enc_var(buf, ended->account);
	enc_var(buf, ended->generation);
}

bool store_dec_ended(struct str body, struct store_ended *ended)
{
	struct dec dec = dec_over(body);

	ended->account = (account_t)dec_var_max(&dec, UINT32_MAX);
	ended->generation = (uint32_t)dec_var_max(&dec, UINT32_MAX);
	return dec_done(&dec);
}
