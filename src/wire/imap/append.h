/* What APPEND and REPLACE bring, up to each literal that holds a message or a piece of
 * one.  RFC 9051 §6.3.12; several messages are RFC 3502, "UTF8 (...)" is RFC 6855 §4,
 * CATENATE RFC 4469, REPLACE RFC 8508. */
#pragma once

#include "wire/imap/sequence_set.h"

/* One message. */
struct imap_append_message {
	struct imap_flags flags;
	bool has_date;
	struct imap_date_time date;
	bool is_catenated;           /* its parts follow "CATENATE (" */
	bool is_utf8;                /* it is within "UTF8 (" and ")" */
	struct imap_literal literal; /* announced; its octets are not in the input */
};

struct imap_append {
	struct imap_sequence_set replaced; /* of REPLACE: one message */
	struct str mailbox;
	struct imap_append_message first;
	struct str rest; /* what follows, if the first is catenated */
};

/* mailbox append-message: the latter's literal has only its head.  literal8 is taken too
 * (RFC 3516 §4.4). */
bool imap_append(struct imap_in *in, struct imap_append *append);
/* seq-number SP mailbox append-message */
bool imap_replace(struct imap_in *in, struct imap_append *append);
/* What stands behind a message's octets: nothing but CRLF (*is_end), or the next message
 * up to its octets.  After a message within UTF8 a ")" comes first. */
bool imap_append_next(struct imap_in *in, bool was_utf8, bool *is_end,
		      struct imap_append_message *next);

/* A piece of a catenated message. */
enum imap_cat_kind {
	IMAP_CAT_TEXT,
	IMAP_CAT_URL,
	IMAP_CAT_URL_LITERAL, /* whose octets are not in the input */
	IMAP_CAT_END,
};
struct imap_cat_part {
	enum imap_cat_kind kind;
	bool is_utf8;                /* the text is within "UTF8 (" and ")" */
	struct imap_literal literal; /* of TEXT and URL_LITERAL */
	struct str url;
};
/* The next part, or the ")" behind the last; before is the one before, NULL for the
 * first.  Where it has a literal, its head is the end of the input. */
bool imap_cat_part(struct imap_in *in, const struct imap_cat_part *before,
		   struct imap_cat_part *part);
