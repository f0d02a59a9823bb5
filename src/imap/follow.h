/* An account whose mailboxes a client that said NOTIFY is told of: its own, or somebody
 * else's as far as it may know of them.  RFC 5465.
 *
 * What happened is read from the account's change log, and looked up by the mailbox's
 * number: an event costs the same in an account of one mailbox and in one of thousands.
 * Changes of one mailbox that came while the client was busy are told as one, and so are
 * those of one annotation.  What waits to be told stays in the log: a client that does
 * not read costs no memory here.
 */
#pragma once

#include "imap/roster.h"
#include "imap/session.h"

struct events;

struct follow {
	account_t owner;   /* whose mailboxes they are */
	account_t account; /* the same, or our visit there */
	struct roster roster;
	struct store_watch watch; /* of a visit; one's own is the session's */
	uint64_t rings;           /* of it when the log was read last */
	deadline_t look_at;       /* then it is read, whether it rang or not */
	uint64_t upto;            /* the log was read up to here */
	uint64_t *changed;        /* mailboxes that have something pending */
	size_t changed_count, changed_room;
	uint64_t *lost; /* those that were said to be \NoAccess */
	size_t lost_count, lost_room;
	bool is_stale; /* a visit: the mailboxes have to be listed again */
};

void follow_fini(struct follow *follow);
/* Reads the log.  Tells of one's own mailboxes as it goes, and of annotations; CONFLICT
 * if the log does not reach back so far, or there is more than is followed.  May suspend.
 */
enum store_outcome follow_read(struct session *s, struct events *events,
			       struct follow *follow);
/* One STATUS for each mailbox whose messages have changed.  May suspend. */
enum store_outcome follow_tell_messages(struct session *s, struct follow *follow);

/* '* LIST (...) "/" name', of a mailbox that is there. */
void follow_write_name(struct session *s, const struct follow *follow,
		       const struct roster_entry *entry, struct str old_path,
		       bool is_no_access);
/* The same of one that is not; attributes: "\NonExistent". */
void follow_write_gone(struct session *s, struct str path, const char *attributes);
