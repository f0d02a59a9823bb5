/* The text that the content streams of a PDF show, in the order they show it.  ISO
 * 32000-1 §8.4.4, §9.4.  Where the next piece of text stands, compared with the end of
 * the last, says whether a new line or a new word begins; so much of the graphics state
 * is followed as that takes.
 *
 * Fonts and form XObjects are found by whoever has the file, who is asked for them by
 * their names. */
#pragma once

#include "base/buf.h"
#include "wire/document/pdf_cmap.h"

enum {
	PDF_TOKENS_MAX = 20000000, /* of one document; what is beyond is not looked at */
	PDF_FORMS_DEEP = 8,
	PDF_FORMS_MAX = 2000, /* shown in one document */
	PDF_STATES_MAX = 32,  /* saved by q; what is beyond is restored wrongly */
};

struct pdf_matrix {
	double a, b, c, d, e, f;
};
#define PDF_IDENTITY ((struct pdf_matrix){1, 0, 0, 1, 0, 0})

struct pdf_font {
	bool is_wide;         /* codes of two octets */
	bool is_utf16;        /* which are UTF-16; then nothing else counts: */
	struct pdf_cmap map;  /* goes first, where it has something */
	struct str text[256]; /* of codes of one octet, in UTF-8 */
	/* In thousandths of the font's size. */
	const uint16_t *widths;
	size_t width_count;
	uint16_t width_else; /* of codes beyond; 0: guessed */
};

struct pdf_text;

/* NULL: there is no such font, and its text is not known. */
typedef const struct pdf_font *pdf_font_find(void *arg, struct str name);
/* Calls pdf_text_form() if there is such a form. */
typedef void pdf_form_show(void *arg, struct pdf_text *text, struct str name);

struct pdf_state {
	struct pdf_matrix ctm;
	const struct pdf_font *font;
	double size, char_space, word_space, scale, leading;
};

struct pdf_text {
	struct buf *out;
	pdf_font_find *find;
	pdf_form_show *show;
	void *arg;
	uint64_t tokens_left;
	unsigned forms_left, depth;
	struct pdf_state now, saved[PDF_STATES_MAX];
	size_t saved_count, saved_least;
	struct pdf_matrix line, at; /* Tlm, Tm */
	bool has_end;               /* where the last text ended: */
	double end_x, end_y;
	struct buf octets; /* scratch */
};

void pdf_text_init(struct pdf_text *text, struct buf *out, pdf_font_find *find,
		   pdf_form_show *show, void *arg);
void pdf_text_fini(struct pdf_text *text);
/* Appends the text of a page, given its whole content, and a line end. */
void pdf_text_page(struct pdf_text *text, struct str content);
/* For show(): a form's content, in its own coordinates. */
void pdf_text_form(struct pdf_text *text, const struct pdf_matrix *matrix,
		   struct str content);
