/* What APPEND brings, up to the literal that holds the message.  RFC 9051 §6.3.12. */
#pragma once

#include "wire/imap/token.h"

struct imap_append {
	struct str mailbox;
	struct imap_flags flags;
	bool has_date;
	struct imap_date_time date;
	struct imap_literal message; /* announced; its octets are not in the input */
};

/* mailbox [SP flag-list] [SP date-time] SP literal, of which only the head is there.
 * literal8 is taken too (RFC 3516 §4.4). */
bool imap_append(struct imap_in *in, struct imap_append *append);
