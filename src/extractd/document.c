#include "extractd/document.h"

#include "extractd/office.h"
#include "extractd/pdf.h"
#include "wire/mail/zip.h"

enum { PDF_FRONT = 1024 /* its mark stands there, as readers have it */ };

static bool is_pdf(struct str document)
{
	struct str front = str_first(document, PDF_FRONT);

	return str_find(front, STR("%PDF-")) < front.len;
}

enum extract_outcome document_text(struct str document, struct buf *text)
{
	if (is_pdf(document))
		return pdf_add_text(document, text);
	return zip_is(document) ? office_add_text(document, text) : EXTRACT_NONE;
}
