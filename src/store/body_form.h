/* How a body stands in its frame: with its runs of base64 decoded.
 *
 * Base64 is most of what people send, and does not compress below three quarters; decoded
 * it takes just these, costs the compressor nothing, and no longer spoils the statistics
 * of the text beside it.  So a door cuts runs out before it compresses, and puts them
 * back when it reads, octet for octet.
 *
 * A run is whole lines of one length with CRLF between them, strict base64, of which the
 * last may be shorter and padded; the CRLF behind it is text again.  Strict base64 says
 * the same octets in one way only, so that encoding again gives what was there.
 *
 *   frame = [head] zstd frame of the packed body, if small with the words of words.h
 *   head  = u32 0x184D2A5B (a skippable frame, RFC 8878 §3.1.2), u32 octets that follow,
 *           then for each run: var octets of text before it, var decoded octets,
 *           u8 letters a line / 4
 *
 * Without a head the packed body is the body.  Everything here is pure; the head may come
 * from anybody. */
#pragma once

#include "base/buf.h"

enum {
	BODY_RUNS_MAX = 64,
	BODY_RUN_MIN = 768, /* decoded octets that are worth a run */
	BODY_DECODED_MAX =
		16 << 20, /* of a body: the memory for it; the rest stays text */
	BODY_LINE_MAX = 255 * 4,
	BODY_HEAD_MAX = 8 + BODY_RUNS_MAX * 21,
};

struct body_run {
	uint64_t text; /* octets between the run before and this one */
	uint64_t len;  /* decoded octets, at least 1 */
	unsigned line; /* letters of a line, a multiple of 4 */
};

struct body_form {
	size_t count, head_len;
	struct body_run runs[BODY_RUNS_MAX];
};

/* The octets of the run in the body. */
uint64_t body_run_size(const struct body_run *run);

/* Finds the runs of the body, and appends their octets to decoded. */
void body_form_find(struct str raw, struct body_form *form, struct buf *decoded);
/* Appends the head; nothing if there is no run. */
void body_form_add(struct buf *out, const struct body_form *form);
/* Takes the head off the front of a frame.  False if it is damaged. */
[[nodiscard]] bool body_form_read(struct str frame, struct body_form *form);
/* How many octets a body of that size has packed.  False if the runs are not in it. */
[[nodiscard]] bool body_form_packed(const struct body_form *form, uint64_t raw_size,
				    uint64_t *packed_size);
/* Makes the body in its room, of which the packed body is the end. */
void body_form_expand(const struct body_form *form, char *room, size_t raw_size,
		      size_t packed_size);

/* The same in pieces; start with {.form}. */
struct body_expander {
	const struct body_form *form;
	size_t run;  /* the one that we are in or before */
	uint64_t at; /* octets of its text, then of itself */
	bool in_run;
	size_t held; /* octets of a line that is not whole yet */
	char line[BODY_LINE_MAX / 4 * 3];
};
/* The most octets that so many packed ones become at a time: a line has 4 letters and
 * CRLF at least, and a run may end with 1 octet. */
#define BODY_EXPANDED(packed) (2 * (packed) + 4 * BODY_RUNS_MAX + 2 * BODY_LINE_MAX)
/* Appends what the packed octets say. */
void body_expand(struct body_expander *expander, struct str packed, struct buf *out);
