/* The front of a message as TOP sends it: the header, the blank line, and some lines of
 * the body.  The text comes in pieces.  RFC 1939 §7. */
#pragma once

#include "base/str.h"

struct top {
	uint64_t lines; /* of the body that are still wanted */
	bool is_in_body;
	bool is_line_empty; /* so far; set at the start of a line */
};

struct top top_of(uint64_t lines);
/* How many octets of the piece still belong to it; less than piece.len means that was the
 * end. */
size_t top_take(struct top *top, struct str piece);
