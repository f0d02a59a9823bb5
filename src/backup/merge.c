/* Bringing messages of a backup back into the store that runs. */
#include <stdlib.h>

#include "backup/parts.h"
#include "base/mem.h"
#include "directory/name.h"
#include "directory/record.h"
#include "rt/offload.h"
#include "storage/storage.h"
#include "store/codec.h"
#include "store/digest.h"
#include "store/store.h"
#include "wire/mail/message_id.h"

enum {
	BATCH_MAX = 100,
	BATCH_BYTES = 128 * 1024,
	PAGE_BYTES_MAX = 64 << 20,
	PATH_BYTES_MAX = 8192,
};
#define RESTORE_LOCK STR("restore")

struct merging {
	struct backup *backup;
	const struct manifest *manifest;
	const struct backup_wanted *wanted;
	struct store *store;
	account_t from, to; /* in the backup; in the store */
	struct backup_brought *brought;
	struct view view;
	err_t err;                         /* of the thread that opens it */
	struct mailbox_row *theirs, *ours; /* of the backup; of the store at the start */
	size_t their_count, our_count;
	uint64_t *made; /* for each of theirs: ours, 0 if it is not known yet */
	uint64_t id_hash;
	/* What the mailbox of the store holds, sorted. */
	struct backup_hash *there;
	size_t there_count, there_room;
	/* Messages on their way. */
	struct store_op *ops;
	struct buf *frames;
	size_t op_count, op_bytes;
};

static err_t failed(struct merging *m, const char *what, enum store_outcome outcome)
{
	return backup_say(m->backup, ERR_IO, "%s: %s.", what,
			  store_outcome_text(outcome));
}

/* ---- whose ------------------------------------------------------------------------- */

static err_t find_account(struct merging *m)
{
	struct arena *arena = &m->backup->arena;
	struct str address = m->wanted->address, local, domain, key, value;
	struct directory_entry entry;

	name_split(address, &local, &domain);
	if (name_local(local, arena, &local) && name_domain(domain, arena, &domain)) {
		key = record_address_key(arena, local, domain);
		if (storage_kv_get(m->view.storage, ACCOUNT_SYSTEM, key, arena, &value) ==
			    STORE_OK &&
		    record_address(value, arena, &entry) == DIRECTORY_ACCOUNT) {
			m->from = entry.account;
			return OK;
		}
	}
	return backup_say(m->backup, ERR_ABSENT,
			  "There was no account %.*s when backup %.*s was made.",
			  STR_FMT(address), STR_FMT(m->manifest->id));
}

/* ---- mailboxes --------------------------------------------------------------------- */

static size_t their_parent(const struct merging *m, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (m->theirs[i].id == m->theirs[at].parent)
			return i;
	return m->their_count;
}

/* "Work/2026". */
static void path_add(const struct merging *m, size_t at, struct buf *path)
{
	size_t parent = their_parent(m, at);

	if (m->theirs[at].parent != 0 && parent < at) {
		path_add(m, parent, path);
		buf_add_byte(path, '/');
	}
	buf_add(path, m->theirs[at].name);
}

static bool is_wanted_mailbox(const struct merging *m, size_t at)
{
	SCOPED(buf_fini) struct buf path = BUF(PATH_BYTES_MAX);
	struct str wanted = m->wanted->mailbox;

	if (wanted.len == 0)
		return true;
	path_add(m, at, &path);
	/* RFC 9051 §5.1: INBOX is the one name without case. */
	return str_same(buf_str(&path), wanted) ||
	       (m->theirs[at].id == MAILBOX_INBOX &&
		str_same_nocase(wanted, STR("INBOX")));
}

static bool is_role_free(const struct merging *m, enum mailbox_role role)
{
	for (size_t i = 0; i < m->our_count; i++)
		if (m->ours[i].role == role)
			return false;
	return true;
}

static err_t mailbox_make(struct merging *m, size_t at, uint64_t parent)
{
	const struct mailbox_row *row = &m->theirs[at];
	struct store_op op = {.kind = OP_MAILBOX_CREATE};
	struct store_commit commit = {.account = m->to, .ops = &op, .count = 1};
	struct store_result result;

	op.mailbox = (struct op_mailbox){.parent = parent,
					 .name = row->name,
					 .role = is_role_free(m, row->role) ? row->role
									    : ROLE_NONE,
					 .is_container = row->is_container,
					 .is_subscribed = row->is_subscribed};
	enum store_outcome outcome =
		store_commit(m->store, &commit, &m->backup->arena, &result);

	if (outcome != STORE_OK || result.count != 1)
		return failed(m, "A mailbox cannot be made", outcome);
	m->made[at] = result.ops[0].mailbox;
	m->brought->mailboxes++;
	return OK;
}

/* Ours of the same name in the same place; 0 if there is none. */
static uint64_t our_mailbox(const struct merging *m, uint64_t parent, struct str name)
{
	for (size_t i = 0; i < m->our_count; i++)
		if (m->ours[i].parent == parent && str_same(m->ours[i].name, name))
			return m->ours[i].id;
	return 0;
}

/* m->made[at], found, or made if that is wished; it stays 0 otherwise. */
static err_t mailbox_find(struct merging *m, size_t at, bool is_to_be_made)
{
	const struct mailbox_row *row = &m->theirs[at];
	uint64_t parent = 0;

	if (m->made[at] != 0)
		return OK;
	if (row->id == MAILBOX_INBOX) {
		m->made[at] = MAILBOX_INBOX;
		return OK;
	}
	if (row->parent != 0) {
		size_t above = their_parent(m, at);

		if (above >= at)
			return backup_say(m->backup, ERR_SYNTAX,
					  "A mailbox of the backup is in none.");
		TRY(mailbox_find(m, above, is_to_be_made));
		parent = m->made[above];
		if (parent == 0)
			return OK;
	}
	m->made[at] = our_mailbox(m, parent, row->name);
	if (m->made[at] != 0 || !is_to_be_made)
		return OK;
	return mailbox_make(m, at, parent);
}

/* ---- what is there already --------------------------------------------------------- */

static struct backup_hash identity(const struct message_row *row)
{
	SCOPED(buf_fini) struct buf bytes = BUF(TRACE_BYTES_MAX + 100);
	struct backup_hash hash;

	enc_u64(&bytes, (uint64_t)row->received_at);
	enc_u64(&bytes, row->size);
	buf_add(&bytes, (struct str){(const char *)row->hash, ROW_HASH_BYTES});
	buf_add(&bytes, row->trace);
	copy_hash(buf_str(&bytes), &hash);
	return hash;
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, BACKUP_HASH_BYTES);
}

static err_t there_read(struct merging *m, uint64_t mailbox)
{
	struct uid_range uids = {1, UINT32_MAX};
	enum store_outcome outcome = STORE_OK;
	struct arena arena;

	m->there_count = 0;
	arena_init(&arena, PAGE_BYTES_MAX);
	while (mailbox != 0 && outcome == STORE_OK && uids.first != 0) {
		struct message_row *rows;
		size_t count = 0;

		arena_reset(&arena);
		outcome =
			store_rows(m->store, m->to, mailbox, uids, ROW_MESSAGE | ROW_HASH,
				   &arena, &rows, &count, &uids.first);
		for (size_t i = 0; outcome == STORE_OK && i < count; i++) {
			MEM_ROOM(m->there, m->there_count, m->there_room);
			m->there[m->there_count++] = identity(&rows[i]);
		}
	}
	arena_fini(&arena);
	if (m->there_count > 0)
		qsort(m->there, m->there_count, sizeof *m->there, by_hash);
	return outcome == STORE_OK ? OK : failed(m, "A mailbox cannot be read", outcome);
}

static bool is_there(const struct merging *m, const struct message_row *row)
{
	struct backup_hash hash = identity(row);

	return m->there_count > 0 &&
	       bsearch(&hash, m->there, m->there_count, sizeof *m->there, by_hash);
}

/* ---- messages ---------------------------------------------------------------------- */

static bool is_wanted(const struct merging *m, const struct message_row *row)
{
	const struct backup_wanted *wanted = m->wanted;
	struct digest digest;

	if (row->received_at < wanted->since ||
	    (wanted->before != 0 && row->received_at >= wanted->before))
		return false;
	return m->id_hash == 0 || (digest_read_keys(row->digest, &digest) &&
				   digest.message_id == m->id_hash);
}

static err_t batch_send(struct merging *m)
{
	struct store_commit commit = {
		.account = m->to, .ops = m->ops, .count = m->op_count};

	if (m->op_count == 0)
		return OK;
	enum store_outcome outcome =
		store_commit(m->store, &commit, &m->backup->arena, NULL);

	if (outcome != STORE_OK)
		return failed(m, "The store does not take a message", outcome);
	m->brought->brought += m->op_count;
	m->op_count = m->op_bytes = 0;
	return OK;
}

static err_t batch_add(struct merging *m, uint64_t mailbox, const struct message_row *row)
{
	struct buf *frame = &m->frames[m->op_count];
	uint64_t frame_size, raw_size;

	buf_reset(frame);
	enum store_outcome outcome =
		storage_frame(m->view.storage, m->from, row->message, 0,
			      STORE_BODY_BYTES_MAX, frame, &frame_size, &raw_size);

	if (outcome != STORE_OK || frame->len != frame_size) {
		/* The others may still be brought. */
		(void)backup_say(m->backup, ERR_SYNTAX,
				 "The message with UID %u cannot be read in the backup.",
				 row->uid);
		return OK;
	}
	m->ops[m->op_count++] = (struct store_op){
		.kind = OP_APPEND,
		.append = {.mailbox = mailbox,
			   .body = {.frame = buf_str(frame), .raw_size = raw_size},
			   .trace = row->trace,
			   .digest = row->digest,
			   .received_at = row->received_at,
			   .received_zone = row->received_zone,
			   .flags = row->flags,
			   .keywords = row->keywords}};
	m->op_bytes += frame->len + row->trace.len + row->digest.len;
	if (m->op_count == BATCH_MAX || m->op_bytes >= BATCH_BYTES)
		return batch_send(m);
	return OK;
}

/* The rows are good until the batch is sent. */
static err_t page_bring(struct merging *m, size_t at, const struct message_row *rows,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_wanted(m, &rows[i]))
			continue;
		m->brought->matched++;
		if (is_there(m, &rows[i]))
			continue;
		TRY(mailbox_find(m, at, true));
		TRY(batch_add(m, m->made[at], &rows[i]));
	}
	return batch_send(m);
}

static err_t mailbox_bring(struct merging *m, size_t at)
{
	struct uid_range uids = {1, UINT32_MAX};
	bool is_whole = m->wanted->message_id.len == 0 && m->wanted->since == 0 &&
			m->wanted->before == 0;
	struct arena arena;
	err_t err = OK;

	TRY(mailbox_find(m, at, is_whole));
	TRY(there_read(m, m->made[at]));
	arena_init(&arena, PAGE_BYTES_MAX);
	while (err == OK && uids.first != 0) {
		struct message_row *rows;
		size_t count = 0;

		arena_reset(&arena);
		enum store_outcome outcome =
			storage_rows(m->view.storage, m->from, m->theirs[at].id, uids,
				     ROW_KEYWORDS | ROW_MESSAGE | ROW_DIGEST | ROW_HASH,
				     &arena, &rows, &count, &uids.first);

		err = outcome == STORE_OK
			      ? page_bring(m, at, rows, count)
			      : failed(m, "The backup's index cannot be read", outcome);
		backup_progress(m->backup, "messages", m->brought->matched,
				m->manifest->messages);
	}
	arena_fini(&arena);
	return err;
}

static err_t mailboxes_bring(struct merging *m)
{
	struct arena *arena = &m->backup->arena;
	bool is_found = false;
	enum store_outcome outcome = storage_mailboxes(m->view.storage, m->from, arena,
						       &m->theirs, &m->their_count);

	if (outcome != STORE_OK)
		return failed(m, "The backup's mailboxes cannot be read", outcome);
	outcome = store_mailboxes(m->store, m->to, arena, &m->ours, &m->our_count);
	if (outcome != STORE_OK)
		return failed(m, "The account's mailboxes cannot be read", outcome);
	m->made = ARENA_ARRAY(arena, uint64_t, m->their_count);
	m->ops = ARENA_ARRAY(arena, struct store_op, BATCH_MAX);
	m->frames = ARENA_ARRAY(arena, struct buf, BATCH_MAX);
	if (!m->made || !m->ops || !m->frames)
		return ERR_LIMIT;
	for (size_t i = 0; i < BATCH_MAX; i++)
		m->frames[i] = BUF(STORE_BODY_BYTES_MAX);
	for (size_t i = 0; i < m->their_count; i++) {
		if (!is_wanted_mailbox(m, i))
			continue;
		is_found = true;
		TRY(mailbox_bring(m, i));
	}
	if (!is_found)
		return backup_say(m->backup, ERR_ABSENT,
				  "The account had no mailbox %.*s then.",
				  STR_FMT(m->wanted->mailbox));
	return OK;
}

/* ---- the whole --------------------------------------------------------------------- */

static void open_view(void *arg)
{
	struct merging *m = arg;

	m->err = view_open(m->backup, m->manifest, &m->view);
}

static void close_view(void *arg)
{
	struct merging *m = arg;

	view_close(&m->view);
}

static err_t bring(struct merging *m)
{
	struct mail_ids ids = mail_ids_parse(&m->backup->arena, m->wanted->message_id, 1);

	if (m->wanted->message_id.len > 0 && ids.count == 0)
		return backup_say(m->backup, ERR_SYNTAX, "\"%.*s\" is no Message-ID.",
				  STR_FMT(m->wanted->message_id));
	if (ids.count > 0)
		m->id_hash = digest_hash(ids.items[0]);
	TRY(find_account(m));
	if (store_lock(m->store, m->to, RESTORE_LOCK) != STORE_OK)
		return backup_say(m->backup, ERR_LIMIT,
				  "Another command restores this account.");
	err_t err = mailboxes_bring(m);

	store_unlock(m->store, m->to, RESTORE_LOCK);
	return err;
}

err_t backup_merge(struct backup *backup, const struct manifest *manifest,
		   const struct backup_wanted *wanted, struct store *store,
		   uint32_t account, struct backup_brought *brought)
{
	struct merging *m = NEW(struct merging);
	size_t problems = backup->problems;

	*brought = (struct backup_brought){0};
	m->backup = backup;
	m->manifest = manifest;
	m->wanted = wanted;
	m->store = store;
	m->to = account;
	m->brought = brought;
	offload(open_view, m);
	err_t err = m->err;

	if (err == OK)
		err = bring(m);
	offload(close_view, m);
	for (size_t i = 0; m->frames && i < BATCH_MAX; i++)
		buf_fini(&m->frames[i]);
	mem_free(m->there);
	mem_free(m);
	return err == OK && backup->problems > problems ? ERR_SYNTAX : err;
}
