/* Header text for people: encoded words and raw octets as one line of UTF-8. */
#pragma once

#include "base/buf.h"

/* Appends an unstructured value (Subject, a display name, a comment), folds and all, with
 * its encoded words decoded (RFC 2047) and raw octets taken as UTF-8 or windows-1252.
 * Control characters become spaces, and space at both ends goes. */
void text_header_add(struct buf *out, struct str value);
/* Appends a parameter's value in its charset (RFC 2231), and, since mailers write them
 * into quotes, with encoded words decoded if no charset is given. */
void text_param_add(struct buf *out, struct str value, struct str charset);
