/* The MIME structure of a message: a tree of parts with their places in the text.  RFC
 * 2045, RFC 2046.  One pass over the text, line by line, with the open boundaries on a
 * stack, so that time is linear whatever is nested in what.
 *
 * Leniencies, each for mail that exists:
 * - LF_ENDS_LINES, NO_BLANK_LINE: as wire/mail/header.h has them;
 * - NO_CLOSING_BOUNDARY: an outer boundary or the end closes what is inside;
 * - NO_MIME_VERSION: Content-Type counts without the field MIME-Version;
 * - ENCODED_MULTIPART: a multipart's Content-Transfer-Encoding is passed over (RFC 2045
 *   §6.4 forbids others than 7bit, 8bit and binary).
 * A delimiter is a line of "--" boundary ["--"], and then nothing, or space and anything
 * (RFC 2046 §5.1.1); so "--b2" does not end a part of "--b". */
#pragma once

#include "wire/mail/params.h"
#include "wire/mail/transfer.h"

struct mail_envelope;

enum { MIME_PARTS_MAX = 10000, MIME_DEPTH_MAX = 100 };

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* its children are its body parts; there may be none */
	MIME_MESSAGE, /* message/rfc822 or message/global; its one child is the message */
};

struct mime_part {
	enum mime_kind kind;
	bool is_opaque; /* a bound was reached: what is inside was not looked at */
	struct mime_part *parent, *first, *last, *next; /* child: first, last; sibling */
	size_t child_count;

	size_t header_at, header_len; /* with the blank line; octets of the text */
	size_t body_at, body_len;     /* without the line end before a boundary */
	size_t lines;                 /* line ends in the body */

	/* What the header says.  Type and subtype are never empty: RFC 2045 §5.2 and RFC
	 * 2046 §5.1.5 give the default.  The others are "" where the field is missing,
	 * and on one line. */
	struct str type, subtype;
	struct mail_params params;
	enum mail_transfer transfer;
	struct str encoding; /* the field's value, for names we do not know */
	struct mail_disposition disposition;
	struct str id, description, language, location, md5;

	/* Of the message in a MIME_MESSAGE, once mime_read_envelopes() was called. */
	struct mail_envelope *envelope;
};

struct mime {
	struct mime_part *root; /* NULL only if the arena had no room for even that */
	size_t part_count;
	bool is_cut; /* some part is_opaque */
};

/* The slices borrow the text and the arena.  A part takes about 400 octets; a full arena
 * is a bound like the others. */
struct mime mime_parse(struct arena *arena, struct str text);
/* The same with bounds of one's own, for tests. */
struct mime mime_parse_within(struct arena *arena, struct str text, size_t parts_max,
			      size_t depth_max);
/* Reads the envelopes of all messages inside the message, as BODYSTRUCTURE shows them;
 * what an arena without room leaves out stays NULL. */
void mime_read_envelopes(struct arena *arena, struct str text, struct mime_part *root,
			 size_t addresses_max);
/* True for this type and subtype, compared without case. */
bool mime_is(const struct mime_part *part, const char *type, const char *subtype);
/* The part after this one in the order of the text, or NULL. */
struct mime_part *mime_next(struct mime_part *part);
