/* The words of a PDF's content streams and of the CMaps in its fonts: ISO 32000-1 §7.2
 * and §7.3.  What is malformed becomes a word of its own or ends with the input.
 *
 * Leniency: NOT_CLOSED, a string without its end goes to the end. */
#pragma once

#include "base/buf.h"

enum pdf_kind {
	PDF_NUMBER,
	PDF_STRING, /* (...): raw is what stands between the parentheses */
	PDF_HEX,    /* <...>, likewise */
	PDF_NAME,   /* without its slash */
	PDF_WORD,   /* an operator, or an octet that begins nothing */
	PDF_ARRAY_BEGIN,
	PDF_ARRAY_END,
	PDF_DICT_BEGIN,
	PDF_DICT_END,
};

struct pdf_token {
	enum pdf_kind kind;
	struct str raw; /* borrows the input */
	double number;
};

/* Takes the next token off the front of *rest; false if there is none. */
bool pdf_token_take(struct str *rest, struct pdf_token *token);
/* Appends the octets of a PDF_STRING or PDF_HEX; never more than raw has. */
void pdf_string_add(struct buf *out, const struct pdf_token *token);
/* Appends a name with its "#xx" undone. */
void pdf_name_add(struct buf *out, struct str raw);
