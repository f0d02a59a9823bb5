/* The mailboxes of an account as a client that listens knows them (RFC 5465): found by
 * number, so that what the change log tells of one costs no look at the others. */
#pragma once

#include "base/buf.h"
#include "store/types.h"

enum { ROSTER_MAX = 5000 };

struct roster_entry {
	uint64_t id, parent; /* parent 0: at the top */
	struct str name;     /* of its own level; the roster's */
	enum mailbox_role role;
	bool is_container, is_subscribed;
	uint32_t rights; /* of enum acl_right */
	uint32_t children;
	unsigned wanted; /* of it that the client wants to be told, of enum imap_event, */
	unsigned events; /* and as far as the rights go */
	unsigned pending; /* what happened that it was not told yet */
	/* Whoever compares it with a new listing (others.c): it is in there; something
	 * came or went below it. */
	bool is_there, is_affected;
};

struct roster {
	struct str root;           /* above all, or "" */
	struct roster_entry *list; /* by number */
	size_t count, room;
};

void roster_fini(struct roster *roster);
/* What stands in front of all names: "Other Users/ann@example.org"; copied. */
void roster_root(struct roster *roster, struct str root);
/* Fills one, or adds many: each that is not in it is added, in any order, and then it
 * settles.  In between nothing is found. */
void roster_add(struct roster *roster, const struct mailbox_row *row);
void roster_settle(struct roster *roster);
/* NULL if it is not there.  An entry stays where it is until the next put or remove. */
struct roster_entry *roster_find(const struct roster *roster, uint64_t id);
/* Puts a new one in, or takes over its new place and name; its events and what is pending
 * stay. */
struct roster_entry *roster_put(struct roster *roster, const struct mailbox_row *row);
void roster_remove(struct roster *roster, uint64_t id);
/* Appends the full name ("Archive/2026"). */
void roster_path(const struct roster *roster, const struct roster_entry *entry,
		 struct buf *path);
