/* Annotations of mailboxes, and of the server as one of us sees it.  RFC 5464.
 *
 * Each is a pair of the account whose mailbox it is, below "meta/MAILBOX/" (store/acl.h):
 * "s/comment" is /shared/comment, and "p/ACCOUNT/comment" is /private/comment of that
 * account.  So they stay when the mailbox is renamed and go when it is deleted.  Those of
 * the server are of mailbox 0, in one's own account, and private. */
#pragma once

#include "imap/mailboxes.h"

enum {
	METADATA_VALUE_MAX = 16 * 1024,
	METADATA_COUNT_MAX = 100, /* private ones of one person, and shared ones */
};

/* What the entries ask for of that mailbox (NULL: the server), as one METADATA response;
 * *longest is the size of the longest value that is longer than it may be. */
enum store_outcome metadata_write(struct session *s, const struct mailbox *mailbox,
				  const struct imap_metadata *asked, uint64_t *longest);
