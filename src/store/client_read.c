/* The calls that read rows. */
#include "store/client.h"

#include "base/num.h"

enum store_outcome store_summary(struct store *store, account_t account,
				 struct account_summary *summary)
{
	struct store_request request = {.call = CALL_SUMMARY, .account = account};
	struct talk talk;
	bool is_decoded = talk_read_begin(&talk, store, &request) &&
			  store_dec_summary(&talk.dec, summary);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_mailboxes(struct store *store, account_t account,
				   struct arena *arena, struct mailbox_row **rows,
				   size_t *count)
{
	struct store_request request = {.call = CALL_MAILBOXES, .account = account};
	struct talk talk;
	bool is_decoded =
		talk_read_begin(&talk, store, &request) &&
		store_dec_mailboxes(talk_kept(&talk, arena), arena, rows, count);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_mailbox(struct store *store, account_t account, uint64_t mailbox,
				 struct arena *arena, struct mailbox_row *row)
{
	struct store_request request = {.call = CALL_MAILBOX, .account = account};
	struct talk talk;

	request.mailbox = mailbox;
	bool is_decoded = talk_read_begin(&talk, store, &request) &&
			  store_dec_mailbox(talk_kept(&talk, arena), row);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_rows_among(struct store *store, account_t account,
				    uint64_t mailbox, struct uid_set uids,
				    unsigned columns, struct arena *arena,
				    struct message_row **rows, size_t *count,
				    uint32_t *next_uid)
{
	struct store_request request = {.call = CALL_ROWS, .account = account};
	struct talk talk;

	request.rows.mailbox = mailbox;
	request.rows.uids = uids;
	request.rows.columns = columns;
	bool is_decoded =
		talk_read_begin(&talk, store, &request) &&
		store_dec_rows(talk_kept(&talk, arena), arena, rows, count, next_uid);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_changes(struct store *store, account_t account, uint64_t mailbox,
				 uint64_t since, struct arena *arena,
				 struct change_row **rows, size_t *count, uint64_t *upto,
				 bool *more)
{
	struct store_request request = {.call = CALL_CHANGES, .account = account};
	struct talk talk;

	request.changes.mailbox = mailbox;
	request.changes.since = since;
	bool is_decoded = talk_read_begin(&talk, store, &request) &&
			  store_dec_changes(&talk.dec, arena, rows, count, upto, more);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_kv_get(struct store *store, account_t account, struct str key,
				struct arena *arena, struct str *value)
{
	struct store_request request = {.call = CALL_KV_GET, .account = account};
	struct talk talk;

	request.key = key;
	bool is_decoded = talk_read_begin(&talk, store, &request) &&
			  dec_ok(talk_kept(&talk, arena));

	if (is_decoded)
		*value = talk.dec.rest;
	return talk_read_end(&talk, is_decoded);
}

/* ---- the queue, figures ------------------------------------------------------------ */

enum store_outcome store_queue_lease(struct store *store, enum queue_kind kind,
				     int64_t now, int64_t leased_until, size_t limit,
				     struct arena *arena, struct queue_row **rows,
				     size_t *count, int64_t *next_due)
{
	struct store_request request = {.call = CALL_QUEUE_LEASE};
	struct talk talk;

	request.lease.kind = kind;
	request.lease.now = now;
	request.lease.leased_until = leased_until;
	request.lease.limit = limit;
	bool is_decoded = false;

	if (talk_read_begin(&talk, store, &request)) {
		struct dec *dec = talk_kept(&talk, arena);

		*next_due = (int64_t)dec_u64(dec);
		is_decoded = store_dec_queue_rows(dec, arena, rows, count);
	}
	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_queue_list(struct store *store,
				    const struct queue_select *select,
				    struct queue_place *place, size_t limit,
				    struct arena *arena, struct queue_row **rows,
				    size_t *count)
{
	struct store_request request = {.call = CALL_QUEUE_LIST};
	struct talk talk;

	request.listing.select = *select;
	request.listing.place = *place;
	request.listing.limit = limit;
	bool is_decoded = false;

	*count = 0;
	if (talk_read_begin(&talk, store, &request)) {
		struct dec *dec = talk_kept(&talk, arena);

		*place = store_dec_place(dec);
		is_decoded = store_dec_queue_rows(dec, arena, rows, count);
	}
	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_queue_counts(struct store *store, struct str after, size_t limit,
				      struct arena *arena, struct queue_count *all,
				      struct queue_domain **domains, size_t *count)
{
	struct store_request request = {.call = CALL_QUEUE_COUNTS};
	struct talk talk;

	request.counts.after = after;
	request.counts.limit = limit;
	*count = 0;
	bool is_decoded =
		talk_read_begin(&talk, store, &request) &&
		store_dec_counts(talk_kept(&talk, arena), arena, all, domains, count);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_expunged(struct store *store, account_t account, uint64_t after,
				  struct arena *arena, struct undelete_row **rows,
				  size_t *count)
{
	struct store_request request = {.call = CALL_EXPUNGED, .account = account};
	struct talk talk;

	request.list.after_row = after;
	request.list.limit = EXPUNGED_PAGE_MAX;
	bool is_decoded =
		talk_read_begin(&talk, store, &request) &&
		store_dec_undelete_rows(talk_kept(&talk, arena), arena, rows, count);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_stats(struct store *store, struct store_stats *stats)
{
	struct store_request request = {.call = CALL_STATS};
	struct talk talk;
	bool is_decoded = talk_read_begin(&talk, store, &request) &&
			  store_dec_stats(&talk.dec, stats);

	return talk_read_end(&talk, is_decoded);
}

/* Not repeated on another channel: what it asks for ends with its own. */
enum store_outcome store_backup_begin(struct store *store, int index_fd,
				      struct arena *arena, struct store_extent *extent)
{
	struct store_request request = {.call = CALL_BACKUP_BEGIN};
	struct talk talk;

	talk_begin(&talk, store, TALK_READ);
	talk.fd = index_fd;
	if (talk_again(&talk)) {
		talk.deadline = NEVER;
		store_enc_request(&talk.request, &request);
		talk_exchange(&talk, CALL_BACKUP_BEGIN);
	}
	if (!talk.is_over)
		talk_finish(&talk, STORE_UNAVAILABLE);
	bool is_decoded =
		talk.outcome == STORE_OK && store_dec_extent(&talk.dec, arena, extent);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_backup_end(struct store *store)
{
	struct store_request request = {.call = CALL_BACKUP_END};
	struct talk talk;

	talk_begin(&talk, store, TALK_READ);
	store_enc_request(&talk.request, &request);
	talk_exchange(&talk, CALL_BACKUP_END);
	if (!talk.is_over)
		talk_finish(&talk, STORE_ABSENT); /* it ended with its channel */
	return talk_read_end(&talk, true);
}

/* ---- scans, which come in portions ------------------------------------------------- */

static enum store_outcome scan_portion(struct store *store, struct store_request *request,
				       struct arena *arena, struct kv_row **rows,
				       size_t *count)
{
	struct talk talk;
	bool is_decoded = talk_read_begin(&talk, store, request) &&
			  store_dec_kv_rows(talk_kept(&talk, arena), arena, rows, count);

	return talk_read_end(&talk, is_decoded);
}

enum store_outcome store_kv_scan(struct store *store, account_t account,
				 struct str prefix, struct str after, size_t limit,
				 struct arena *arena, struct kv_row **rows, size_t *count)
{
	struct store_request request = {.call = CALL_KV_SCAN, .account = account};
	size_t room = 0;

	request.scan.prefix = prefix;
	request.scan.after = after;
	*rows = NULL;
	*count = 0;
	while (*count < limit) {
		struct kv_row *more;
		size_t more_count;

		request.scan.limit = num_min(limit - *count, SCAN_ROWS_MAX);
		enum store_outcome outcome =
			scan_portion(store, &request, arena, &more, &more_count);

		if (outcome != STORE_OK)
			return outcome;
		if (*count + more_count > room) { /* doubles: copying stays linear */
			room = num_max(2 * room, *count + more_count);
			struct kv_row *all = ARENA_ARRAY(arena, struct kv_row, room);

			if (!all)
				return STORE_INVALID;
			if (*count > 0)
				memcpy(all, *rows, *count * sizeof *all);
			*rows = all;
		}
		if (more_count > 0)
			memcpy(*rows + *count, more, more_count * sizeof *more);
		*count += more_count;
		if (more_count < request.scan.limit)
			break;
		request.scan.after = (*rows)[*count - 1].key;
	}
	return STORE_OK;
}
