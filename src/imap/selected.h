/* The selected mailbox as the client knows it, and how it learns of changes.
 *
 * The client knows the messages with UIDs below uid_next that were there when it was told
 * last; their sequence numbers are loaded when a command first needs them.  Changes are
 * taken from the store (collected) and told when the protocol allows it. */
#pragma once

#include "base/buf.h"
#include "imap/numbers.h"
#include "store/store.h"

struct session;
struct context;

struct selected {
	uint64_t mailbox;  /* 0: none */
	account_t account; /* whose it is; a visit, if it is somebody else's */
	uint32_t uid_validity;
	uint32_t rights;     /* as the client was told, of enum acl_right */
	bool has_new_rights; /* they may be others by now */
	bool is_read_only;
	bool is_gone; /* somebody deleted it */

	struct buf keywords;  /* that it was told of in FLAGS, each behind a space, */
	size_t keyword_count; /* so many (imap/permanent.h) */

	uint32_t count;    /* messages the client knows of */
	uint32_t uid_next; /* it knows of none from here on */
	bool is_numbered;  /* numbers hold exactly those */
	struct numbers numbers;

	uint64_t change;   /* the store's changes up to here were collected, */
	uint64_t modseq;   /* of which this was the last in this mailbox; */
	uint64_t told;     /* all up to here were told: HIGHESTMODSEQ */
	uint64_t sent;     /* the greatest mod-sequence since the last tagged response */
	bool has_new;      /* but these were not told: new messages, */
	uint32_t new_upto; /* the last of which has this UID, */
	struct uids gone;  /* messages that went, */
	struct uids flags; /* and messages whose flags changed */
	struct uids fresh; /* of the new ones, those to be told with more (NOTIFY) */
	struct uids saved; /* "$": what the last SEARCH saved (RFC 5182) */

	struct uids recents;   /* what is \Recent here (imap/recent.h), */
	uint32_t recent;       /* so many of those that the client knows, */
	uint32_t recent_taken; /* below this all that can be taken is, */
	bool owes_recent;      /* but it was not told how many yet */

	struct context *contexts; /* what is kept up to date (RFC 5267), */
	struct uids touched;      /* and of whose flags that has not been told */

	struct { /* what UIDBATCHES was asked last, and how things stood then */
		uint32_t size, first, last, count, uid_next;
	} batched;
};

/* Selects the mailbox, whose row it gives (in the scratch arena); the caller tells the
 * client about it.  Whatever was selected is left first. */
enum store_outcome selected_enter(struct session *s, account_t account, uint64_t mailbox,
				  bool is_read_only, struct mailbox_row *row);
bool selected_is(const struct session *s, account_t account, uint64_t mailbox);
void selected_leave(struct session *s);

/* Loads the sequence numbers.  May suspend.  On another outcome than OK the mailbox
 * changed in ways we cannot follow. */
enum store_outcome selected_number(struct session *s);
/* Takes the changes from the store.  Flags changed by our own commits (events_own()) were
 * told already. */
enum store_outcome selected_collect(struct session *s);
/* Collects, and sends EXPUNGE, EXISTS and FETCH for what happened, of these events (enum
 * imap_event); what is not told now is kept.  Says BYE if the mailbox is gone or cannot
 * be followed. */
err_t selected_tell(struct session *s, unsigned events);

/* "* 5 FETCH (", or "* 25996 UIDFETCH (" (RFC 9586 §3.3). */
void selected_write_fetch(struct session *s, uint32_t number, uint32_t uid);

/* How a set names messages. */
enum selected_by {
	BY_UID,
	BY_NUMBER,       /* all of which must be there */
	BY_NUMBER_THERE, /* those that are not are passed over */
};
/* The messages a command names, as sorted UID ranges in the scratch arena, all below
 * uid_next.  On failure *reason says why, for BAD. */
enum selected_set { SELECTED_OK, SELECTED_BAD, SELECTED_LOST };
enum selected_set selected_uids(struct session *s, const struct imap_sequence_set *set,
				enum selected_by by, struct imap_range **list,
				size_t *count, const char **reason);
