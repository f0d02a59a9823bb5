/* The text in the XML of office programs, by libxml2: no entities, no network, no
 * document type; depth and lengths within the library's own bounds. */
#pragma once

#include "base/buf.h"

enum xml_text_kind {
	XML_OOXML,        /* ECMA-376: text stands in elements t and v */
	XML_OPENDOCUMENT, /* ISO/IEC 26300: in p and h, and what they hold */
};

struct xml_text;

/* Appends to `text`, which stays the caller's. */
struct xml_text *xml_text_new(enum xml_text_kind kind, struct buf *text);
void xml_text_free(struct xml_text **xml);
/* The next octets of the XML.  False: there is no more to be had. */
bool xml_text_feed(struct xml_text *xml, struct str piece);
