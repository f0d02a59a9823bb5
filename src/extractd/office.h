/* The text of office programs' files: OOXML (ECMA-376: docx, xlsx, pptx) and OpenDocument
 * (odt, ods, odp), which are XML in ZIP archives. */
#pragma once

#include "extract/extract.h"

enum {
	OFFICE_PLAIN_MAX = 64 << 20, /* octets of XML that are looked at */
};

/* As document_text(). */
enum extract_outcome office_add_text(struct str archive, struct buf *text);
