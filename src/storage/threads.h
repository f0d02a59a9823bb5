/* Conversations: which messages of an account answer each other (RFC 8474 §5.2).  A
 * thread is called by the number of its first message.  A message joins the thread that
 * knows its own Message-ID, or else that of the nearest message it refers to; from then
 * on all these identifiers lead there.  It stays there: joining two threads later would
 * change what clients were told.
 *
 * Subjects count only for a reply or forward that names nothing it answers: it joins the
 * newest message of the same base subject, if that came within 30 days of it.  Others of
 * the same subject ("Invoice", "Hello") are too often strangers to each other.
 *
 * It costs a few keys for each message, however many there are. */
#pragma once

#include "storage/work.h"

/* The thread of a message that comes to the account under way, by its digest and its
 * INTERNALDATE. */
[[nodiscard]] err_t thread_find(struct work *work, uint64_t message, struct str digest,
				int64_t received_at, uint64_t *thread);
/* The message, whose digest is in the index already, is in that thread now. */
[[nodiscard]] err_t thread_join(struct work *work, uint64_t message, int64_t received_at,
				uint64_t thread);
/* The message goes; its digest is still there. */
[[nodiscard]] err_t thread_leave(struct work *work, account_t account, uint64_t message);
