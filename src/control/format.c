#include "control/format.h"

#include <errno.h>
#include <unistd.h>

#include "base/num.h"
#include "control/folder.h"
#include "rt/file.h"

enum { RECORD_BYTES_MAX = 4096, FORMAT_FIRST = 1 };

/* ---- the record -------------------------------------------------------------------- */

static bool read_number(struct str text, uint32_t *number)
{
	uint64_t value;

	if (!num_parse(text, UINT32_MAX, &value) || value == 0)
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool read_line(struct str line, struct format *format)
{
	struct str word = str_cut(&line, ' ');

	if (str_same(word, STR("format")))
		return read_number(line, &format->format);
	if (str_same(word, STR("becoming")))
		return read_number(line, &format->becoming);
	if (str_same(word, STR("program")))
		return str_to_c(line, format->program, sizeof format->program);
	if (str_same(word, STR("aside"))) /* the name of a folder, never a path */
		return str_find_byte(line, '/') == line.len &&
		       str_starts(line, STR("rolled-back-")) &&
		       str_to_c(line, format->aside, sizeof format->aside);
	return true;
}

static bool read_record(struct str text, struct format *format)
{
	*format = (struct format){0};
	if (!str_starts(text, STR("format ")) || !str_ends(text, STR("\n")))
		return false;
	while (text.len > 0)
		if (!read_line(str_cut(&text, '\n'), format))
			return false;
	return format->format > 0;
}

static bool has_data(const char *folder)
{
	static const char *const names[] = {"store/index.lmdb", "store/packs",
					    "vault/secrets"};
	char path[FOLDER_PATH_MAX];

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (folder_path(path, folder, names[i]) == OK && access(path, F_OK) == 0)
			return true;
	return false;
}

enum format_state format_look(const char *folder, uint32_t newest, struct format *format)
{
	SCOPED(buf_fini) struct buf text = BUF(RECORD_BYTES_MAX);
	char path[FOLDER_PATH_MAX];
	err_t err = folder_path(path, folder, "format");

	*format = (struct format){0};
	if (err == OK)
		err = file_read(path, &text);
	if (err == ERR_ABSENT && !has_data(folder))
		return FORMAT_NONE;
	if (err == ERR_ABSENT)
		format->format = FORMAT_FIRST;
	else if (err != OK || !read_record(buf_str(&text), format))
		return FORMAT_UNREADABLE;
	if (format->format > newest)
		return FORMAT_NEWER;
	if (format->becoming != 0)
		return FORMAT_CHANGING;
	return format->format < newest ? FORMAT_OLDER : FORMAT_SAME;
}

err_t format_write(const char *folder, const struct format *format)
{
	SCOPED(buf_fini) struct buf text = BUF(RECORD_BYTES_MAX);
	char path[FOLDER_PATH_MAX];

	buf_printf(&text, "format %u\nprogram %s\n", format->format, POSTRIDER_VERSION);
	if (format->becoming != 0)
		buf_printf(&text, "becoming %u\n", format->becoming);
	if (format->aside[0] != '\0')
		buf_printf(&text, "aside %s\n", format->aside);
	TRY(folder_path(path, folder, "format"));
	return file_replace(path, buf_str(&text), 0644);
}

/* ---- in words ---------------------------------------------------------------------- */

void format_explain(const char *folder, enum format_state state,
		    const struct format *format, uint32_t newest, struct buf *why)
{
	const char *writer = format->program[0] ? format->program : "another version";

	switch (state) {
	case FORMAT_NEWER:
		buf_printf(
			why,
			"the data in %s is of format %u, written by Postrider %s; "
			"this program (%s) knows none newer than %u.  Nothing was "
			"touched.  Run that Postrider %s again, or with it \"postrider "
			"store rollback\", which makes data for this program of it.",
			folder, format->format, writer, POSTRIDER_VERSION, newest,
			writer);
		break;
	case FORMAT_OLDER:
		buf_printf(why,
			   "the data in %s is of format %u, and this program (%s) works "
			   "with %u.  \"postrider store upgrade\", or the server when it "
			   "starts, brings it up to date and keeps a snapshot to go back "
			   "to.",
			   folder, format->format, POSTRIDER_VERSION, newest);
		break;
	case FORMAT_CHANGING:
		buf_printf(why,
			   "a change of the data in %s to format %u was interrupted.  "
			   "\"postrider store upgrade\", or the server when it starts, "
			   "ends it.",
			   folder, format->becoming);
		break;
	case FORMAT_UNREADABLE:
		buf_printf(why,
			   "%s/format cannot be read, so nobody knows what the data is "
			   "written in.  Nothing was touched.  Its first line should be "
			   "\"format %u\", or another number.",
			   folder, newest);
		break;
	case FORMAT_NONE:
	case FORMAT_SAME:
		break;
	}
}

err_t format_admit(const char *folder, uint32_t newest, struct buf *why)
{
	struct format format;
	char path[FOLDER_PATH_MAX];
	enum format_state state = format_look(folder, newest, &format);

	TRY(folder_path(path, folder, "format"));
	if (state == FORMAT_NONE || (state == FORMAT_SAME && access(path, F_OK) != 0)) {
		struct format ours = {.format = newest};
		err_t err = format_write(folder, &ours);

		if (err != OK)
			buf_printf(why, "%s cannot be written.", path);
		return err;
	}
	if (state == FORMAT_SAME)
		return OK;
	format_explain(folder, state, &format, newest, why);
	return state == FORMAT_UNREADABLE ? ERR_SYNTAX : ERR_DENIED;
}
