/* A mail, or only its header, as people copy it out of a program or a web page: with the
 * marks of a quotation in front, lines broken anew, and no blank line at its end.  Made
 * into lines that the other readers of headers understand.
 *
 * What is mended, up to the blank line that ends the header:
 * - BLANK_IN_FRONT: blank lines and a byte order mark in front of the first field;
 * - QUOTED: each line begins with the same run of blanks, or of ">" and a blank;
 * - BROKEN_FOLD: a line that is neither a field nor a fold goes on with the field before.
 *   So does one that only looks like a field: "12:34:56 +0000", "https://...".
 */
#pragma once

#include "base/buf.h"

struct mail_pasted {
	size_t mended;     /* lines that were put right */
	size_t header_len; /* octets appended, with the blank line */
	bool has_body;     /* something follows the blank line */
};

/* Appends raw to out with CRLF at line ends and a blank line behind the header.  Linear.
 */
void mail_pasted_add(struct buf *out, struct str raw, struct mail_pasted *pasted);
