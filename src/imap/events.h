/* What a client that said NOTIFY is told of, and when.  RFC 5465.
 *
 * Who only said ENABLE METADATA (RFC 5464 §4.1) is told of annotations, as if asked for
 * with NOTIFY; what NOTIFY then asks for takes its place.
 */
#pragma once

#include "imap/follow.h"
#include "imap/session.h"
#include "store/acl.h"

struct mailbox;
struct mailboxes;

enum { EVENTS_WISH_BYTES = 32 << 10 };

struct events {
	struct arena arena; /* of the command that asked, from which wish borrows */
	struct imap_notify wish;
	bool is_asked;                           /* by NOTIFY */
	const struct imap_event_group *selected; /* of the wish; NULL: none is for it */
	unsigned others; /* events of other mailboxes that anybody asked for */
	struct follow own;
	struct follow **shared; /* whose mailboxes it names as well (imap/others.h) */
	size_t shared_count, shared_room;
	/* The log told so: who shares something with us, or what of it we subscribed to,
	 * has changed; and not only by this session. */
	bool has_shares_changed, is_by_others;
	bool awaits_others; /* it names some who share nothing yet: */
	deadline_t look_at; /* then we look again */
};

/* Takes the arena over; wish may be all zero: NOTIFY NONE. */
struct events *events_new(struct arena *arena, const struct imap_notify *wish);
void events_free(struct events **events);
/* No other mailbox than the selected one is followed any more. */
void events_forget_others(struct events *events);
/* What the wish says of a mailbox, of enum imap_event; *is_named: whether a group is for
 * it at all. */
unsigned events_of(const struct events *events, const struct mailbox *mailbox,
		   bool *is_named);
/* Sets what is told of it, by its name and rights. */
void events_watch(const struct events *events, const struct follow *follow,
		  struct roster_entry *entry);
/* Whether something was asked for that needs a right which is not there.  RFC 5465 §3.1.
 */
bool events_is_blocked(const struct roster_entry *entry);
/* Whether so many more mailboxes may be followed. */
bool events_has_room(const struct events *events, size_t more);

/* Learns which mailboxes there are: what happens from now on is told, and what was before
 * is in STATUS, if that was asked for.  INVALID: they are too many.  May suspend. */
enum store_outcome events_begin(struct session *s, struct events *events);
/* "* STATUS", if that was asked for of this one.  May suspend. */
void events_write_status(struct session *s, const struct events *events,
			 struct mailbox *mailbox);
/* ENABLE METADATA.  May suspend. */
void events_enable_metadata(struct session *s);

/* A commit of this session's own, which is told by its command's responses (RFC 5465 §5,
 * SHOULD). */
void events_own(struct session *s, account_t account, uint64_t change);
/* What it did was not told whole: the rest is told as if others had done it. */
void events_disown(struct session *s);
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
