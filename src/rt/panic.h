/* What a process says when it dies, and how it avoids dying of the same thing for ever.
 *
 * On an assertion or a fatal signal a report goes to standard error: what the running
 * task is about, the last log records, the stack.  A short record {operation, key} goes
 * to the supervisor.  After two crashes on the same operation and key the supervisor
 * tells new children that the key is poison; they set that one thing aside and serve the
 * rest.
 */
#pragma once

#include "base/str.h"

enum {
	PANIC_OPERATION_MAX = 40, /* octets that are kept of an operation's name */
	PANIC_POISON_MAX = 1024,
};

/* Installs the handlers, on a stack of their own for this thread.  record_fd is where the
 * record goes (a pipe; borrowed for ever), -1 for nowhere. */
void panic_init(int record_fd);

/* From now on a death by a fatal signal also puts `mark` at that place of the file fd
 * (borrowed; -1: no more), so that whoever opens it next knows.  What kills a process
 * from outside, or takes the power, leaves no mark. */
void panic_mark(int fd, int64_t at, char mark);

/* Marks a stretch of this thread's work that never suspends, such as parsing one message:
 * a crash inside is blamed on it.  Stretches may nest a little; the innermost is blamed.
 * operation is a literal; key says which one (a message number, a hash of the bytes).
 * For tests the operation is a site of rt/fault.h. */
void panic_begin(const char *operation, uint64_t key);
void panic_end(void);

/* True if work on this key has killed processes before: do not do it again. */
bool panic_is_poison(uint64_t key);
/* Replaces the list, at most PANIC_POISON_MAX keys (the rest is dropped).  By one thread;
 * others may ask meanwhile. */
void panic_set_poison(const uint64_t *keys, size_t count);

/* What a dying process wrote to record_fd, in one piece of PANIC_RECORD_BYTES. */
enum { PANIC_RECORD_BYTES = 64 };
struct panic_record {
	int signal;
	char operation[PANIC_OPERATION_MAX + 1]; /* "" if it was in no such stretch */
	uint64_t key;
};
/* The process that wrote it may be hostile: false unless it is whole and plain. */
bool panic_record_parse(struct str bytes, struct panic_record *record);
