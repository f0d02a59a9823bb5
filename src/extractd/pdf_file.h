/* What pdf.c and pdf_font.c share: an open file, and the ways into it.  A handle is
 * dropped when it is no longer used, or with all others behind each page. */
#pragma once

#include <qpdf/qpdf-c.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/document/pdf_text.h"

enum {
	PDF_FONTS_MAX = 500,
	PDF_NAME_MAX = 128,
	PDF_ITEMS_MAX = 1000000, /* of arrays in fonts */
};

struct pdf_file {
	qpdf_data qpdf;
	size_t content_left, items_left;
	struct arena arena; /* of fonts */
	struct {
		int object, generation;
		const struct pdf_font *font;
	} fonts[PDF_FONTS_MAX];
	size_t font_count;
};

/* The value of a dictionary's key, "/Name"; null if it has none, or is no dictionary. */
qpdf_oh pdf_key(struct pdf_file *file, qpdf_oh object, const char *key);
/* The same, and drops the dictionary. */
qpdf_oh pdf_key_of(struct pdf_file *file, qpdf_oh object, const char *key);
/* A number of an array; otherwise if there is none. */
double pdf_item(struct pdf_file *file, qpdf_oh array, int at, double otherwise);
double pdf_number(struct pdf_file *file, qpdf_oh object, const char *key,
		  double otherwise);
/* Without its slash; "" if it is no name.  Good until the next call. */
struct str pdf_name(struct pdf_file *file, qpdf_oh object);
/* Appends what a stream holds, unpacked; false if that cannot be. */
bool pdf_stream(struct pdf_file *file, qpdf_oh object, struct buf *out);

/* pdf_font.c: NULL if there is no room. */
const struct pdf_font *pdf_font_load(struct pdf_file *file, qpdf_oh object);
