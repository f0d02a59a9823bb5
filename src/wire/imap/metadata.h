/* What follows GETMETADATA and SETMETADATA.  RFC 5464 §3.2, §4.2, §4.3, §5. */
#pragma once

#include "wire/imap/token.h"

enum {
	IMAP_ENTRIES_MAX = 100, /* of one command */
	IMAP_ENTRY_BYTES_MAX = 250,
};

struct imap_entry {
	struct str name;  /* "/private/comment", lower case, in the arena */
	struct str value; /* SETMETADATA; null for NIL: it goes */
};

enum imap_depth { IMAP_DEPTH_0, IMAP_DEPTH_1, IMAP_DEPTH_INFINITY };

struct imap_metadata {
	struct str mailbox; /* "" is the server */
	bool has_max_size;
	uint64_t max_size;
	enum imap_depth depth;
	const struct imap_entry *entries; /* at least one */
	size_t count;
};

/* [options SP] mailbox SP entries; options are taken behind the mailbox as well, where
 * the examples of the RFC have them. */
bool imap_getmetadata(struct imap_in *in, struct imap_metadata *metadata);
/* mailbox SP "(" entry SP value *(SP entry SP value) ")" */
bool imap_setmetadata(struct imap_in *in, struct imap_metadata *metadata);
/* "(" entry *(SP entry) ")", as LIST returns them (RFC 9590 §4). */
bool imap_entries(struct imap_in *in, struct imap_metadata *metadata);
