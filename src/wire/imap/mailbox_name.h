/* Mailbox names on the wire and as we keep them (UTF-8).
 *
 * Before ENABLE IMAP4rev2 they travel in modified UTF-7 (RFC 3501 §5.1.3), afterwards in
 * UTF-8 (RFC 9051 §5.1).  Only the one canonical form of modified UTF-7 is taken, so that
 * two spellings never name one mailbox.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { IMAP_MAILBOX_NAME_MAX = 5120 }; /* octets of UTF-8, all levels together */

/* True if it is valid UTF-8 without control characters (the C1 ones too) and not longer
 * than IMAP_MAILBOX_NAME_MAX. */
bool imap_mailbox_name_ok(struct str utf8);
/* From the wire.  Any case of INBOX becomes "INBOX", also as the first part of
 * "inbox/sub".  The name borrows from wire or from the arena. */
bool imap_mailbox_name_read(struct str wire, bool is_utf8, struct arena *arena,
			    struct str *name);
/* Modified UTF-7 for this name; true if it was one that imap_mailbox_name_ok() takes.
 * With escapes, "\" stands before what a quoted string needs it for. */
bool imap_mailbox_name_to_utf7(struct buf *out, struct str utf8, bool escapes);
/* The inverse; false if it is not canonical modified UTF-7. */
bool imap_mailbox_name_from_utf7(struct buf *out, struct str utf7);
