/* The header of a mail as it may be shown to others who look for a fault in how it came:
 * what people wrote and who they are is taken out, the way of the mail stays.  RFC 6590,
 * RFC 9991 §7.
 *
 * - Local parts of addresses become MAIL_REDACTED_LETTERS letters, always the same for
 *   the same local part and key, so that mails can be compared; names go.
 * - Fields that tell of the way and of proofs (Received, DKIM-Signature, ...) stay but
 * for that, and Date, Message-ID and their like as they are.
 * - Of all others, and of what cannot be read, the name alone stays: "Subject: -".
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"

enum {
	MAIL_REDACTED_LETTERS = 10,
	MAIL_REDACTED_FIELDS_MAX = 100,
	MAIL_REDACTED_VALUE_MAX = 4000,      /* octets; longer ones go */
	MAIL_REDACTED_BYTES_MAX = 64 * 1024, /* of the header before; the rest goes */
};

/* Appends the fields, as printable ASCII in lines of at most 998 octets; a field for
 * which there is no room in out ends it.  header: with or without its blank line. */
void mail_redact(struct str header, struct hash_key key, struct arena *scratch,
		 struct buf *out);
/* Appends an address, such as a reverse-path, likewise; "" stays so. */
void mail_redact_address(struct str address, struct hash_key key, struct buf *out);
