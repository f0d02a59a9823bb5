#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "rt/clock.h"
#include "transfer/folder.h"
#include "transfer/import.h"
#include "transfer/text.h"
#include "wire/mail/mbox.h"

enum {
	DEPTH_MAX = 20,
	ARENA_MAX = 64 << 20,
	READ_BYTES = 256 * 1024,
	FROM_LINE_MAX = 1000,
	WHERE_MAX = 8 * 1024,
};

struct mbox {
	struct intake *intake;
	enum mbox_quoting quoting;
	struct buf raw, plain; /* the message as it stands, and without its notes */
	const char *path;
	struct str mailbox;
	struct mbox_from from;
	uint64_t line, message_line; /* counted from 1 */
	bool has_message;            /* one has begun */
	bool after_empty;            /* the line before was empty, or there is none */
	bool in_line;                /* what comes is the rest of a long line */
	bool is_quoted_rest;
};

/* ---- one message ------------------------------------------------------------------- */

static uint8_t flags_of(const struct mbox_notes *notes)
{
	static const struct {
		enum mbox_flag note;
		enum message_flag flag;
	} pairs[] = {{MBOX_SEEN, FLAG_SEEN},
		     {MBOX_ANSWERED, FLAG_ANSWERED},
		     {MBOX_FLAGGED, FLAG_FLAGGED},
		     {MBOX_DELETED, FLAG_DELETED},
		     {MBOX_DRAFT, FLAG_DRAFT}};
	unsigned flags = 0;

	for (size_t i = 0; i < COUNT_OF(pairs); i++)
		flags |= notes->flags & pairs[i].note ? pairs[i].flag : 0;
	return (uint8_t)flags;
}

/* The empty line before the next "From " is the file's, not the message's. */
static void drop_separator(struct buf *raw)
{
	struct str text = buf_str(raw);

	if (str_ends(text, STR("\n\r\n")))
		buf_cut(raw, raw->len - 2);
	else if (str_ends(text, STR("\n\n")) || str_same(text, STR("\n")))
		buf_cut(raw, raw->len - 1);
}

static void bring(struct mbox *mbox, const struct mbox_notes *notes)
{
	static const struct str forwarded = STR("$Forwarded");
	struct intake *intake = mbox->intake;
	struct str keywords[MBOX_KEYWORDS_MAX + 1];
	SCOPED(buf_fini) struct buf name = BUF(WHERE_MAX);
	struct buf *text = intake_text(intake);
	struct incoming incoming = {.flags = flags_of(notes),
				    .keywords = keywords,
				    .keyword_count = notes->keyword_count};

	memcpy(keywords, notes->keywords, sizeof notes->keywords);
	if (notes->flags & MBOX_FORWARDED)
		keywords[incoming.keyword_count++] = forwarded;
	buf_printf(&name, "%s, line %llu", mbox->path,
		   (unsigned long long)mbox->message_line);
	incoming.where = buf_str(&name);
	text_add_crlf(text, buf_str(&mbox->plain));
	incoming.ident = intake_ident(intake, mbox->mailbox, buf_str(text));
	if (!intake_wants(intake, &incoming.ident))
		return;
	incoming.received_at = mbox->from.at_s;
	incoming.zone_minutes = mbox->from.zone_minutes;
	if (!mbox->from.has_date &&
	    !folder_date(buf_str(text), &incoming.received_at, &incoming.zone_minutes))
		incoming.received_at = clock_s();
	(void)intake_add(intake, &incoming); /* the reader looks whether it is over */
}

static void message_end(struct mbox *mbox)
{
	struct mbox_notes notes;

	if (!mbox->has_message)
		return;
	mbox->has_message = false;
	if (!buf_ok(&mbox->raw)) {
		SCOPED(buf_fini) struct buf where = BUF(WHERE_MAX);

		buf_printf(&where, "%s, line %llu", mbox->path,
			   (unsigned long long)mbox->message_line);
		report_lost(intake_options(mbox->intake)->report, buf_str(&where),
			    "it is longer than messages may be here");
	} else {
		drop_separator(&mbox->raw);
		buf_reset(&mbox->plain);
		mbox_take_notes(buf_str(&mbox->raw), &mbox->plain, &notes);
		if (!(notes.flags & MBOX_EXPUNGED))
			bring(mbox, &notes);
	}
	buf_reset(&mbox->raw);
}

/* ---- lines ------------------------------------------------------------------------- */

static bool is_empty(struct str line)
{
	return str_same(line, STR("\n")) || str_same(line, STR("\r\n"));
}

/* A line with its end; or a piece of one that is very long.  False if what begins the
 * file is no message. */
static bool take_line(struct mbox *mbox, struct str line, bool is_whole)
{
	struct mbox_from from;
	bool is_start = !mbox->in_line;
	size_t quotes;

	mbox->in_line = !is_whole;
	mbox->line += is_start;
	if (is_start && mbox->after_empty && line.len <= FROM_LINE_MAX &&
	    mbox_from_line(line, &from)) {
		message_end(mbox);
		mbox->from = from; /* its sender is not good for longer than the line */
		mbox->has_message = true;
		mbox->message_line = mbox->line;
		mbox->after_empty = false;
		return true;
	}
	if (!mbox->has_message)
		return is_empty(line);
	mbox->after_empty = is_start && is_empty(line);
	quotes = is_start && line.ptr[0] == '>' ? mbox_quotes(line) : 0;
	if (quotes == 1 || (quotes > 1 && mbox->quoting == MBOX_RD))
		line = str_skip(line, 1);
	buf_add(&mbox->raw, line);
	return true;
}

/* Takes whole lines off the front, and more if there is no room left; *rest is what
 * stays. */
static bool take_lines(struct mbox *mbox, struct str got, bool is_full, struct str *rest)
{
	*rest = got;
	while (rest->len > 0) {
		size_t end = str_find_byte(*rest, '\n');
		bool is_whole = end < rest->len;

		if (!is_whole && !is_full)
			return true;
		struct str line = str_first(*rest, is_whole ? end + 1 : end);

		if (!take_line(mbox, line, is_whole))
			return false;
		*rest = str_skip(*rest, line.len);
		is_full = false; /* there is room again */
	}
	return true;
}

static bool read_lines(struct mbox *mbox, int fd, char *room)
{
	size_t held = 0;

	while (!intake_is_over(mbox->intake)) {
		ssize_t got = read(fd, room + held, READ_BYTES - held);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return report_fail(intake_options(mbox->intake)->report,
					   "%s cannot be read.", mbox->path);
		held += (size_t)got;
		struct str rest;

		if (!take_lines(mbox, (struct str){room, held},
				got == 0 || held == READ_BYTES, &rest))
			return false;
		memmove(room, rest.ptr, rest.len);
		held = rest.len;
		if (got == 0)
			break;
	}
	message_end(mbox);
	return true;
}

/* An empty file is a mailbox without messages. */
static bool begins_well(int fd)
{
	char room[FROM_LINE_MAX];
	ssize_t got = pread(fd, room, sizeof room, 0);
	struct str text = {room, got > 0 ? (size_t)got : 0};
	struct mbox_from from;

	while (text.len > 0 && (text.ptr[0] == '\n' || text.ptr[0] == '\r'))
		text = str_skip(text, 1);
	return got >= 0 && (text.len == 0 || mbox_from_line(str_cut(&text, '\n'), &from));
}

static void file(struct mbox *mbox, const char *path, struct str mailbox)
{
	struct report *report = intake_options(mbox->intake)->report;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat stat;

	mbox->path = path;
	mbox->mailbox = mailbox;
	mbox->line = 0;
	mbox->after_empty = true;
	mbox->in_line = mbox->has_message = false;
	if (fd < 0 || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
		report_lost(report, str_c(path), "it cannot be read");
	} else if (!begins_well(fd)) {
		report_lost(report, str_c(path), "it does not begin as an mbox does");
	} else if (intake_mailbox(mbox->intake, mailbox, ROLE_NONE)) {
		char *room = NEW_ARRAY(char, READ_BYTES);

		if (!read_lines(mbox, fd, room))
			report_lost(report, str_c(path),
				    "it does not begin as an mbox does");
		mem_free(room);
	}
	if (fd >= 0)
		(void)close(fd); /* it was only read */
}

/* ---- folders ----------------------------------------------------------------------- */

static struct str without(struct str name, struct str end)
{
	if (name.len > end.len &&
	    str_same_nocase(str_skip(name, name.len - end.len), end))
		name.len -= end.len;
	return name;
}

/* "\2e", which export writes for a "." that would mislead. */
static struct str plain_name(struct arena *arena, struct str name)
{
	if (str_starts(name, STR("\\2e")))
		return arena_printf(arena, ".%.*s", STR_FMT(str_skip(name, 3)));
	return name;
}

static void walk(struct mbox *mbox, const char *folder, struct str above, unsigned depth)
{
	SCOPED(arena_fini) struct arena arena;
	struct str *names;
	size_t count;

	arena_init(&arena, ARENA_MAX);
	if (folder_names(folder, &arena, &names, &count) != OK) {
		report_lost(intake_options(mbox->intake)->report, str_c(folder),
			    "the folder cannot be read");
		return;
	}
	for (size_t i = 0; i < count && !intake_is_over(mbox->intake); i++) {
		const char *path = folder_join(&arena, folder, names[i]);
		struct box_path name = {.text = BUF(0)};

		if (!path || names[i].ptr[0] == '.' || str_ends(names[i], STR(".msf")) ||
		    str_ends(names[i], STR(".new")))
			continue;
		for (struct str rest = above; rest.len > 0;)
			box_path_add(&name, str_cut(&rest, '/'));
		if (!folder_is(path)) {
			struct str own = without(names[i], STR(".mbox"));

			box_path_add(&name, plain_name(&arena, own));
			file(mbox, path, buf_str(&name.text));
		} else if (depth < DEPTH_MAX) {
			struct str own = without(names[i], STR(".sbd"));

			box_path_add(&name, plain_name(&arena, own));
			walk(mbox, path, buf_str(&name.text), depth + 1);
		}
		buf_fini(&name.text);
	}
}

/* Of a file that was given by itself. */
static struct str own_name(const struct intake *intake, const char *path)
{
	struct str address = intake_options(intake)->address, name = str_c(path);

	if (str_rfind_byte(name, '/') < name.len)
		name = str_skip(name, str_rfind_byte(name, '/') + 1);
	name = without(name, STR(".mbox"));
	if (str_same_nocase(name, STR("mbox")) || str_same_nocase(name, address) ||
	    str_same_nocase(name, str_first(address, str_find_byte(address, '@'))))
		return STR("INBOX");
	return name;
}

void import_mbox(struct intake *intake, const char *path, enum mbox_quoting quoting)
{
	uint64_t max = intake_options(intake)->message_bytes_max;
	struct mbox mbox = {
		.intake = intake, .quoting = quoting, .raw = BUF(max), .plain = BUF(max)};
	struct box_path name = {.text = BUF(0)};

	if (folder_is(path)) {
		walk(&mbox, path, STR(""), 0);
	} else if (access(path, R_OK) == 0) {
		box_path_add(&name, own_name(intake, path));
		file(&mbox, path, buf_str(&name.text));
	} else {
		(void)report_fail(intake_options(intake)->report,
				  "There is no file or folder %s that can be read.",
				  path);
	}
	buf_fini(&name.text);
	buf_fini(&mbox.raw);
	buf_fini(&mbox.plain);
}
