/* Mailboxes by their full names ("Archive/2026"): one's own, and those of others
 * (imap/shares.h). */
#pragma once

#include "imap/session.h"
#include "store/acl.h"

/* RFC 8474: the letters keep the ids of mailboxes and messages apart. */
#define MAILBOX_ID "F%llu"
#define MESSAGE_ID "M%llu"
#define THREAD_ID  "T%llu"

struct mailbox {
	struct mailbox_row row;
	account_t account;     /* whose it is; a visit, if it is somebody else's */
	account_t owner;       /* the same as an account */
	struct str path;       /* UTF-8, levels joined by "/" */
	struct mailbox *above; /* NULL at the top */
	bool is_visible;       /* for LIST: it may be looked up, or one below it */
	bool has_children;
	bool has_subscribed_below;
	bool is_nonexistent; /* only a name (imap/gone.h) */
};

struct mailboxes {
	account_t account, owner; /* as of each */
	struct mailbox *list;     /* parents before children */
	size_t count;
};

/* All that are one's own, in the scratch arena.  May suspend. */
enum store_outcome mailboxes_load(struct session *s, struct mailboxes *all);
/* Those among which a mailbox of that name is, or would be. */
enum store_outcome mailboxes_load_for(struct session *s, struct str path,
				      struct mailboxes *all);
/* Of an account or visit, as yet without names, with so many empty places in front. */
enum store_outcome mailboxes_load_of(struct session *s, account_t account, size_t front,
				     struct mailboxes *all);
/* Names them; those without a parent are below the last in front. */
enum store_outcome mailboxes_name(struct session *s, struct mailboxes *all);
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
/* "* MYRIGHTS name rights" */
void mailbox_write_rights(struct session *s, const struct mailbox *mailbox);
/* Reads anew what a listing does not tell, for those items: what one has seen in somebody
 * else's, and what is recent by now. */
enum store_outcome mailbox_refresh(struct session *s, struct mailbox *mailbox,
				   unsigned items);
