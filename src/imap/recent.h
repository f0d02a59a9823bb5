/* \Recent: which messages of the selected mailbox a session was the first to be told of.
 * RFC 3501 §2.3.2, §6.3.1, §7.3.2.  IMAP4rev2 has none (RFC 9051 App. E): who enabled it
 * hears nothing of it and takes nothing.
 *
 * The store keeps, beside a mailbox's counters, the first UID that nobody was told of as
 * recent.  What a session that may write is told, at SELECT and with each EXISTS, it
 * takes (OP_RECENT), if nobody else has; so each message is recent in one such session.
 * EXAMINE and STATUS only look.  If there is nothing recent, nothing is written, and who
 * takes does not wait for the disk: what is lost there makes messages recent once more.
 *
 * Who visits somebody else's mailbox sees none: to the owner they are recent still. */
#pragma once

#include "imap/session.h"

/* The mailbox was selected when its row was so.  May suspend. */
void recent_enter(struct session *s, const struct mailbox_row *row);
/* The same for who looks for a moment, and for nothing but what is \Recent. */
void recent_look(struct session *s, const struct mailbox_row *row);
/* A message is appended to that mailbox: true if it is the selected one, and op, behind
 * the append in its commit, takes what recent_come() would then; recent_took() is told
 * the result, and the UID behind the last that was appended. */
bool recent_goes_along(const struct session *s, account_t account, uint64_t mailbox,
		       struct store_op *op);
void recent_took(struct session *s, uint32_t first, uint32_t below);
/* These messages have come, the last of all.  May suspend.  After this and what follows,
 * where box.owes_recent is true the client wants to know how many there are. */
void recent_come(struct session *s, const struct numbers *fresh);
/* Others have gone, and the numbers are what the client knows now. */
void recent_gone(struct session *s);

/* What STATUS says: of the selected mailbox those that the session was told of. */
uint32_t recent_count(const struct session *s, account_t account,
		      const struct mailbox_row *row);
bool recent_is(const struct session *s, uint32_t uid);
/* The flags of a message of the selected mailbox as the client sees them. */
unsigned recent_flags(const struct session *s, const struct message_row *row);
/* "* 5 RECENT" */
void recent_write(struct session *s);
