/* The ToUnicode CMap of a PDF's font: which text a code stands for.  ISO 32000-1
 * §9.10.3, Adobe Technical Note 5014 §1.4.  Of the language that CMaps are written in
 * only the three operators that matter are known. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { PDF_CMAP_MAX = 100000 /* lines of a CMap; more are passed over */ };

struct pdf_cmap_line {
	uint32_t first, last;
	struct str text; /* UTF-16BE of the first; the others' last unit counts up */
};

struct pdf_cmap {
	struct pdf_cmap_line *lines; /* by their first */
	size_t count;
};

/* What is malformed in it is passed over.  Its memory is in the arena; what has no room
 * there is missing. */
void pdf_cmap_parse(struct arena *arena, struct str bytes, struct pdf_cmap *cmap);
/* Appends the text of the code as UTF-8; false if it has none. */
bool pdf_cmap_add(const struct pdf_cmap *cmap, uint32_t code, struct buf *out);
/* Appends UTF-16BE as UTF-8. */
void pdf_utf16_add(struct buf *out, struct str text);
