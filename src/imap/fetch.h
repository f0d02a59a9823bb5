/* FETCH: rows and messages become responses, page by page.  RFC 9051 §6.4.5, §7.5.2. */
#pragma once

#include "imap/session.h"

/* Sends FETCH responses with these items (of enum imap_fetch_item) for the messages in
 * the UID ranges; those that went meanwhile are passed over. */
enum store_outcome fetch_items(struct session *s, const struct imap_range *list,
			       size_t count, unsigned items);
/* The same for those among them whose mod-sequence is higher; items with _MODSEQ. */
enum store_outcome fetch_changed(struct session *s, const struct imap_range *list,
				 size_t count, unsigned items, uint64_t since);
/* The same for messages whose flags are known; items are IMAP_FETCH_UID and _FLAGS. */
enum store_outcome fetch_runs(struct session *s, const struct flags_run *runs,
			      size_t count, unsigned items);
/* What a command asks for; seen: these have just become \Seen by it, NULL: none. Whatever
 * cannot be read, the rest is sent; but if is_broken nothing may follow. */
enum store_outcome fetch_asked(struct session *s, const struct imap_range *list,
			       size_t count, const struct imap_fetch *what,
			       const struct uids *seen, bool *is_broken);
/* The same for messages that the client is told of although it did not ask just now:
 * nothing becomes \Seen, and what cannot be read is passed over.  ERR_IO if the
 * connection cannot go on. */
err_t fetch_unasked(struct session *s, const struct imap_range *list, size_t count,
		    const struct imap_fetch *what);
