/* What the glyphs of a PDF's simple fonts stand for: by their octet in one of the named
 * encodings (ISO 32000-1 Annex D), or by their name (Adobe Glyph List Specification §2):
 * "eacute", "uni00E9", "f_i", "a.alt". */
#pragma once

#include "base/buf.h"

enum pdf_encoding { PDF_STANDARD, PDF_WIN_ANSI, PDF_MAC_ROMAN };

/* "WinAnsiEncoding"; false if it is another one. */
bool pdf_encoding_find(struct str name, enum pdf_encoding *encoding);
/* The character of an octet, 0 if it has none. */
uint32_t pdf_encoding_code(enum pdf_encoding encoding, unsigned char octet);
/* Appends the glyph's text as UTF-8, letters with accents decomposed; false if the name
 * tells nothing. */
bool pdf_glyph_add(struct buf *out, struct str name);
