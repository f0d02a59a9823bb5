/* A line:  2026-11-22T10:00:00.123Z INFO smtpd[12]: rcpt refused session=3f rcpt="a b" */
#include "base/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/utf8.h"

enum { LINE_BYTES_MAX = 1024, RING_LINES = 32 };

enum log_level log_level_max = LOG_INFO;

static const char *process_name = "postrider";
static char ring[RING_LINES][LINE_BYTES_MAX];
static unsigned short ring_len[RING_LINES];
static unsigned ring_next;

struct line {
	char *ptr;
	size_t len;
};

static void line_add(struct line *line, struct str more)
{
	size_t room = LINE_BYTES_MAX - 1 - line->len; /* one is left for the newline */

	more = str_first(more, room);
	if (more.len > 0)
		memcpy(line->ptr + line->len, more.ptr, more.len);
	line->len += more.len;
}

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char b = (unsigned char)text.ptr[i];

		if (b <= ' ' || b == '"' || b == '\\' || b == '=' || b >= 127)
			return false;
	}
	return text.len > 0;
}

static void line_add_quoted(struct line *line, struct str text)
{
	static const char hex[] = "0123456789abcdef";

	line_add(line, STR("\""));
	while (text.len > 0) {
		struct str one = text;
		uint32_t code;
		bool is_shown = utf8_take(&text, &code) && !utf8_is_unseen(code);

		one.len -= text.len;
		if (is_shown && (code == '"' || code == '\\'))
			line_add(line, STR("\\"));
		for (size_t i = 0; i < one.len && !is_shown; i++) {
			unsigned char b = (unsigned char)one.ptr[i];
			char escape[4] = {'\\', 'x', hex[b >> 4], hex[b & 15]};

			line_add(line, (struct str){escape, 4});
		}
		if (is_shown)
			line_add(line, one);
	}
	line_add(line, STR("\""));
}

static void line_add_pair(struct line *line, const struct log_pair *pair)
{
	char number[24];

	line_add(line, STR(" "));
	line_add(line, str_c(pair->key));
	line_add(line, STR("="));
	switch (pair->kind) {
	case LOG_NUMBER:
		(void)snprintf(number, sizeof number, "%lld", (long long)pair->number);
		line_add(line, str_c(number));
		break;
	case LOG_TEXT:
		if (is_plain(pair->text))
			line_add(line, pair->text);
		else
			line_add_quoted(line, pair->text);
		break;
	}
}

void log_event(enum log_level level, const char *event, const struct log_pair *pairs,
	       size_t count)
{
	static const char *const names[] = {"ERROR", "WARN", "INFO", "DEBUG"};
	unsigned slot = __atomic_fetch_add(&ring_next, 1, __ATOMIC_RELAXED) % RING_LINES;
	struct line line = {.ptr = ring[slot]};
	struct timespec now;
	char head[96];

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	struct civil at = civil_from_unix(now.tv_sec, 0);
	int len = snprintf(head, sizeof head,
			   "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s[%d]: ", at.year,
			   at.month, at.day, at.hour, at.minute, at.second,
			   now.tv_nsec / 1000000, names[level], process_name,
			   (int)getpid());

	line_add(&line, (struct str){head, (size_t)len});
	line_add(&line, str_c(event));
	for (size_t i = 0; i < count; i++)
		line_add_pair(&line, &pairs[i]);
	line.ptr[line.len++] = '\n';
	ring_len[slot] = (unsigned short)line.len;
	ssize_t written = write(STDERR_FILENO, line.ptr, line.len);

	(void)written; /* there is nowhere left to complain */
}

void log_name(const char *process)
{
	process_name = process;
}

void log_dump_recent(int fd)
{
	static const char title[] = "last log records:\n";
	ssize_t written = write(fd, title, sizeof title - 1);

	for (unsigned i = 0; i < RING_LINES; i++) {
		unsigned slot = (ring_next + i) % RING_LINES;

		written = write(fd, ring[slot], ring_len[slot]);
	}
	(void)written; /* there is nowhere left to complain */
}
