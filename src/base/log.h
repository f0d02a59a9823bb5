/* Structured logs: a fixed event name and typed keys, one line an event, to standard
 * error.  Keys come from docs/HACKING.md's list.  Never bodies, passwords or tokens.
 *
 *   LOG(INFO, "rcpt refused", KV("session", id), KV_STR("rcpt", to), KV_INT("code",
 * 550));
 *
 * A ring of the last lines is kept for the panic report.  Control octets and quotes in
 * values are escaped, so that one event is always one line.
 */
#pragma once

#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_pair {
	const char *key;
	enum { LOG_TEXT, LOG_NUMBER } kind;
	struct str text;
	int64_t number;
};

#define KV(name, c_text)                                                                 \
	((struct log_pair){.key = (name), .kind = LOG_TEXT, .text = str_c(c_text)})
#define KV_STR(name, s) ((struct log_pair){.key = (name), .kind = LOG_TEXT, .text = (s)})
#define KV_INT(name, n)                                                                  \
	((struct log_pair){.key = (name), .kind = LOG_NUMBER, .number = (int64_t)(n)})

#define LOG(level, event, ...)                                                           \
	do {                                                                             \
		if (LOG_##level <= log_level_max) {                                      \
			const struct log_pair log_pairs_[] = {__VA_ARGS__};              \
			log_event(LOG_##level, event, log_pairs_,                        \
				  sizeof log_pairs_ / sizeof(struct log_pair));          \
		}                                                                        \
	} while (0)

extern enum log_level log_level_max; /* what is written; INFO at start */

void log_event(enum log_level level, const char *event, const struct log_pair *pairs,
	       size_t count);
/* The name of this process in every line, such as "smtpd"; borrowed for ever. */
void log_name(const char *process);
/* Writes the ring of recent lines; safe in a signal handler. */
void log_dump_recent(int fd);
