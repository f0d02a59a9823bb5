#include "ctl/report_say.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/civil.h"

#define YEAR_9999_END 253402300799 /* no longer an int */

enum {
	PIECE = 64 * 1024,
	SHOWN_MAX = 200,
};

bool report_file(struct ctl *ctl, struct str path, struct buf *bytes)
{
	bool is_stdin = str_same(path, STR("-"));
	struct str name = arena_printf(&ctl->arena, "%.*s", STR_FMT(path));
	int fd = is_stdin ? dup(STDIN_FILENO) : open(name.ptr, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : 1;

	while (got > 0) {
		char *room = buf_room(bytes, PIECE);

		got = room ? read(fd, room, PIECE) : 0;
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			buf_grew(bytes, (size_t)got);
	}
	if (got < 0)
		ctl_fail(ctl, "%.*s cannot be read: %s.\nNothing was changed.",
			 STR_FMT(path), strerror(errno));
	else if (!buf_ok(bytes))
		ctl_fail(ctl, "%.*s is longer than any report that we read, %d MiB.",
			 STR_FMT(path), REPORT_FILE_MAX / 1024 / 1024);
	if (fd >= 0)
		(void)close(fd);
	return got == 0 && buf_ok(bytes);
}

struct str report_shown(struct ctl *ctl, struct str text)
{
	SCOPED(buf_fini) struct buf out = BUF(SHOWN_MAX + 8);
	struct str copy;

	for (size_t i = 0; i < text.len && out.len < SHOWN_MAX; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool is_c1 = c == 0xc2 && i + 1 < text.len &&
			     (unsigned char)text.ptr[i + 1] < 0xa0;

		i += is_c1;
		buf_add_byte(&out, is_c1 || c < ' ' || c == 127 ? '?' : text.ptr[i]);
	}
	if (text.len == 0)
		return STR("(not said)");
	return arena_copy(&ctl->arena, buf_str(&out), &copy) ? copy : STR("?");
}

struct str report_moment(struct ctl *ctl, int64_t at)
{
	if (at == 0 || at > YEAR_9999_END)
		return STR("(not said)");
	struct civil c = civil_from_unix(at, 0);

	return arena_printf(&ctl->arena, "%04d-%02d-%02d %02d:%02d", c.year, c.month,
			    c.day, c.hour, c.minute);
}
