/* The canonical forms of a message that DKIM and ARC sign: "simple" and "relaxed", of
 * header fields and of the body.  RFC 6376 §3.4.
 *
 * The body goes through in pieces of any size, and nothing of it is kept: what comes out
 * are mostly slices of what went in.  Lines end in CRLF; a CR or LF that stands alone is
 * an octet like others.
 */
#pragma once

#include "base/buf.h"

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };
enum { DKIM_CANONS = 2 };

/* Takes what comes out, in order. */
struct dkim_sink {
	void (*take)(void *context, struct str piece);
	void *context;
};

/* A body on its way; start with {.canon = ...}. */
struct dkim_canon_body {
	enum dkim_canon canon;
	uint64_t line_ends; /* that wait for what follows: at the end they do not count */
	bool has_space;     /* relaxed: white space waits likewise */
	bool has_cr;        /* the last octet was CR */
	bool has_text;      /* something has come out */
};

void dkim_canon_body_add(struct dkim_canon_body *body, struct str piece,
			 const struct dkim_sink *sink);
void dkim_canon_body_end(struct dkim_canon_body *body, const struct dkim_sink *sink);

/* Appends one whole field in its canonical form, without a CRLF at the end.  The field
 * comes with or without one. */
void dkim_canon_field(enum dkim_canon canon, struct str field, struct buf *out);
