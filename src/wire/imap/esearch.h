/* Where ESEARCH is to look.  RFC 7377 §2.2, §4; RFC 5465 §6. */
#pragma once

#include "wire/imap/token.h"

enum { IMAP_SOURCES_MAX = 200 }; /* of one command */

enum imap_source_kind {
	IMAP_SOURCE_SELECTED,
	IMAP_SOURCE_INBOXES,
	IMAP_SOURCE_PERSONAL,
	IMAP_SOURCE_SUBSCRIBED,
	IMAP_SOURCE_SUBTREE,     /* the mailbox and all below it */
	IMAP_SOURCE_SUBTREE_ONE, /* and those just below it */
	IMAP_SOURCE_MAILBOX,
};

struct imap_source {
	enum imap_source_kind kind;
	struct str mailbox; /* of the last three */
};

struct imap_sources {
	const struct imap_source *list;
	size_t count; /* 0: none were given, which means the selected mailbox */
};

/* esearch-source-opts, behind "IN": SP "(" ... ")". */
bool imap_sources(struct imap_in *in, struct imap_sources *sources);
