/* The mailboxes of the account as a client that listens knows them (RFC 5465): found by
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
	uint32_t children;
	unsigned events;  /* of it that the client wants to be told, of enum imap_event */
	unsigned pending; /* what happened that it was not told yet */
};

struct roster {
	struct roster_entry *list; /* by number */
	size_t count, room;
};

void roster_fini(struct roster *roster);
/* Fills one: each mailbox is added, in any order, and then it settles. */
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
