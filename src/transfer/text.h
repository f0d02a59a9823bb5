/* Line ends of messages: CRLF with us, LF in files. */
#pragma once

#include "base/buf.h"

/* Appends the text with CRLF for every LF that has no CR before it. */
void text_add_crlf(struct buf *out, struct str text);
/* Appends the text with LF for every CRLF. */
void text_add_lf(struct buf *out, struct str text);
/* No IMAP client can be given a NUL (RFC 9051 §9, CHAR8); each becomes octet 128, as
 * other servers show it.  Returns how many there were. */
size_t text_mend_nuls(struct buf *text);
