/* Names that one is subscribed to although no mailbox has them, as LIST and LSUB tell
 * them (RFC 9051 §6.3.9.1, RFC 3501 §6.3.9).  The store keeps them (storage/gone.h).
 *
 * Deviates: who said NOTIFY is not told that one unsubscribes from such a name (RFC 5465
 * §5.5): the log of changes speaks of mailboxes. */
#pragma once

#include "imap/mailboxes.h"

/* Those of one's own, and the levels above them that are no mailboxes either, in the
 * scratch arena; marks what is above them, among one's own (all) as well.  May suspend.
 */
enum store_outcome gone_load(struct session *s, const struct mailboxes *all,
			     struct mailboxes *gone);
/* May suspend. */
enum store_outcome gone_is_subscribed(struct session *s, struct str path,
				      bool *is_subscribed);
