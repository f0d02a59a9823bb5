/* Conversations: which messages of an account answer each other (RFC 8474 §5.2).  A
 * thread is called by the number of its first message.  A message joins the thread that
 * knows its own Message-ID, or else that of the nearest message it refers to; from then
 * on all these identifiers lead there.  It stays there: joining two threads later would
 * change what clients were told.  Subjects count for nothing: replies name what they
 * answer, and those that do not are too seldom the ones that look so.
 *
 * It costs a few keys for each message, however many there are. */
#pragma once

#include "storage/work.h"

/* The thread of a message that comes to the account under way, by its digest. */
[[nodiscard]] err_t thread_find(struct work *work, uint64_t message, struct str digest,
				uint64_t *thread);
/* The message, whose digest is in the index already, is in that thread now. */
[[nodiscard]] err_t thread_join(struct work *work, uint64_t message, uint64_t thread);
/* The message goes; its digest is still there. */
[[nodiscard]] err_t thread_leave(struct work *work, account_t account, uint64_t message);
