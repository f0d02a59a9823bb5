#include <fcntl.h>
#include <unistd.h>

#include "rt/file.h"
#include "transfer/folder.h"
#include "transfer/outgo.h"
#include "wire/mail/header.h"
#include "wire/mail/mbox.h"

enum {
	ARENA_MAX = 1 << 20,
	GATHER_BYTES = 1 << 20, /* written at once */
	FOLDER_MODE = 0700,
	FILE_MODE = 0600,
};

struct mbox_out {
	const struct export_options *options;
	struct arena arena; /* of the mailbox */
	const char *path, *new_path;
	int fd; /* -1: none */
	struct buf text;
};

static bool failed(struct mbox_out *out)
{
	return report_fail(out->options->report,
			   "%s cannot be written: the disk is full, or it is not ours.",
			   out->path ? out->path : out->options->folder);
}

/* ---- files ------------------------------------------------------------------------- */

/* A name that begins with "." would be hidden, or lead elsewhere. */
static void add_level(struct buf *name, struct str level)
{
	if (str_starts(level, STR("."))) {
		buf_add_c(name, "\\2e");
		level = str_skip(level, 1);
	}
	buf_add(name, level);
}

/* Makes the folders above; the file of "A/B" is "A.sbd/B". */
static const char *make_above(struct mbox_out *out, struct str mailbox)
{
	const char *folder = out->options->folder;

	if (!out->options->is_dry_run && file_make_folder(folder, FOLDER_MODE) != OK)
		return NULL;
	for (;;) {
		SCOPED(buf_fini) struct buf name = BUF(MAILBOX_NAME_MAX + 20);
		bool is_last = str_find_byte(mailbox, '/') == mailbox.len;

		add_level(&name, str_cut(&mailbox, '/'));
		if (!is_last)
			buf_add_c(&name, ".sbd");
		folder = folder_join(&out->arena, folder, buf_str(&name));
		if (!folder || is_last)
			return folder;
		if (!out->options->is_dry_run &&
		    file_make_folder(folder, FOLDER_MODE) != OK)
			return NULL;
	}
}

static bool begin(void *arg, const struct box *box)
{
	struct mbox_out *out = arg;

	arena_reset(&out->arena);
	buf_reset(&out->text);
	out->fd = -1;
	out->path = make_above(out, box->path);
	if (!out->path)
		return failed(out);
	if (out->options->is_dry_run)
		return true;
	struct str new_path = arena_printf(&out->arena, "%s.new%c", out->path, 0);

	out->new_path = new_path.ptr;
	if (new_path.len == 0)
		return failed(out);
	out->fd = open(out->new_path,
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	return out->fd >= 0 || failed(out);
}

static bool wants(void *arg, const struct message_row *row)
{
	(void)arg, (void)row;
	return true; /* the file is written anew */
}

static bool write_out(struct mbox_out *out)
{
	err_t err = file_write_all(out->fd, buf_str(&out->text));

	buf_reset(&out->text);
	return err == OK;
}

static void end(void *arg, bool is_whole)
{
	struct mbox_out *out = arg;

	if (out->fd < 0)
		return;
	bool is_good = is_whole && write_out(out) && file_sync(out->fd) == OK;

	is_good = close(out->fd) == 0 && is_good &&
		  file_rename(out->new_path, out->path) == OK;
	if (!is_good)
		(void)file_remove(out->new_path); /* logged; it is only half */
	if (is_whole && !is_good)
		(void)failed(out);
}

/* ---- messages ---------------------------------------------------------------------- */

/* Every line that would begin a message, or has been quoted so far, gets one more ">". */
static void add_quoted(struct buf *out, struct str text)
{
	while (text.len > 0) {
		size_t end = str_find_byte(text, '\n') + 1;
		struct str line = str_first(text, end);

		if ((line.ptr[0] == '>' || line.ptr[0] == 'F') &&
		    (str_starts(line, STR("From ")) || mbox_quotes(line) > 0))
			buf_add_byte(out, '>');
		buf_add(out, line);
		text = str_skip(text, end);
	}
}

static void add_notes(struct buf *out, const struct message_row *row,
		      const char *line_end)
{
	static const struct {
		uint8_t flag;
		char letter;
	} letters[] = {{FLAG_ANSWERED, 'A'},
		       {FLAG_FLAGGED, 'F'},
		       {FLAG_DRAFT, 'T'},
		       {FLAG_DELETED, 'D'}};

	buf_printf(out, "Status: %sO%s", row->flags & FLAG_SEEN ? "R" : "", line_end);
	if (row->flags & ~FLAG_SEEN) {
		buf_add_c(out, "X-Status: ");
		for (size_t i = 0; i < COUNT_OF(letters); i++)
			if (row->flags & letters[i].flag)
				buf_add_byte(out, letters[i].letter);
		buf_add_c(out, line_end);
	}
	for (size_t i = 0; i < row->keywords.count; i++)
		buf_printf(out, "X-Keywords: %.*s%s", STR_FMT(row->keywords.words[i]),
			   line_end);
}

/* Where its fields end; *sender is what Return-Path tells. */
static size_t read_fields(struct str text, struct str *sender)
{
	struct mail_fields walk = mail_fields_of_part(text);
	struct mail_field field;
	size_t fields_end = 0;

	*sender = STR("");
	while (mail_fields_next(&walk, &field)) {
		struct str value = str_trim(field.value);

		fields_end = field.at + field.len;
		if (sender->len == 0 && value.len > 2 && value.ptr[0] == '<' &&
		    value.ptr[value.len - 1] == '>' &&
		    str_same_nocase(field.name, STR("Return-Path")))
			*sender = str_first(str_skip(value, 1), value.len - 2);
	}
	return fields_end;
}

static bool message(void *arg, const struct message_row *row, struct str text)
{
	struct mbox_out *out = arg;
	const char *line_end = out->options->keeps_crlf ? "\r\n" : "\n";
	struct str sender;
	size_t fields_end = read_fields(text, &sender);

	mbox_from_add(&out->text, sender, row->received_at);
	add_quoted(&out->text, str_first(text, fields_end));
	if (!str_ends(str_first(text, fields_end), STR("\n")) && fields_end > 0)
		buf_add_c(&out->text, line_end); /* a header that just stops */
	add_notes(&out->text, row, line_end);
	add_quoted(&out->text, str_skip(text, fields_end));
	if (!str_ends(text, STR("\n")))
		buf_add_c(&out->text, line_end);
	buf_add_c(&out->text, line_end);
	if (!buf_ok(&out->text))
		return failed(out);
	return out->text.len < GATHER_BYTES || write_out(out) || failed(out);
}

void export_mbox(const struct export_options *options)
{
	static const struct outgo_format format = {begin, wants, message, end};
	struct mbox_out out = {
		.options = options, .fd = -1, .text = BUF((size_t)1 << 30)};

	arena_init(&out.arena, ARENA_MAX);
	outgo(options, &format, &out);
	buf_fini(&out.text);
	arena_fini(&out.arena);
}
