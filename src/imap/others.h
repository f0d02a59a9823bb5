/* Mailboxes of others that a client which said NOTIFY names: whose they are, and what
 * becomes of the rights to them.  RFC 5465 §5.4, §5.9.
 *
 * A mailbox is told of while it may be looked up and read.  Whenever the owner's log says
 * that one was made or renamed, or that rights have changed, his mailboxes are listed
 * again and compared with what the client knows. */
#pragma once

#include "imap/events.h"

enum { FOLLOWS_MAX = 500 }; /* owners of whom one session hears */

enum look {
	LOOK_FIRST, /* what is there, is known: only \NoAccess and STATUS are told */
	LOOK_QUIET, /* the subscriptions that changed are this session's own doing */
	LOOK_TELL,
};

/* Finds out whose mailboxes the wish names, and follows those who share any.  CONFLICT:
 * they are too many.  May suspend. */
enum store_outcome others_renew(struct session *s, struct events *events, enum look how);
/* This session has changed its subscriptions: who follows those hears of them from here
 * on.  May suspend. */
void others_subscribed(struct session *s);
/* Tells what has happened to them.  CONFLICT as for follow_read().  May suspend. */
enum store_outcome others_tell(struct session *s, struct events *events);
void others_end(struct events *events);
