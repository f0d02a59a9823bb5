/* UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, at most U+10FFFF. */
#pragma once

#include "base/buf.h"

enum { UTF8_REPLACEMENT = 0xfffd };

/* How many octets at the front are ASCII; eight at a time. */
size_t utf8_ascii_len(struct str s);
bool utf8_valid(struct str s);
/* Takes one character from the front of *s, which must not be empty.  True if it was well
 * formed.  If not, *code is UTF8_REPLACEMENT and the octets of the broken character that
 * were right so far, at least one, are taken. */
bool utf8_take(struct str *s, uint32_t *code);
/* Appends the character; what is no character is appended as UTF8_REPLACEMENT. */
void utf8_add(struct buf *buf, uint32_t code);
/* Appends s with broken characters replaced.  True if there were none. */
bool utf8_add_repaired(struct buf *buf, struct str s);
/* The longest front of s that has at most max octets and does not end inside a
 * character. */
struct str utf8_first(struct str s, size_t max);

/* What a terminal would obey rather than show: controls (C0, DEL, C1), line and paragraph
 * separators, and what turns the direction of the text around it. */
bool utf8_is_unseen(uint32_t code);
/* Appends s for people to see: what is unseen, and each octet that is no UTF-8, as
 * "\x1b". */
void utf8_add_shown(struct buf *buf, struct str s);
