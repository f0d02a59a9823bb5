/* COPY and MOVE from one account to another, or within somebody else's: new messages
 * there that share the bodies.  A MOVE copies durably before it expunges. */
#pragma once

#include "imap/mailboxes.h"

/* Whether a copy of the selected mailbox's messages to there is one. */
bool across_is(const struct session *s, const struct mailbox *to);
/* Of the messages in the UID ranges, ascending.  *result as of OP_COPY, in the scratch
 * arena.  INVALID: more than ACROSS_MAX.  May suspend. */
enum { ACROSS_MAX = 1000 };
enum store_outcome across_copy(struct session *s, const struct imap_range *list,
			       size_t count, const struct mailbox *to,
			       struct op_result *result);
