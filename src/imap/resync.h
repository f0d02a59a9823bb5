/* What happened in the selected mailbox since a mod-sequence that the client remembers.
 * RFC 7162 §3.1.4.1, §3.2.5, §3.2.6. */
#pragma once

#include "imap/session.h"

/* The messages among these whose mod-sequence is higher than since.  From the change log
 * if it reaches back so far, and then only they are looked at.  May suspend. */
enum store_outcome resync_changed(struct session *s, const struct imap_range *list,
				  size_t count, uint64_t since, struct uids *changed);
/* "* VANISHED (EARLIER) ..." for those among these that went since, but not for those
 * that the client is still to be told of. */
enum store_outcome resync_vanished(struct session *s, const struct imap_range *list,
				   size_t count, uint64_t since);
/* Both, as a SELECT with QRESYNC wants them. */
enum store_outcome resync_select(struct session *s, const struct imap_select *select);
