/* The text of a document: PDF, and the files of office programs (OOXML, OpenDocument).
 * It is taken out by the extractd process, which has one document at a time, no file, no
 * connection, and nothing else to lose.
 *
 * What format it is the process finds out by looking; whoever asks has only seen that it
 * may be one.  A document that kills or occupies the process costs its own text, and is
 * not asked about twice. */
#pragma once

#include "base/buf.h"
#include "rt/task.h"

struct extract;

enum {
	EXTRACT_DOCUMENT_MAX = 16 << 20,
	EXTRACT_TEXT_MAX = 2 << 20,
	EXTRACT_PROCESSOR_MS = 5000, /* that a document may take, */
	EXTRACT_S = 60,              /* and by the clock */
	EXTRACT_PATIENCE_S = 10,     /* so long a process that has gone is waited for */
};

enum extract_outcome {
	EXTRACT_TEXT, /* here it is; it may be empty */
	EXTRACT_NONE, /* not a format that is read, or damaged, or encrypted */
	EXTRACT_TOO_BIG,
	EXTRACT_TOO_LONG, /* it took more processor time than it may */
	EXTRACT_CRASHED,  /* the process has died of it */
	EXTRACT_LATER,    /* cannot tell now: all others are final */
};
enum { EXTRACT_OUTCOMES = EXTRACT_LATER + 1 };

/* The text ends before it has more than this: words as the search index has them
 * (search/terms.h), each counted once. */
struct extract_bounds {
	uint32_t text_bytes, words, word_bytes;
};

struct extract_reply {
	enum extract_outcome outcome;
	uint32_t words, word_bytes; /* what the text has of them */
	uint32_t processor_ms;      /* that it took */
};

/* fd is a channel to the extractd process, owned from here on; -1: not yet. */
struct extract *extract_open(int fd);
void extract_close(struct extract **extract);
void extract_reconnect(struct extract *extract, int fd);

/* One document at a time: between these two only this task asks.  May suspend; false:
 * LATER. */
[[nodiscard]] bool extract_enter(struct extract *extract, deadline_t deadline);
void extract_leave(struct extract *extract);
/* May suspend until the deadline at most.  Appends the text, UTF-8, to `text`. */
void extract_ask(struct extract *extract, struct str document,
		 const struct extract_bounds *bounds, deadline_t deadline,
		 struct buf *text, struct extract_reply *reply);
