#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rand.h"
#include "rt/file.h"
#include "transfer/folder.h"
#include "transfer/maildir_name.h"
#include "transfer/outgo.h"
#include "transfer/seen.h"

enum {
	ARENA_MAX = 1 << 30,
	LIST_MAX = 512 << 20,
	PENDING_MAX = 4000, /* files that become durable together */
	KEYWORD_LETTERS = 26,
	FOLDER_MODE = 0700,
	FILE_MODE = 0600,
};

struct maildir_out {
	const struct export_options *options;
	/* the mailbox that is being written */
	struct arena arena;
	const char *path, *cur, *tmp;
	struct seen there; /* unique names */
	struct str keywords[KEYWORD_LETTERS];
	size_t keyword_count;
	bool has_new_keywords, has_many_keywords;
	struct str *pending; /* PENDING_MAX names at most, in tmp */
	size_t pending_count;
	struct buf uids; /* of dovecot-uidlist */
	bool writes_uids;
	uint32_t uid_validity, uid_next;
};

static bool failed(struct maildir_out *out)
{
	return report_fail(out->options->report,
			   "%s cannot be written: the disk is full, or it is not ours.",
			   out->path);
}

/* ---- the folder -------------------------------------------------------------------- */

/* INBOX is the folder itself; "Archive/2026" is ".Archive.2026" in it. */
static const char *path_of(struct maildir_out *out, struct str mailbox)
{
	SCOPED(buf_fini) struct buf name = BUF(64 << 10);

	if (str_same(mailbox, STR("INBOX")))
		return folder_join(&out->arena, out->options->folder, STR("."));
	while (mailbox.len > 0) {
		buf_add_byte(&name, '.');
		maildir_level_add(&name, str_cut(&mailbox, '/'));
	}
	return buf_ok(&name)
		       ? folder_join(&out->arena, out->options->folder, buf_str(&name))
		       : NULL;
}

static bool make_folders(struct maildir_out *out)
{
	static const char *const inside[] = {"cur", "new", "tmp"};

	if (file_make_folder(out->options->folder, FOLDER_MODE) != OK ||
	    file_make_folder(out->path, FOLDER_MODE) != OK)
		return false;
	for (size_t i = 0; i < COUNT_OF(inside); i++) {
		const char *path = folder_join(&out->arena, out->path, str_c(inside[i]));

		if (!path || file_make_folder(path, FOLDER_MODE) != OK)
			return false;
	}
	return true;
}

static bool list_there(struct maildir_out *out, const char *folder)
{
	const char *path = folder_join(&out->arena, out->path, str_c(folder));
	struct str *names;
	size_t count;
	err_t err = path ? folder_names(path, &out->arena, &names, &count) : ERR_LIMIT;

	if (err != OK)
		return err == ERR_ABSENT;
	for (size_t i = 0; i < count; i++) {
		struct str unique = maildir_name_read(names[i]).unique;
		struct ident ident = ident_of(&unique, 1);

		(void)seen_add(&out->there, &ident);
	}
	return true;
}

/* "0 name" a line, in order. */
static void read_keywords(struct maildir_out *out)
{
	SCOPED(buf_fini) struct buf content = BUF(64 << 10);
	const char *path = folder_join(&out->arena, out->path, STR("dovecot-keywords"));
	struct stat stat;
	struct str rest;

	if (!path || folder_read(path, &content, &stat) != OK ||
	    !arena_copy(&out->arena, buf_str(&content), &rest))
		return;
	while (rest.len > 0 && out->keyword_count < KEYWORD_LETTERS) {
		struct str line = str_trim(str_cut(&rest, '\n'));

		(void)str_cut(&line, ' ');
		out->keywords[out->keyword_count++] = line;
	}
}

static bool begin(void *arg, const struct box *box)
{
	struct maildir_out *out = arg;
	struct stat ignored;

	arena_reset(&out->arena);
	seen_fini(&out->there);
	buf_reset(&out->uids);
	out->keyword_count = out->pending_count = 0;
	out->has_new_keywords = out->has_many_keywords = false;
	out->uid_validity = box->row.uid_validity;
	out->uid_next = box->row.uid_next;
	out->path = path_of(out, box->path);
	if (!out->path) {
		report_lost(out->options->report, box->path,
			    "its name is too long for a folder");
		return false;
	}
	if (!out->options->is_dry_run && !make_folders(out))
		return failed(out);
	out->cur = folder_join(&out->arena, out->path, STR("cur"));
	out->tmp = folder_join(&out->arena, out->path, STR("tmp"));
	const char *list = folder_join(&out->arena, out->path, STR("dovecot-uidlist"));

	out->writes_uids = list && lstat(list, &ignored) != 0;
	if (!out->cur || !out->tmp || !list_there(out, "cur") || !list_there(out, "new"))
		return failed(out);
	read_keywords(out);
	return true;
}

/* ---- messages ---------------------------------------------------------------------- */

/* The membership's number is never used again in the account. */
static struct str unique_name(const struct message_row *row, char room[64])
{
	int len = snprintf(room, 64, "%lld.M%llu.postrider", (long long)row->received_at,
			   (unsigned long long)row->member);

	return (struct str){room, (size_t)len};
}

static bool wants(void *arg, const struct message_row *row)
{
	const struct maildir_out *out = arg;
	char room[64];
	struct str unique = unique_name(row, room);
	struct ident ident = ident_of(&unique, 1);

	return !seen_has(&out->there, &ident);
}

static uint32_t letters_of(struct maildir_out *out, const struct keywords *keywords)
{
	uint32_t letters = 0;

	for (size_t i = 0; i < keywords->count; i++) {
		struct str word = keywords->words[i];
		size_t at = 0;

		while (at < out->keyword_count &&
		       !str_same_nocase(out->keywords[at], word))
			at++;
		if (at == KEYWORD_LETTERS ||
		    (at == out->keyword_count &&
		     !arena_copy(&out->arena, word, &out->keywords[at]))) {
			out->has_many_keywords = true;
			continue;
		}
		if (at == out->keyword_count) {
			out->keyword_count++;
			out->has_new_keywords = true;
		}
		letters |= (uint32_t)1 << at;
	}
	return letters;
}

static bool is_forwarded(const struct keywords *keywords)
{
	for (size_t i = 0; i < keywords->count; i++)
		if (str_same_nocase(keywords->words[i], STR("$Forwarded")))
			return true;
	return false;
}

static struct str name_of(struct maildir_out *out, const struct message_row *row,
			  size_t file_bytes)
{
	SCOPED(buf_fini) struct buf name = BUF(300);
	char room[64];
	struct str copy;

	buf_add(&name, unique_name(row, room));
	buf_printf(&name, ",S=%zu,W=%llu", file_bytes, (unsigned long long)row->size);
	maildir_flags_add(&name, row->flags, is_forwarded(&row->keywords),
			  letters_of(out, &row->keywords));
	return arena_copy(&out->arena, buf_str(&name), &copy) ? copy : STR("");
}

static bool write_file(const char *path, struct str text, int64_t at_s)
{
	struct timespec times[2] = {{.tv_sec = at_s}, {.tv_sec = at_s}};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		      FILE_MODE);

	if (fd < 0)
		return false;
	bool is_good = file_write_all(fd, text) == OK && futimens(fd, times) == 0;

	return close(fd) == 0 && is_good;
}

static bool write_keywords(struct maildir_out *out)
{
	SCOPED(buf_fini) struct buf content = BUF(64 << 10);
	const char *path = folder_join(&out->arena, out->path, STR("dovecot-keywords"));

	if (!out->has_new_keywords)
		return true;
	for (size_t i = 0; i < out->keyword_count; i++)
		buf_printf(&content, "%zu %.*s\n", i, STR_FMT(out->keywords[i]));
	out->has_new_keywords = false;
	return path && file_replace(path, buf_str(&content), FILE_MODE) == OK;
}

/* Makes the pending files durable, all with one flush, and then gives them their names.
 */
static bool settle(struct maildir_out *out)
{
	int fd = open(out->tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_good = fd >= 0 && syncfs(fd) == 0 && write_keywords(out);

	for (size_t i = 0; i < out->pending_count && is_good; i++) {
		const char *from = folder_join(&out->arena, out->tmp, out->pending[i]);
		const char *to = folder_join(&out->arena, out->cur, out->pending[i]);

		is_good = from && to && rename(from, to) == 0;
	}
	if (fd >= 0)
		(void)close(fd); /* it was only a place to flush */
	out->pending_count = 0;
	return is_good && file_sync_folder(out->cur) == OK;
}

static bool message(void *arg, const struct message_row *row, struct str text)
{
	struct maildir_out *out = arg;
	struct str name = name_of(out, row, text.len);
	const char *path = folder_join(&out->arena, out->tmp, name);

	if (name.len == 0 || !path || !write_file(path, text, row->received_at))
		return failed(out);
	out->pending[out->pending_count++] = name;
	buf_printf(&out->uids, "%u :%.*s\n", row->uid,
		   STR_FMT(str_first(name, str_find_byte(name, ':'))));
	return out->pending_count < PENDING_MAX || settle(out) || failed(out);
}

/* Only beside the first export: later it would have to know what became of the files. */
static bool write_uids(struct maildir_out *out)
{
	SCOPED(buf_fini) struct buf content = BUF(LIST_MAX + 200);
	const char *path = folder_join(&out->arena, out->path, STR("dovecot-uidlist"));
	uint64_t guid[2];

	if (!out->writes_uids || !buf_ok(&out->uids))
		return true;
	rand_bytes(guid, sizeof guid);
	buf_printf(&content, "3 V%u N%u G%016llx%016llx\n", out->uid_validity,
		   out->uid_next, (unsigned long long)guid[0],
		   (unsigned long long)guid[1]);
	buf_add(&content, buf_str(&out->uids));
	return path && file_replace(path, buf_str(&content), FILE_MODE) == OK;
}

static void end(void *arg, bool is_whole)
{
	struct maildir_out *out = arg;

	if (!is_whole || out->options->is_dry_run)
		return;
	if (out->has_many_keywords)
		report_remark(out->options->report, str_c(out->path),
			      "a Maildir has room for 26 keywords; the others are left "
			      "out");
	if (!settle(out) || (out->there.count == 0 && !write_uids(out)))
		(void)failed(out);
}

void export_maildir(const struct export_options *options)
{
	static const struct outgo_format format = {begin, wants, message, end};
	struct maildir_out out = {.options = options,
				  .pending = NEW_ARRAY(struct str, PENDING_MAX),
				  .uids = BUF(LIST_MAX)};

	arena_init(&out.arena, ARENA_MAX);
	outgo(options, &format, &out);
	mem_free(out.pending);
	seen_fini(&out.there);
	buf_fini(&out.uids);
	arena_fini(&out.arena);
}
