/* The text of an HTML body, for previews and search: no rendering, no links, no bounds
 * broken.  One pass over the octets, whatever they are. */
#pragma once

#include "base/buf.h"

/* Appends the text of html (UTF-8): tags, comments, and what is in head, script, style,
 * template and title are left out; character references are resolved (the common names
 * and all numbers); runs of white space become one space, and block elements begin on a
 * new line.  Stops after max octets. */
void html_text_add(struct buf *out, struct str html, size_t max);
