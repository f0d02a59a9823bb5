/* Mailboxes of others, which they share: "Other Users/ann@example.org/INBOX", and those
 * of accounts that nobody logs in to, "Shared/info@example.org/Orders".  RFC 2342.
 *
 * Each owner's account is visited (store_visit()) once a session; the store judges each
 * call by the rights of that moment. */
#pragma once

#include "imap/mailboxes.h"

#define OTHERS_ROOT STR("Other Users")
#define SHARED_ROOT STR("Shared")

struct share {
	account_t owner, visit;
};

/* True if a mailbox of that name would be somebody else's, or stand above them. */
bool shares_name(struct str path);
/* The owner whom the path names, by his visit.  ABSENT if there is none, or none who
 * shares anything.  May suspend. */
enum store_outcome shares_find(struct session *s, struct str path, account_t *owner,
			       account_t *visit);
/* Our visit to his account; ABSENT if he shares nothing with us.  May suspend. */
enum store_outcome shares_visit(struct session *s, account_t owner, account_t *visit);
/* All who may share something with us, each once; in the scratch arena. */
enum store_outcome shares_owners(struct session *s, account_t **owners, size_t *count);
/* Those to a mailbox of whom we subscribed, likewise. */
enum store_outcome shares_subscribed(struct session *s, account_t **owners,
				     size_t *count);
/* The owner's mailboxes of which we may know.  The first of the list is the namespace and
 * the second the owner; these are no mailboxes, and their id is 0. */
enum store_outcome shares_load(struct session *s, account_t owner, struct mailboxes *all);
/* Marks those that we subscribed to, and what is above them. */
enum store_outcome shares_mark_subscribed(struct session *s, struct mailboxes *all);
/* In somebody else's mailbox \Seen is the visitor's own, and no part of the message:
 * after messages were put there, sets it; in one's own mailbox, does nothing.  If it
 * cannot be set, they are there nevertheless.  May suspend. */
void shares_mark_seen(struct session *s, account_t account, uint64_t mailbox,
		      struct uid_set uids);
/* Ends all visits. */
void shares_end(struct session *s);
