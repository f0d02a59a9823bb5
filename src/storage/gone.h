/* Names that are subscribed to although no mailbox has them: a mailbox that goes leaves
 * its name in the account's pairs ("gone/", store/acl.h), and one that comes takes it
 * back.  So whoever deletes or makes a mailbox, and by whichever way, the subscription
 * stays (RFC 3501 §6.3.6, §6.3.9, MUST NOT; RFC 9051 §6.3.7). */
#pragma once

#include "storage/work.h"

/* The subscribed mailbox goes.  Beyond SUBSCRIBED_GONE_MAX names it leaves none. */
[[nodiscard]] err_t gone_leave(struct work *work, uint64_t mailbox);
/* One of that name comes; sets *is_subscribed if the name was, and else leaves it. */
[[nodiscard]] err_t gone_take(struct work *work, uint64_t parent, struct str name,
			      bool *is_subscribed);
