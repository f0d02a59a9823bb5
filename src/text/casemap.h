/* Comparison without case as IMAP does it: i;unicode-casemap, RFC 5051 §2.  Each
 * character becomes its titlecase, fully decomposed; equal results are equal texts, and
 * text is found in text if the results are.  ASCII goes without ICU. */
#pragma once

#include "base/buf.h"

/* Appends text (UTF-8; what is not well-formed is replaced) as that collation maps it. */
void casemap_add(struct buf *out, struct str text);
/* True if needle, mapped already, is in text, which is mapped into scratch; false if that
 * reaches its bound before the needle is found. */
bool casemap_contains(struct str text, struct str mapped_needle, struct buf *scratch);
/* The order of two texts by their maps, as str_cmp() has it; scratch as above. */
int casemap_cmp(struct str a, struct str b, struct buf *scratch);
