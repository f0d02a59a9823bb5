/* Base64: writing it, reading our own and protocols' strictly, and reading MIME bodies
 * leniently in pieces.  RFC 4648 §4, RFC 2045 §6.8. */
#pragma once

#include "base/buf.h"

/* Appends the encoded bytes, padded, in one line. */
void base64_add(struct buf *buf, struct str bytes);
/* Writes the same, (len + 2) / 3 * 4 octets, and returns their count.  The bytes may lie
 * in the room that is written to, if the room does not end behind them. */
size_t base64_write(char *to, struct str bytes);
/* Appends the decoded bytes.  False, and nothing appended, unless text is whole padded
 * groups of the alphabet with zero spare bits (RFC 4648 §3.5), or at the buffer's bound.
 */
[[nodiscard]] bool base64_decode(struct str text, struct buf *out);

/* A MIME body that comes in pieces; start with {0}. */
struct base64_body {
	uint32_t bits;  /* the letters of the group that is not whole yet */
	unsigned count; /* how many, 0 to 3 */
};

/* Appends what text adds.  Octets outside the alphabet are skipped (RFC 2045 §6.8); a "="
 * ends its group, and decoding goes on after it, because some senders join padded
 * pieces.  The buffer's error latches. */
void base64_body_add(struct base64_body *body, struct str text, struct buf *out);
/* The rest, when the last group came without its padding. */
void base64_body_end(struct base64_body *body, struct buf *out);
