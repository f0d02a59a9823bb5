/* The header of a message or of a MIME part: its fields, in order, as slices of the
 * text.  RFC 5322 §2.2, §3.6, with what §4.5 obsoletes.  One pass, linear in the header,
 * however long a line or a fold is.
 *
 * Leniencies, each for mail that exists:
 * - LF_ENDS_LINES: a line may end in LF alone (mail from files and old gateways);
 * - MBOX_FROM_LINE: a first line "From " or ">From " is passed over (mbox imports);
 * - NO_BLANK_LINE: the first line that is no field and no fold ends the header, and the
 *   body begins with it;
 * - SPACE_BEFORE_COLON: "Subject : x" (RFC 5322 §4.5). */
#pragma once

#include "base/arena.h"

struct mail_field {
	struct str name;  /* as written, without the colon */
	struct str value; /* after the colon up to the last line end, folds and all */
	size_t at, len;   /* the whole field in the text, with its last line end */
};

/* A walk over the fields. */
struct mail_fields {
	struct str text;
	size_t at; /* where the next field begins; at the end, the header's length, which
		      counts the blank line */
	bool ended;
};

/* text begins with the header; what follows it need not be there. */
struct mail_fields mail_fields_over(struct str text);
/* The same for the header of a part inside a message, which has no mbox line. */
struct mail_fields mail_fields_of_part(struct str text);
/* False at the end of the header.  The slices borrow the text. */
[[nodiscard]] bool mail_fields_next(struct mail_fields *fields, struct mail_field *field);

struct mail_header {
	struct mail_field *fields;
	size_t count;
	size_t len;  /* octets, with the blank line; the body begins here */
	bool is_cut; /* there are more than fields_max fields, or the arena was full;
			len is right nevertheless */
};

/* All fields, at most fields_max of them. */
struct mail_header mail_header_split(struct arena *arena, struct str text,
				     size_t fields_max);
/* The first field of that name, compared without case, or NULL. */
const struct mail_field *mail_header_find(const struct mail_header *header,
					  struct str name);
/* The value as one line, without space at its ends: line ends before space are removed
 * (RFC 5322 §2.2.3), any others become a space.  A value of one line is borrowed; false
 * (and "") at the arena's bound. */
[[nodiscard]] bool mail_unfold(struct arena *arena, struct str value, struct str *line);
