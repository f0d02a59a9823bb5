/* What LIST and STATUS ask for, and how a mailbox name matches a pattern.
 * RFC 9051 §6.3.9, §6.3.11; RFC 5258; RFC 6154 §2. */
#pragma once

#include "wire/imap/metadata.h"

enum {
	IMAP_LIST_PATTERNS_MAX = 100,
	IMAP_LIST_PATTERN_BYTES = 1000, /* of one, and of the reference */
};

enum imap_list_option {
	IMAP_LIST_SUBSCRIBED = 1, /* to select, and to return */
	IMAP_LIST_REMOTE = 2,
	IMAP_LIST_RECURSIVEMATCH = 4,
	IMAP_LIST_SPECIAL_USE = 8, /* to select, and to return */
	IMAP_LIST_CHILDREN = 16,
	IMAP_LIST_STATUS = 32,
	IMAP_LIST_MYRIGHTS = 64,  /* RFC 8440 */
	IMAP_LIST_METADATA = 128, /* RFC 9590 */
};

enum imap_status_item {
	IMAP_STATUS_MESSAGES = 1,
	IMAP_STATUS_UIDNEXT = 2,
	IMAP_STATUS_UIDVALIDITY = 4,
	IMAP_STATUS_UNSEEN = 8,
	IMAP_STATUS_DELETED = 16,
	IMAP_STATUS_SIZE = 32,
	IMAP_STATUS_RECENT = 64,            /* RFC 3501 */
	IMAP_STATUS_HIGHESTMODSEQ = 128,    /* RFC 7162 */
	IMAP_STATUS_MAILBOXID = 256,        /* RFC 8474 */
	IMAP_STATUS_APPENDLIMIT = 512,      /* RFC 7889 */
	IMAP_STATUS_DELETED_STORAGE = 1024, /* RFC 9208 */
};

struct imap_list {
	bool is_extended; /* anything of RFC 5258 was used */
	unsigned select;  /* of enum imap_list_option */
	unsigned returns;
	unsigned status_items;
	struct imap_metadata metadata; /* its entries */
	struct str reference;          /* UTF-8, as are the patterns */
	const struct str *patterns;    /* an empty one asks for the delimiter, if alone */
	size_t pattern_count;
};

/* What follows "LIST ". */
bool imap_list(struct imap_in *in, struct imap_list *list);
/* What follows "LSUB ": reference and one pattern. */
bool imap_lsub(struct imap_in *in, struct imap_list *list);
/* "(" status-att *(SP status-att) ")" */
bool imap_status_items(struct imap_in *in, unsigned *items);
/* The name of one item, as in requests and responses. */
struct str imap_status_item_name(enum imap_status_item item);
/* Does the name match reference and pattern joined?  "*" is anything, "%" anything within
 * one level.  INBOX matches in any case.  Its time is the product of the lengths. */
bool imap_list_match(struct str reference, struct str pattern, struct str name,
		     char delimiter);
