/* What APPEND brings, up to each literal that holds a message.  RFC 9051 §6.3.12; several
 * messages are RFC 3502, "UTF8 (...)" is RFC 6855 §4. */
#pragma once

#include "wire/imap/token.h"

/* One message. */
struct imap_append_message {
	struct imap_flags flags;
	bool has_date;
	struct imap_date_time date;
	bool is_utf8;                /* it is within "UTF8 (" and ")" */
	struct imap_literal literal; /* announced; its octets are not in the input */
};

struct imap_append {
	struct str mailbox;
	struct imap_append_message first;
};

/* mailbox append-message: the latter's literal has only its head.  literal8 is taken too
 * (RFC 3516 §4.4). */
bool imap_append(struct imap_in *in, struct imap_append *append);
/* What stands behind a message's octets: nothing but CRLF (*is_end), or the next message
 * up to its octets.  After a message within UTF8 a ")" comes first. */
bool imap_append_next(struct imap_in *in, bool was_utf8, bool *is_end,
		      struct imap_append_message *next);
