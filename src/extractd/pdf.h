/* The text of PDF (ISO 32000-1): libqpdf reads the file, its filters, and its encryption
 * where the password is empty; wire/document/pdf_text.h what the pages show. */
#pragma once

#include "extract/extract.h"

enum {
	PDF_PAGES_MAX = 10000,
	PDF_CONTENT_MAX = 64 << 20, /* octets of content streams, unpacked */
};

/* As document_text(). */
enum extract_outcome pdf_add_text(struct str document, struct buf *text);
