/* What a client wants to be told of, whenever it happens.  RFC 5465 §8.
 *
 * Leniency: a group's events may stand without parentheses, as in the RFC's own first
 * example (§3.1), which clients were written after. */
#pragma once

#include "wire/imap/fetch.h"

enum { IMAP_NOTIFY_GROUPS_MAX = 30, IMAP_NOTIFY_MAILBOXES_MAX = 200 /* of a group */ };

/* A set of bits. */
enum imap_event {
	IMAP_EVENT_MESSAGE_NEW = 1,
	IMAP_EVENT_MESSAGE_EXPUNGE = 2,
	IMAP_EVENT_FLAG_CHANGE = 4,
	IMAP_EVENT_ANNOTATION_CHANGE = 8,
	IMAP_EVENT_MAILBOX_NAME = 16,
	IMAP_EVENT_SUBSCRIPTION_CHANGE = 32,
	IMAP_EVENT_MAILBOX_METADATA = 64,
	IMAP_EVENT_SERVER_METADATA = 128,
	IMAP_EVENT_OTHER = 256, /* a name that the RFC does not have */
};
#define IMAP_EVENTS_OF_MESSAGES                                                          \
	(IMAP_EVENT_MESSAGE_NEW | IMAP_EVENT_MESSAGE_EXPUNGE | IMAP_EVENT_FLAG_CHANGE |  \
	 IMAP_EVENT_ANNOTATION_CHANGE)

enum imap_watched {
	IMAP_WATCH_SELECTED,
	IMAP_WATCH_SELECTED_DELAYED,
	IMAP_WATCH_INBOXES,
	IMAP_WATCH_PERSONAL,
	IMAP_WATCH_SUBSCRIBED,
	IMAP_WATCH_SUBTREE,   /* of these mailboxes, themselves as well */
	IMAP_WATCH_MAILBOXES, /* these */
};

struct imap_event_group {
	enum imap_watched watched;
	const struct str *mailboxes; /* UTF-8 */
	size_t mailbox_count;
	unsigned events;         /* of enum imap_event; 0: NONE */
	struct imap_fetch items; /* MessageNew's; without a set, and empty if none */
};

struct imap_notify {
	bool is_set; /* false: NONE */
	bool wants_status;
	const struct imap_event_group *groups; /* at most one for the selected mailbox */
	size_t group_count;
	unsigned events; /* of all groups */
};

/* What follows "NOTIFY ". */
bool imap_notify(struct imap_in *in, struct imap_notify *notify);
/* "MessageNew" for one event. */
struct str imap_event_name(enum imap_event event);
