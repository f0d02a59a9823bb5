/* Address lists of From, To, Cc and so on, with groups, as IMAP's ENVELOPE shows them.
 * RFC 5322 §3.4, the obsolete forms of §4.4, UTF-8 as RFC 6532 §3.2 allows it.
 *
 * It reads any octets; what makes no sense is passed over up to the next comma.
 * Leniencies, each for mail that exists:
 * - COMMENT_IS_NAME: "joe@example.org (Joe Doe)" is named Joe Doe (RFC 822 custom), by
 *   the last comment that is not within angles;
 * - AT_IN_NAME: "joe@x.example <joe@x.example>" without the quotes it needs;
 * - NO_DOMAIN: "joe" and "<joe>" have an empty domain; several words without an address
 *   are only a name;
 * - SEMICOLON_SEPARATES: "a@x.example; b@x.example", as Outlook users type it;
 * - EMPTY_ELEMENT: commas side by side (RFC 5322 §4.4);
 * - NOT_CLOSED: a quote, comment, angle or group without its end; the opening mark of
 *   the first two then counts as a letter, the others end with the list;
 * - SPACE_IN_LOCAL: "joe doe@example.org" keeps one space;
 * - TEXT_AFTER_ADDRESS: what stands between ">" and the comma is dropped. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum mail_address_kind {
	MAIL_MAILBOX,
	MAIL_GROUP_START, /* only the name is set */
	MAIL_GROUP_END,   /* nothing is set */
};

struct mail_address {
	enum mail_address_kind kind;
	struct str name;   /* quotes and quoted pairs undone, encoded words not */
	struct str route;  /* "@a,@b" of RFC 5322 §4.4, mostly empty */
	struct str local;  /* quotes and quoted pairs undone */
	struct str domain; /* as written without space and comments; may be "[...]" */
};

struct mail_addresses {
	struct mail_address *items;
	size_t count;
	bool is_cut; /* there were more than max, or the arena was full */
};

/* The list in a field's value, folds and all, of at most max items; a group's start and
 * end are never one without the other.  Slices borrow the value or the arena.  Linear. */
struct mail_addresses mail_addresses_parse(struct arena *arena, struct str value,
					   size_t max);
/* Appends local as a dot-atom, or quoted where it is none.  RFC 5322 §3.4.1. */
void mail_local_add(struct buf *buf, struct str local);
/* Appends a display name of UTF-8: quoted, or as encoded words where it is more than
 * printable ASCII or might be taken for such.  RFC 5322 §3.4, RFC 2047 §5. */
void mail_name_add(struct buf *buf, struct str name);
