/* What a client that said NOTIFY is told of, and when.  RFC 5465.
 *
 * What happened is read from the account's change log, and looked up by the mailbox's
 * number: an event costs the same in an account of one mailbox and in one of thousands.
 * Changes of one mailbox that came while the client was busy are told as one.
 * Mailboxes of others (imap/shares.h) are followed only while they are selected.
 */
#pragma once

#include "imap/roster.h"
#include "imap/session.h"

struct mailboxes;

enum { EVENTS_WISH_BYTES = 32 << 10 };

struct events {
	struct arena arena; /* of the command that asked, from which wish borrows */
	struct imap_notify wish;
	const struct imap_event_group *selected; /* of the wish; NULL: none is for it */
	unsigned others; /* events of other mailboxes that anybody asked for */
	struct roster roster;
	uint64_t upto;     /* the log was read up to here */
	uint64_t *changed; /* mailboxes that have something pending */
	size_t changed_count, changed_room;
};

/* Takes the arena over; wish may be all zero: NOTIFY NONE. */
struct events *events_new(struct arena *arena, const struct imap_notify *wish);
void events_free(struct events **events);
/* What the wish says of a mailbox of that name, of enum imap_event; *is_named: whether a
 * group is for it at all. */
unsigned events_of(const struct events *events, const struct mailbox_row *row,
		   struct str path, bool *is_named);

/* Takes in the mailboxes, if there are events of them to follow. */
void events_load(struct events *events, const struct mailboxes *all);

/* A commit of this session's own, which is told by its command's responses (RFC 5465 §5,
 * SHOULD). */
void events_own(struct session *s, account_t account, uint64_t change);
bool events_is_own(const struct session *s, account_t account, uint64_t change);

/* When the client is told of what happens in its selected mailbox. */
enum moment {
	MOMENT_NUMBERS, /* at the end of a command that counts with sequence numbers */
	MOMENT_COMMAND, /* at the end of another one */
	MOMENT_REMOVED, /* and of one that removes messages, which asks for EXPUNGE */
	MOMENT_IDLE,
	MOMENT_REST, /* between commands */
};
/* Of what then, of enum imap_event. */
unsigned events_selected(const struct session *s, enum moment moment);
/* Whether the client wants to be told between commands. */
bool events_at_rest(const struct session *s);
/* What a new message in the selected mailbox is told with; NULL: with nothing. */
const struct imap_fetch *events_items(const struct session *s);
/* Tells what happened elsewhere, if it was asked for.  May suspend. */
err_t events_tell(struct session *s);
