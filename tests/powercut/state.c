#include "powercut/state.h"

#include "base/hash.h"
#include "storage/embedded.h"

enum {
	PACK_BYTES_MAX = 150000, /* so that many packs are begun, and become sparse */
	BODY_BYTES_MAX = 1 << 20,
	ROWS_MAX = 2000,
	CHANGES_SEEN = 40, /* back from the last one */
};

bool state_open(const char *folder, struct arena *arena, struct storage **storage,
		struct str *why)
{
	struct storage_options options = {.folder = folder,
					  .pack_bytes_max = PACK_BYTES_MAX,
					  .copy_bytes_a_second = UINT64_MAX,
					  .index_bytes_max = (uint64_t)1 << 30};

	return storage_open(&options, arena, storage, why) == OK;
}

/* ---- pieces of a hash -------------------------------------------------------------- */

struct sum {
	uint64_t hash;
};

static void sum_bytes(struct sum *sum, struct str bytes)
{
	struct hash_key key = {{sum->hash, bytes.len}};

	sum->hash = siphash(key, bytes);
}

#define SUM(sum, ...)                                                                    \
	do {                                                                             \
		const uint64_t numbers[] = {__VA_ARGS__};                                \
		sum_bytes(sum, (struct str){(const char *)numbers, sizeof numbers});     \
	} while (0)

/* ---- an account -------------------------------------------------------------------- */

struct reading {
	struct storage *storage;
	account_t account;
	struct arena *arena;
	struct sum sum;
	uint64_t messages, bytes;
};

static const char *read_row(struct reading *r, const struct message_row *row)
{
	struct buf frame = BUF(BODY_BYTES_MAX);
	uint64_t frame_size, raw_size;
	enum store_outcome outcome =
		storage_frame(r->storage, r->account, row->message, 0, BODY_BYTES_MAX,
			      &frame, &frame_size, &raw_size);
	bool is_whole = outcome == STORE_OK && frame.len == frame_size;

	SUM(&r->sum, row->uid, row->flags, row->modseq, row->member, row->message,
	    (uint64_t)row->received_at, (uint64_t)row->received_zone, row->size,
	    raw_size);
	for (size_t i = 0; i < row->keywords.count; i++)
		sum_bytes(&r->sum, row->keywords.words[i]);
	sum_bytes(&r->sum, row->trace);
	sum_bytes(&r->sum, row->digest);
	sum_bytes(&r->sum, buf_str(&frame));
	buf_fini(&frame);
	if (!is_whole)
		return "a body cannot be read";
	return row->size == row->trace.len + raw_size ? NULL : "a size is wrong";
}

static const char *read_mailbox(struct reading *r, const struct mailbox_row *mailbox)
{
	uint32_t next = 1, exists = 0, unseen = 0, deleted = 0, recent = 0;
	uint64_t bytes = 0;
	const char *why = NULL;

	SUM(&r->sum, mailbox->id, mailbox->parent, mailbox->role, mailbox->is_container,
	    mailbox->is_subscribed, mailbox->uid_validity, mailbox->uid_next,
	    mailbox->modseq, mailbox->recent_from);
	sum_bytes(&r->sum, mailbox->name);
	while (next != 0 && !why) {
		struct message_row *rows;
		size_t count;

		if (storage_rows(r->storage, r->account, mailbox->id,
				 (struct uid_range){next, UINT32_MAX},
				 ROW_KEYWORDS | ROW_MESSAGE | ROW_DIGEST, r->arena, &rows,
				 &count, &next) != STORE_OK)
			return "rows cannot be read";
		for (size_t i = 0; i < count && !why; i++) {
			why = read_row(r, &rows[i]);
			exists++;
			unseen += !(rows[i].flags & FLAG_SEEN);
			deleted += (rows[i].flags & FLAG_DELETED) != 0;
			recent += rows[i].uid >= mailbox->recent_from;
			bytes += rows[i].size;
			if (rows[i].uid >= mailbox->uid_next)
				why = "a UID is not below UIDNEXT";
		}
	}
	r->messages += exists;
	r->bytes += bytes;
	if (why)
		return why;
	if (mailbox->exists != exists || mailbox->unseen != unseen ||
	    mailbox->deleted != deleted || mailbox->recent != recent ||
	    mailbox->bytes != bytes)
		return "a mailbox's counters differ from its rows";
	return NULL;
}

static const char *read_mailboxes(struct reading *r)
{
	struct mailbox_row *mailboxes;
	size_t count;
	const char *why = NULL;

	if (storage_mailboxes(r->storage, r->account, r->arena, &mailboxes, &count) !=
	    STORE_OK)
		return "mailboxes cannot be read";
	for (size_t i = 0; i < count && !why; i++)
		why = read_mailbox(r, &mailboxes[i]);
	return why;
}

static const char *read_changes(struct reading *r, uint64_t last)
{
	struct change_row *rows;
	size_t count;
	uint64_t upto, since = last > CHANGES_SEEN ? last - CHANGES_SEEN : 0;
	bool more;

	if (storage_changes(r->storage, r->account, 0, since, r->arena, &rows, &count,
			    &upto, &more) != STORE_OK)
		return "changes cannot be read";
	for (size_t i = 0; i < count; i++) {
		SUM(&r->sum, rows[i].change, rows[i].kind, rows[i].mailbox,
		    rows[i].uids.first, rows[i].uids.last);
		sum_bytes(&r->sum, rows[i].entry);
	}
	return NULL;
}

/* What can be brought back.  What was in a mailbox that is gone comes there only with
 * housekeeping, and so at any time. */
static const char *read_expunged(struct reading *r)
{
	struct undelete_row *rows;
	size_t count;
	uint64_t after = 0;

	do {
		if (storage_expunged(r->storage, r->account, after, EXPUNGED_PAGE_MAX,
				     r->arena, &rows, &count) != STORE_OK)
			return "what was expunged cannot be read";
		for (size_t i = 0; i < count; i++) {
			const struct undelete_row *row = &rows[i];
			struct mailbox_row mailbox;

			after = row->member;
			if (storage_mailbox(r->storage, r->account, row->mailbox,
					    r->arena, &mailbox) == STORE_ABSENT)
				continue;
			SUM(&r->sum, row->member, row->message, row->mailbox, row->uid,
			    row->flags, (uint64_t)row->received_at, row->size);
			sum_bytes(&r->sum, row->digest);
		}
	} while (count > 0);
	return NULL;
}

static const char *read_pairs(struct reading *r)
{
	struct kv_row *rows;
	size_t count;

	if (storage_kv_scan(r->storage, r->account, STR(""), STR(""), ROWS_MAX, r->arena,
			    &rows, &count) != STORE_OK)
		return "pairs cannot be read";
	for (size_t i = 0; i < count; i++) {
		sum_bytes(&r->sum, rows[i].key);
		sum_bytes(&r->sum, rows[i].value);
	}
	return NULL;
}

static void sum_queue_row(struct sum *sum, const struct queue_row *row)
{
	SUM(sum, row->row, row->message, row->tries, row->size, row->ret, row->body_kind,
	    row->recipient.kind, row->recipient.account, (uint64_t)row->received_at,
	    row->priority, row->is_given_up, (uint64_t)row->held_until, row->cause,
	    row->told);
	sum_bytes(sum, row->id);
	sum_bytes(sum, row->sender);
	sum_bytes(sum, row->reason);
	sum_bytes(sum, row->host);
	sum_bytes(sum, row->route);
	sum_bytes(sum, row->recipient.address);
}

static const char *read_queue(struct reading *r)
{
	struct queue_select select = {.by = BY_ACCOUNT, .account = r->account};
	struct queue_place place = {0};

	while (!place.is_end) {
		struct queue_row *rows;
		size_t count;

		if (storage_queue_list(r->storage, &select, &place, ROWS_MAX, r->arena,
				       &rows, &count) != STORE_OK)
			return "the queue cannot be read";
		for (size_t i = 0; i < count; i++)
			sum_queue_row(&r->sum, &rows[i]);
	}
	return NULL;
}

const char *picture(struct storage *storage, account_t account, struct arena *arena,
		    struct account_state *state)
{
	struct reading r = {.storage = storage, .account = account, .arena = arena};
	struct account_row row;
	struct reader reader;
	enum store_outcome outcome = reader_begin(&reader, storage);

	*state = (struct account_state){0};
	if (outcome == STORE_OK)
		outcome = reader_account(&reader, account, &row);
	reader_end(&reader);
	if (outcome != STORE_OK)
		return outcome == STORE_ABSENT ? NULL : "an account cannot be read";
	SUM(&r.sum, row.next, row.change, row.uid_validity, row.mailboxes, row.messages,
	    row.bytes, row.messages_max, row.bytes_max);
	const char *why = account == ACCOUNT_SYSTEM ? NULL : read_mailboxes(&r);

	if (!why && account != ACCOUNT_SYSTEM)
		why = read_changes(&r, row.change);
	if (!why && account != ACCOUNT_SYSTEM)
		why = read_expunged(&r);
	if (!why)
		why = read_pairs(&r);
	if (!why)
		why = read_queue(&r);
	if (!why && (row.messages != r.messages || row.bytes != r.bytes))
		why = "an account's sums differ from its rows";
	*state = (struct account_state){.hash = r.sum.hash, .next = row.next};
	return why;
}

const char *picture_all(struct storage *storage, struct arena *arena,
			struct account_state states[ACCOUNTS + 1])
{
	const char *why = NULL;

	for (account_t account = 0; account <= ACCOUNTS && !why; account++)
		why = picture(storage, account, arena, &states[account]);
	return why;
}

/* Only they come again with their key. */
static unsigned remembered_ops(const struct store_commit *commit)
{
	unsigned bits = 0;

	for (size_t i = 0; i < commit->count; i++) {
		enum store_op_kind kind = commit->ops[i].kind;

		if (kind == OP_APPEND || kind == OP_QUEUE_ADD ||
		    kind == OP_QUEUE_CHANGE || kind == OP_MAILBOX_CREATE ||
		    kind == OP_ACCOUNT_CREATE)
			bits |= 1U << i;
	}
	return bits;
}

void promised_read(struct promised *promised, const struct store_result *result)
{
	promised->change = result->change;
	for (size_t i = 0; i < result->count; i++) {
		if (!(promised->ops >> i & 1))
			continue;
		promised->mailbox += result->ops[i].mailbox;
		promised->uid_validity += result->ops[i].uid_validity;
		promised->uid += result->ops[i].uid;
		promised->message += result->ops[i].message;
		promised->row += result->ops[i].row;
	}
}

void promised_make(struct promised *promised, const struct store_commit *commit,
		   const struct store_result *result)
{
	ASSERT(commit->key.len < NOTE_KEY_MAX);
	*promised = (struct promised){.account = commit->account,
				      .minute = commit->key_minute,
				      .ops = remembered_ops(commit)};
	memcpy(promised->key, commit->key.ptr, commit->key.len);
	promised_read(promised, result);
}
