/* What format a document has, and its text. */
#pragma once

#include "extract/extract.h"

/* Appends the text, as UTF-8, up to text's bound, which is no failure.  Blocks, takes as
 * long as it takes, and memory that only the process's limit bounds. */
enum extract_outcome document_text(struct str document, struct buf *text);
