/* The account's mailboxes by their full names ("Archive/2026"). */
#pragma once

#include "imap/session.h"

/* RFC 8474: the letters keep the ids of mailboxes and messages apart. */
#define MAILBOX_ID "F%llu"
#define MESSAGE_ID "M%llu"
#define THREAD_ID  "T%llu"

struct mailbox {
	struct mailbox_row row;
	struct str path;       /* UTF-8, levels joined by "/" */
	struct mailbox *above; /* NULL at the top */
	bool has_children;
	bool has_subscribed_below;
};

struct mailboxes {
	struct mailbox *list; /* parents before children */
	size_t count;
};

/* All of them, in the scratch arena.  May suspend. */
enum store_outcome mailboxes_load(struct session *s, struct mailboxes *all);
/* By its name; NULL if there is none. */
struct mailbox *mailboxes_find(const struct mailboxes *all, struct str path);
/* Loads and finds; ABSENT if there is none of that name. */
enum store_outcome mailbox_find(struct session *s, struct str path,
				struct mailbox **found);
/* "\HasChildren \Sent": what LIST says of it between parentheses. */
void mailbox_write_attributes(struct buf *out, const struct mailbox *mailbox,
			      bool tells_subscribed);
/* "* STATUS name (...)" for these items, of enum imap_status_item; nothing if one cannot
 * be told.  May suspend. */
enum store_outcome mailbox_write_status(struct session *s, const struct mailbox *mailbox,
					unsigned items);
