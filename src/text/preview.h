/* The first words of a message, as lists of mails show them.  RFC 8970 §3.3. */
#pragma once

#include "base/buf.h"

struct mime_part;

enum { PREVIEW_CHARS_MAX = 200 }; /* RFC 8970 §3.3: SHOULD; in UTF-8 up to 800 octets */

/* The part that a reader sees first: the first text/plain that is no attachment, else the
 * first text/html; NULL if there is none.  Messages inside the message are not it. */
const struct mime_part *preview_part(struct mime_part *root);
/* Appends the beginning of that part as one line of UTF-8 with single spaces; nothing if
 * there is no such part.  It looks at the first 4 KiB of plain text, 32 KiB of HTML. */
void preview_add(struct buf *out, struct str message, struct mime_part *root);
