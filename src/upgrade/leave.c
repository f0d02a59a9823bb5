#include "upgrade/leave.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "directory/record.h"
#include "rt/file.h"
#include "store/body_frame.h"
#include "store/codec.h"
#include "store/words.h"
#include "transfer/maildir_name.h"

enum { ARENA_MAX = 256 << 20, PAGE = 500, FOLDER_MODE = 0700, PATH_ROOM = 2 * PATH_MAX };

struct walk {
	struct leaving *leaving;
	const struct tail_left *left;
	struct arena arena, page;
	struct str address;
	struct mailbox_row *boxes;
	size_t box_count;
	const struct mailbox_row *box;
	struct str box_name; /* with its parents */
	char box_path[PATH_ROOM];
	struct buf frame, text;
	ZSTD_DCtx *zstd;
};

/* ---- one mail ---------------------------------------------------------------------- */

/* Trace and body into walk->text; STORE_DAMAGED if it is lost. */
static enum store_outcome read_mail(struct walk *walk, uint64_t message, struct str trace)
{
	uint64_t frame_size, raw_size;

	buf_reset(&walk->frame);
	buf_reset(&walk->text);
	buf_add(&walk->text, trace);
	enum store_outcome outcome =
		storage_frame(walk->leaving->storage, walk->left->account, message, 0,
			      STORE_BODY_BYTES_MAX, &walk->frame, &frame_size, &raw_size);

	if (outcome != STORE_OK)
		return outcome;
	char *room = raw_size <= STORE_BODY_BYTES_MAX
			     ? buf_room(&walk->text, (size_t)raw_size)
			     : NULL;

	if (!room ||
	    !frame_unpack(walk->zstd, buf_str(&walk->frame), room, (size_t)raw_size))
		return STORE_DAMAGED;
	buf_grew(&walk->text, (size_t)raw_size);
	return STORE_OK;
}

static err_t write_mail(struct walk *walk, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ERR_IO;
	err_t err = file_write_all(fd, buf_str(&walk->text));

	(void)close(fd); /* the whole file system is flushed at the end */
	return err;
}

/* Reads it and writes it to folder/path.  A damaged one gets a line in the list. */
static err_t save(struct walk *walk, uint64_t message, struct str trace, const char *path,
		  bool *is_saved)
{
	char whole[PATH_ROOM];
	enum store_outcome outcome = read_mail(walk, message, trace);

	*is_saved = false;
	if (outcome == STORE_DAMAGED) {
		walk->leaving->damaged++;
		buf_printf(&walk->leaving->list, "(lost on the disk)\t%.*s\tmail %llu\n",
			   STR_FMT(walk->address), (unsigned long long)message);
		return OK;
	}
	if (outcome != STORE_OK)
		return outcome == STORE_ABSENT ? OK : ERR_IO;
	if (snprintf(whole, sizeof whole, "%s/%s", walk->leaving->folder, path) >=
	    (int)sizeof whole)
		return ERR_LIMIT;
	*is_saved = true;
	return write_mail(walk, whole);
}

/* ---- mailboxes --------------------------------------------------------------------- */

static void list_flags(struct buf *list, const struct message_row *row)
{
	static const char *const names[] = {"\\Seen", "\\Answered", "\\Flagged",
					    "\\Deleted", "\\Draft"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (row->flags & 1U << i)
			buf_printf(list, " %s", names[i]);
	for (size_t i = 0; i < row->keywords.count; i++)
		buf_printf(list, " %.*s", STR_FMT(row->keywords.words[i]));
}

static err_t save_member(struct walk *walk, const struct message_row *row)
{
	SCOPED(buf_fini) struct buf name = BUF(PATH_MAX);
	char path[PATH_ROOM];
	bool is_saved, is_forwarded = false;

	if (row->message < walk->left->first_message)
		return OK; /* it was there before, or was carried over */
	for (size_t i = 0; i < row->keywords.count; i++)
		is_forwarded |=
			str_same_nocase(row->keywords.words[i], STR("$Forwarded"));
	maildir_flags_add(&name, row->flags, is_forwarded, 0);
	if (snprintf(path, sizeof path, "%s/cur/%lld.M%llu.postrider%.*s", walk->box_path,
		     (long long)row->received_at, (unsigned long long)row->member,
		     STR_FMT(buf_str(&name))) >= (int)sizeof path)
		return ERR_LIMIT;
	TRY(save(walk, row->message, row->trace, path, &is_saved));
	if (!is_saved)
		return OK;
	walk->leaving->mails++;
	struct buf *list = &walk->leaving->list;

	buf_printf(list, "%s\t%.*s\t%.*s\t", path, STR_FMT(walk->address),
		   STR_FMT(walk->box_name));
	list_flags(list, row);
	buf_add_byte(list, '\n');
	return OK;
}

static err_t make_folder(const struct walk *walk, const char *name)
{
	char path[PATH_ROOM];

	if (snprintf(path, sizeof path, "%s/%s", walk->leaving->folder, name) >=
	    (int)sizeof path)
		return ERR_LIMIT;
	return file_make_folder(path, FOLDER_MODE);
}

static err_t make_maildir(struct walk *walk)
{
	static const char *const inside[] = {"", "/cur", "/new", "/tmp"};
	char path[PATH_ROOM];

	for (size_t i = 0; i < COUNT_OF(inside); i++) {
		if (snprintf(path, sizeof path, "%s%s", walk->box_path, inside[i]) >=
		    (int)sizeof path)
			return ERR_LIMIT;
		TRY(make_folder(walk, path));
	}
	return OK;
}

/* Before the name of the mailbox those of the ones it is in. */
static void name_add(struct walk *walk, const struct mailbox_row *box, struct buf *path,
		     struct buf *name, unsigned depth)
{
	for (size_t i = 0; i < walk->box_count && depth < MAILBOX_DEPTH_MAX; i++)
		if (box->parent != 0 && walk->boxes[i].id == box->parent) {
			name_add(walk, &walk->boxes[i], path, name, depth + 1);
			buf_add_byte(name, '/');
		}
	buf_add(name, box->name);
	buf_add_byte(path, '.');
	maildir_level_add(path, box->name);
}

static err_t name_box(struct walk *walk)
{
	SCOPED(buf_fini) struct buf path = BUF(PATH_MAX);
	SCOPED(buf_fini) struct buf name = BUF(PATH_MAX);

	buf_printf(&path, "mail/%.*s/", STR_FMT(walk->address));
	if (walk->box->id == MAILBOX_INBOX)
		buf_add_c(&name, "INBOX");
	else
		name_add(walk, walk->box, &path, &name, 0);
	if (!buf_ok(&path) || !buf_ok(&name) ||
	    !arena_copy(&walk->arena, buf_str(&name), &walk->box_name) ||
	    !str_to_c(buf_str(&path), walk->box_path, sizeof walk->box_path))
		return ERR_LIMIT;
	return OK;
}

static bool has_new(const struct walk *walk, const struct message_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].message >= walk->left->first_message)
			return true;
	return false;
}

static err_t save_box(struct walk *walk)
{
	uint32_t next = 1;
	bool is_made = false;

	TRY(name_box(walk));
	while (next != 0) {
		struct message_row *rows;
		size_t count;

		arena_reset(&walk->page);
		if (storage_rows(walk->leaving->storage, walk->left->account,
				 walk->box->id, (struct uid_range){next, UINT32_MAX},
				 ROW_KEYWORDS | ROW_MESSAGE, &walk->page, &rows, &count,
				 &next) != STORE_OK)
			return ERR_IO;
		if (!is_made && has_new(walk, rows, count)) {
			TRY(make_maildir(walk));
			is_made = true;
		}
		for (size_t i = 0; i < count; i++)
			TRY(save_member(walk, &rows[i]));
	}
	return OK;
}

/* Its address as a folder's name; an account that has lost its name goes by its number.
 */
static err_t name_account(struct walk *walk)
{
	struct account_record record;
	struct str value;
	bool is_named =
		storage_kv_get(walk->leaving->storage, ACCOUNT_SYSTEM,
			       record_account_key(&walk->arena, walk->left->account),
			       &walk->arena, &value) == STORE_OK &&
		record_account(value, &record) && record.address.len > 0 &&
		record.address.len < NAME_MAX && record.address.ptr[0] != '.' &&
		str_find_byte(record.address, '/') == record.address.len;

	walk->address =
		is_named ? record.address
			 : arena_printf(&walk->arena, "account-%u", walk->left->account);
	char path[PATH_ROOM];

	(void)snprintf(path, sizeof path, "mail/%.*s", STR_FMT(walk->address));
	return make_folder(walk, path);
}

static err_t save_account(struct walk *walk)
{
	arena_reset(&walk->arena);
	TRY(make_folder(walk, "mail"));
	TRY(name_account(walk));
	enum store_outcome outcome =
		storage_mailboxes(walk->leaving->storage, walk->left->account,
				  &walk->arena, &walk->boxes, &walk->box_count);

	if (outcome != STORE_OK)
		return outcome == STORE_ABSENT ? OK : ERR_IO;
	for (size_t i = 0; i < walk->box_count; i++) {
		walk->box = &walk->boxes[i];
		TRY(save_box(walk));
	}
	return OK;
}

/* ---- the queue --------------------------------------------------------------------- */

static err_t save_row(struct walk *walk, const struct queue_row *row)
{
	char path[PATH_MAX];
	bool is_saved;

	walk->left = tail_find(walk->leaving->tail, row->account);
	if (!walk->left || row->message < walk->left->first_message)
		return OK;
	walk->address = STR("queue");
	(void)snprintf(path, sizeof path, "queue/%u-%llu.eml", row->account,
		       (unsigned long long)row->message);
	/* Again for each recipient: it is the same. */
	TRY(save(walk, row->message, row->trace, path, &is_saved));
	if (!is_saved)
		return OK;
	walk->leaving->queued++;
	buf_printf(&walk->leaving->list, "%s\tqueue\t<%.*s>\t<%.*s>\n", path,
		   STR_FMT(row->sender), STR_FMT(row->recipient.address));
	return OK;
}

static err_t save_queue(struct walk *walk)
{
	const struct queue_select all = {0};
	struct queue_place place = {0};
	struct queue_row *rows;
	size_t count;

	TRY(make_folder(walk, "queue"));
	while (!place.is_end) {
		arena_reset(&walk->page);
		if (storage_queue_list(walk->leaving->storage, &all, &place, PAGE,
				       &walk->page, &rows, &count) != STORE_OK)
			return ERR_IO;
		for (size_t i = 0; i < count; i++)
			TRY(save_row(walk, &rows[i]));
	}
	return OK;
}

/* ---- all --------------------------------------------------------------------------- */

static err_t save_all(struct walk *walk)
{
	const struct tail *tail = walk->leaving->tail;

	for (size_t i = 0; i < tail->left_count; i++) {
		walk->left = &tail->left[i];
		if (walk->left->account != ACCOUNT_SYSTEM &&
		    walk->left->first_message != UINT64_MAX)
			TRY(save_account(walk));
	}
	TRY(save_queue(walk));
	int fd = open(walk->leaving->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return ERR_IO;
	err_t err = syncfs(fd) == 0 ? OK : ERR_IO;

	(void)close(fd); /* it was only named */
	return err;
}

err_t leave_as_mail(struct leaving *leaving)
{
	struct walk *walk = NEW(struct walk);

	walk->leaving = leaving;
	walk->frame = BUF(STORE_BODY_BYTES_MAX);
	walk->text = BUF(STORE_BODY_BYTES_MAX + TRACE_BYTES_MAX);
	walk->zstd = words_unpacker_new();
	arena_init(&walk->arena, ARENA_MAX);
	arena_init(&walk->page, ARENA_MAX);
	err_t err = save_all(walk);

	arena_fini(&walk->arena);
	arena_fini(&walk->page);
	buf_fini(&walk->frame);
	buf_fini(&walk->text);
	ZSTD_freeDCtx(walk->zstd);
	mem_free(walk);
	return err;
}
