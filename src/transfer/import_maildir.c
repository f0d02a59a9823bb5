#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "transfer/folder.h"
#include "transfer/import.h"
#include "transfer/maildir_name.h"
#include "transfer/text.h"

enum {
	DEPTH_MAX = 20,
	ARENA_MAX = 1 << 30,
	LIST_MAX = 512 << 20, /* of dovecot-uidlist */
	KEYWORD_LETTERS = 26,
	SCANS_MAX = 5, /* of a mailbox that changes meanwhile */
};

struct entry {
	struct str folder; /* "new" or "cur" */
	struct str name;
	struct maildir_name read;
	uint32_t uid; /* of dovecot-uidlist; 0: none */
};

/* One mailbox. */
struct maildir {
	struct intake *intake;
	const char *path;
	struct str mailbox;
	struct arena arena;
	struct buf raw, lists;
	struct str keywords[KEYWORD_LETTERS];
	struct entry *entries;
	size_t count;
	bool has_lost; /* a file was gone when it was to be read */
};

/* ---- what Dovecot knows ------------------------------------------------------------ */

static bool read_list(struct maildir *maildir, const char *name, struct str *text)
{
	const char *path = folder_join(&maildir->arena, maildir->path, str_c(name));
	struct stat stat;
	size_t from = maildir->lists.len;

	if (!path || folder_read(path, &maildir->lists, &stat) != OK)
		return false;
	*text = str_skip(buf_str(&maildir->lists), from);
	return arena_copy(&maildir->arena, *text, text);
}

/* "0 name" a line. */
static void read_keywords(struct maildir *maildir)
{
	struct str text;

	if (!read_list(maildir, "dovecot-keywords", &text))
		return;
	while (text.len > 0) {
		struct str word = str_trim(str_cut(&text, '\n'));
		uint64_t number;

		if (num_parse(str_cut(&word, ' '), KEYWORD_LETTERS - 1, &number))
			maildir->keywords[number] = word;
	}
}

static int by_unique(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	return str_cmp(one->read.unique, other->read.unique);
}

static int by_uid(const void *a, const void *b)
{
	const struct entry *one = a, *other = b;

	/* those that Dovecot has not met yet are the newest */
	if (one->uid != other->uid)
		return one->uid - 1 < other->uid - 1 ? -1 : 1;
	return str_cmp(one->read.unique, other->read.unique);
}

/* "3 V..." and then "uid extensions :name" a line. */
static void sort_entries(struct maildir *maildir)
{
	struct str text;

	if (maildir->count == 0)
		return;
	qsort(maildir->entries, maildir->count, sizeof *maildir->entries, by_unique);
	if (read_list(maildir, "dovecot-uidlist", &text))
		(void)str_cut(&text, '\n');
	else
		text = STR("");
	while (text.len > 0) {
		struct str line = str_cut(&text, '\n');
		size_t colon = str_find(line, STR(" :"));
		struct entry key = {.read = maildir_name_read(str_skip(line, colon + 2))};
		struct entry *found = bsearch(&key, maildir->entries, maildir->count,
					      sizeof *maildir->entries, by_unique);
		uint64_t uid;

		if (found && num_parse(str_cut(&line, ' '), UINT32_MAX, &uid))
			found->uid = (uint32_t)uid;
	}
	qsort(maildir->entries, maildir->count, sizeof *maildir->entries, by_uid);
}

/* ---- messages ---------------------------------------------------------------------- */

static struct ident ident_in(const struct maildir *maildir, const struct entry *entry)
{
	struct str parts[] = {maildir->mailbox, entry->read.unique};

	return ident_of(parts, COUNT_OF(parts));
}

static size_t keywords_of(const struct maildir *maildir, const struct maildir_name *name,
			  struct str *keywords)
{
	size_t count = 0;

	for (unsigned i = 0; i < KEYWORD_LETTERS; i++)
		if (name->keywords & (uint32_t)1 << i && maildir->keywords[i].len > 0)
			keywords[count++] = maildir->keywords[i];
	if (name->is_forwarded)
		keywords[count++] = STR("$Forwarded");
	return count;
}

static void bring(struct maildir *maildir, const struct entry *entry)
{
	struct intake *intake = maildir->intake;
	struct report *report = intake_options(intake)->report;
	struct str keywords[KEYWORD_LETTERS + 1];
	struct str name = arena_printf(&maildir->arena, "%.*s/%.*s",
				       STR_FMT(entry->folder), STR_FMT(entry->name));
	const char *path = folder_join(&maildir->arena, maildir->path, name);
	struct incoming incoming = {
		.ident = ident_in(maildir, entry),
		.flags = entry->read.flags,
		.keywords = keywords,
		.keyword_count = keywords_of(maildir, &entry->read, keywords),
	};
	struct stat stat;

	if (!path || (intake_has(intake, &incoming.ident) &&
		      !intake_wants(intake, &incoming.ident)))
		return;
	incoming.where = str_c(path);
	buf_reset(&maildir->raw);
	err_t err = folder_read(path, &maildir->raw, &stat);

	maildir->has_lost |= err == ERR_ABSENT; /* renamed, or gone for good */
	if (err == ERR_ABSENT || !intake_wants(intake, &incoming.ident))
		return;
	if (err != OK) {
		report_lost(report, incoming.where,
			    err == ERR_LIMIT ? "it is longer than messages may be here"
					     : "it cannot be read");
		return;
	}
	text_add_crlf(intake_text(intake), buf_str(&maildir->raw));
	incoming.received_at = stat.st_mtim.tv_sec;
	(void)intake_add(intake, &incoming); /* the scan looks whether it is over */
}

static void list_folder(struct maildir *maildir, struct str folder, size_t *room)
{
	const char *path = folder_join(&maildir->arena, maildir->path, folder);
	struct str *names;
	size_t count;

	if (!path || folder_names(path, &maildir->arena, &names, &count) != OK)
		return; /* one of the two may be missing */
	for (size_t i = 0; i < count; i++) {
		if (names[i].ptr[0] == '.')
			continue;
		MEM_ROOM(maildir->entries, maildir->count, *room);
		maildir->entries[maildir->count++] =
			(struct entry){.folder = folder,
				       .name = names[i],
				       .read = maildir_name_read(names[i])};
	}
}

/* "new" comes first: what moves to "cur" meanwhile is met there. */
static void scan(struct maildir *maildir)
{
	size_t room = 0;

	arena_reset(&maildir->arena);
	buf_reset(&maildir->lists);
	memset(maildir->keywords, 0, sizeof maildir->keywords);
	maildir->has_lost = false;
	maildir->count = 0;
	list_folder(maildir, STR("new"), &room);
	list_folder(maildir, STR("cur"), &room);
	read_keywords(maildir);
	sort_entries(maildir);
	for (size_t i = 0; i < maildir->count && !intake_is_over(maildir->intake); i++)
		bring(maildir, &maildir->entries[i]);
	mem_free(maildir->entries);
	maildir->entries = NULL;
}

static bool is_maildir(const char *path)
{
	SCOPED(arena_fini) struct arena arena;

	arena_init(&arena, 64 << 10);
	const char *cur = folder_join(&arena, path, STR("cur"));

	return cur && folder_is(cur);
}

static void mailbox(struct intake *intake, const char *path, struct str name)
{
	struct maildir maildir = {.intake = intake, .path = path, .mailbox = name};

	if (!is_maildir(path) || !intake_mailbox(intake, name, ROLE_NONE))
		return;
	arena_init(&maildir.arena, ARENA_MAX);
	maildir.raw = BUF(intake_options(intake)->message_bytes_max);
	maildir.lists = BUF(LIST_MAX);
	for (int scans = 0; scans < SCANS_MAX; scans++) {
		scan(&maildir);
		if (!maildir.has_lost || intake_is_over(intake))
			break;
	}
	buf_fini(&maildir.raw);
	buf_fini(&maildir.lists);
	arena_fini(&maildir.arena);
}

/* ---- mailboxes --------------------------------------------------------------------- */

static void add_level(struct box_path *path, struct str level)
{
	SCOPED(buf_fini) struct buf plain = BUF(16 << 10);

	maildir_level_read(&plain, level);
	box_path_add_utf7(path, buf_str(&plain));
}

/* ".Archive.2026" at the top; "Archive" anywhere. */
static void add_name(struct box_path *path, struct str name)
{
	if (name.ptr[0] != '.') {
		add_level(path, name);
		return;
	}
	name = str_skip(name, 1);
	while (name.len > 0)
		add_level(path, str_cut(&name, '.'));
}

static bool is_own_folder(struct str name)
{
	return str_same(name, STR("cur")) || str_same(name, STR("new")) ||
	       str_same(name, STR("tmp"));
}

static void walk(struct intake *intake, const char *folder, struct str above,
		 unsigned depth)
{
	SCOPED(arena_fini) struct arena arena;
	struct str *names;
	size_t count;

	arena_init(&arena, ARENA_MAX);
	mailbox(intake, folder, above);
	if (depth == DEPTH_MAX || folder_names(folder, &arena, &names, &count) != OK)
		return;
	for (size_t i = 0; i < count && !intake_is_over(intake); i++) {
		const char *path = folder_join(&arena, folder, names[i]);
		struct box_path name = {.text = BUF(0)};

		if (!path || is_own_folder(names[i]) || !folder_is(path) ||
		    (names[i].ptr[0] == '.' && (depth > 0 || !is_maildir(path))))
			continue;
		for (struct str rest = above; rest.len > 0;)
			box_path_add(&name, str_cut(&rest, '/'));
		add_name(&name, names[i]);
		if (name.text.len > 0)
			walk(intake, path, buf_str(&name.text), depth + 1);
		buf_fini(&name.text);
	}
}

void import_maildir(struct intake *intake, const char *folder)
{
	if (folder_is(folder))
		walk(intake, folder, STR(""), 0);
	else
		(void)report_fail(intake_options(intake)->report,
				  "There is no folder %s.", folder);
}
