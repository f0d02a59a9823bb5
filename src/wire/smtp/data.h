/* The text after DATA and BDAT, and text sent with dots: POP3's multi-line replies,
 * outgoing DATA.  RFC 5321 §4.1.1.4, §4.5.2; RFC 3030; RFC 1939 §3.
 *
 * Only CRLF "." CRLF ends a message; no other mixture of CR, LF and dots does, whoever
 * may read it so (SMTP smuggling).  Clean text is copied in blocks without looking at
 * single octets. */
#pragma once

#include "base/buf.h"

enum smtp_line_ends {
	SMTP_LINES_KEEP,   /* bare CR and LF stay as they are; the flags tell of them */
	SMTP_LINES_REPAIR, /* each bare CR and bare LF becomes CRLF, as RFC 6409 §8 allows
			    */
	SMTP_LINES_BINARY, /* any octets, not looked at; chunks only (RFC 3030 §3) */
};

struct smtp_data {
	/* the outcome so far */
	bool is_done;    /* the end mark was read */
	bool is_too_big; /* more than bytes_max; nothing further was kept */
	bool has_bare_cr, has_bare_lf, has_nul, has_8bit;
	uint64_t bytes; /* of the text without the dots and the end mark, kept or not */

	/* inside */
	uint64_t bytes_max;
	enum smtp_line_ends line_ends;
	bool is_chunked; /* no dots are undone and nothing in the text ends it */
	enum smtp_data_state {
		SMTP_DATA_START,  /* of a line */
		SMTP_DATA_DOT,    /* a dot that starts a line was held back */
		SMTP_DATA_DOT_CR, /* and a CR behind it */
		SMTP_DATA_MIDDLE, /* of a line */
		SMTP_DATA_CR,     /* a CR was held back */
	} state;
};

void smtp_data_init(struct smtp_data *data, enum smtp_line_ends line_ends,
		    uint64_t bytes_max);
/* Takes a piece of input of any size and appends the text to *text, whose own bound
 * counts as bytes_max does.  Returns how many octets were taken: all, or up to the end
 * mark's last, after which is_done is true and the rest is commands. */
size_t smtp_data_feed(struct smtp_data *data, struct str input, struct buf *text);

/* Text that comes in chunks of announced sizes instead: smtp_data_feed() takes each piece
 * of them whole.  RFC 3030 §2. */
void smtp_chunks_init(struct smtp_data *data, enum smtp_line_ends line_ends,
		      uint64_t bytes_max);
/* After the last; gives the last line its end if that is missing, unless it is binary. */
void smtp_chunks_end(struct smtp_data *data, struct buf *text);

/* The other way: text that comes in pieces, lines that start with a dot get another, bare
 * CR and LF become CRLF, because they must not be sent (RFC 5321 §2.3.8).  Start with
 * {0}. */
struct smtp_dots {
	bool is_in_line; /* the last line has no end yet */
	bool is_after_cr;
};

void smtp_dots_add(struct smtp_dots *dots, struct str text, struct buf *out);
/* Ends the last line if it needs that, and adds the end mark ".CRLF". */
void smtp_dots_end(struct smtp_dots *dots, struct buf *out);
