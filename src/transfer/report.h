/* What an import or export came to, for one account; and how far it is, for people who
 * wait. */
#pragma once

#include "base/arena.h"
#include "rt/progress.h"
#include "store/types.h"

enum { REMARKS_MAX = 1000 };

/* Something that did not go as wished, or not quite. */
struct remark {
	struct str where, why;
	bool is_loss; /* it was not carried over */
	struct remark *next;
};

struct report {
	struct arena arena;
	uint64_t messages, bytes; /* carried over */
	uint64_t present;         /* those that were there already */
	uint64_t lost;            /* those that could not be carried over */
	uint64_t mailboxes;
	uint64_t remark_count; /* more than REMARKS_MAX are only counted */
	struct remark *first, *last;
	struct str failure; /* why it ended early, a sentence; "" if it did not */
	bool shows_progress;
	struct progress progress;
};

void report_init(struct report *report, bool shows_progress);
void report_fini(struct report *report);
/* Notes it; both texts are copied. */
void report_lost(struct report *report, struct str where, const char *why);
void report_remark(struct report *report, struct str where, const char *why);
/* The whole ends early; the first reason counts.  Always false. */
bool report_fail(struct report *report, const char *format, ...) PRINTF_LIKE(2, 3);
bool report_fail_store(struct report *report, enum store_outcome outcome);
/* Says how far it is. */
void report_progress(struct report *report, struct str mailbox);
/* Takes the line of progress away again. */
void report_end(struct report *report);
