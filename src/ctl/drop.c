#include "ctl/drop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "queue/id.h"
#include "rt/file.h"
#include "wire/smtp/command.h"

enum { PATH_ROOM = 4096, FILES_MAX = 1000, COMMAND_ARENA = 16 * 1024 };

struct file {
	char temporary[QUEUE_ID_LETTERS + 2]; /* ".ID" */
	int fd;
	bool is_renamed;
};

struct dropping {
	int folder_fd;
	struct file *files;
	size_t count;
	struct arena *arena;
	struct str why;
};

/* What we write the server must be able to read. */
static bool add_command(struct buf *out, enum smtp_verb verb, struct str verb_text,
			struct str address, struct str params)
{
	struct smtp_command command;
	struct arena arena;
	size_t from = out->len;

	buf_printf(out, "%.*s<%.*s>%.*s", STR_FMT(verb_text), STR_FMT(address),
		   STR_FMT(params));
	arena_init(&arena, COMMAND_ARENA);
	struct str line = str_skip(buf_str(out), from);
	bool is_good = buf_ok(out) && line.len + 2 <= SMTP_LINE_MAX &&
		       smtp_command_parse(line, &arena, &command) == SMTP_FAULT_NONE &&
		       command.verb == verb;

	arena_fini(&arena);
	buf_add(out, STR("\r\n"));
	return is_good && buf_ok(out);
}

bool drop_envelope_add(const struct letter *letter, size_t from, size_t count,
		       struct buf *out)
{
	if (!add_command(out, SMTP_MAIL, STR("MAIL FROM:"), letter->sender,
			 letter->mail_params))
		return false;
	for (size_t i = from; i < from + count; i++)
		if (!add_command(out, SMTP_RCPT, STR("RCPT TO:"), letter->recipients[i],
				 letter->rcpt_params))
			return false;
	buf_add(out, STR("DATA\r\n"));
	return buf_ok(out);
}

static enum drop_outcome failed(struct dropping *d, const char *what)
{
	d->why = arena_printf(d->arena, "%s: %s.", what, strerror(errno));
	return DROP_LATER;
}

static enum drop_outcome write_file(struct dropping *d, struct file *file,
				    struct str envelope, struct str text)
{
	char id[QUEUE_ID_LETTERS];

	file->temporary[0] = '.';
	memcpy(file->temporary + 1, queue_id_make(id).ptr, QUEUE_ID_LETTERS);
	file->fd = openat(d->folder_fd, file->temporary,
			  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file->fd < 0)
		return failed(d, "Cannot leave the mail for the server");
	if (file_write_all(file->fd, envelope) != OK ||
	    file_write_all(file->fd, text) != OK || file_sync(file->fd) != OK)
		return failed(d, "Cannot write the mail");
	return DROP_OK;
}

/* The folder cannot be read by who may only add to it, and so not be synced: then the
 * whole file system is. */
static enum drop_outcome sync_folder(struct dropping *d)
{
	int fd = openat(d->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int done = fd >= 0 ? fsync(fd) : syncfs(d->files[0].fd);
	int why = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = why;
	return done == 0 ? DROP_OK : failed(d, "Cannot make the mail durable");
}

static enum drop_outcome rename_all(struct dropping *d)
{
	for (size_t i = 0; i < d->count; i++) {
		struct file *file = &d->files[i];

		if (renameat(d->folder_fd, file->temporary, d->folder_fd,
			     file->temporary + 1) != 0)
			return failed(d, "Cannot leave the mail for the server");
		file->is_renamed = true;
	}
	return sync_folder(d);
}

static enum drop_outcome write_all(struct dropping *d, const struct letter *letter,
				   size_t recipients_max)
{
	struct buf envelope = BUF(SMTP_LINE_MAX * (recipients_max + 2));
	enum drop_outcome outcome = DROP_OK;

	for (size_t from = 0; from < letter->count && outcome == DROP_OK;
	     from += recipients_max) {
		size_t count = (size_t)num_min(recipients_max, letter->count - from);

		buf_reset(&envelope);
		if (drop_envelope_add(letter, from, count, &envelope)) {
			outcome = write_file(d, &d->files[d->count++], buf_str(&envelope),
					     letter->text);
			continue;
		}
		d->why = STR("The envelope holds what SMTP cannot say.");
		outcome = DROP_REFUSED;
	}
	buf_fini(&envelope);
	return outcome;
}

/* What was not acknowledged goes, if it still can. */
static void tidy(struct dropping *d, enum drop_outcome outcome)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct file *file = &d->files[i];

		if (file->fd >= 0)
			(void)close(file->fd);
		if (outcome != DROP_OK)
			(void)unlinkat(d->folder_fd,
				       file->temporary + (file->is_renamed ? 1 : 0), 0);
	}
}

enum drop_outcome drop_letter(const char *data_directory, const struct letter *letter,
			      size_t recipients_max, struct arena *arena, struct str *why)
{
	struct dropping d = {.arena = arena};
	size_t files = (letter->count + recipients_max - 1) / recipients_max;
	char path[PATH_ROOM];
	int len = snprintf(path, sizeof path, "%s/drop", data_directory);

	*why = STR("There are too many recipients.");
	if (files == 0 || files > FILES_MAX || len >= PATH_ROOM)
		return DROP_REFUSED;
	d.folder_fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d.folder_fd < 0) {
		(void)failed(&d, "There is no server here that takes mail");
		*why = d.why;
		return DROP_LATER;
	}
	d.files = NEW_ARRAY(struct file, files);
	enum drop_outcome outcome = write_all(&d, letter, recipients_max);

	if (outcome == DROP_OK)
		outcome = rename_all(&d);
	tidy(&d, outcome);
	mem_free(d.files);
	(void)close(d.folder_fd);
	*why = d.why;
	return outcome;
}
