/* Making the frame of a body (store/body_form.h), in one go or in pieces, and the body
 * again from a whole frame; client_body.c does that in pieces as well.  What a body's
 * frame is depends on nothing but the body: equal ones are found by it. */
#pragma once

#include <zstd.h>

#include "store/body_form.h"

struct frame_maker {
	ZSTD_CCtx *zstd; /* borrowed */
	struct body_form form;
	struct str rest;    /* of the body: what is not begun */
	struct str piece;   /* what is being compressed */
	struct buf decoded; /* the octets of all runs */
	size_t decoded_at;
	size_t run;  /* the next one, or the one of the piece */
	bool in_run; /* the piece is a run, else text */
	bool is_done;
};

/* The body is borrowed until the end.  The context is as after its creation, or as a
 * frame_maker left it. */
void frame_maker_begin(struct frame_maker *maker, ZSTD_CCtx *zstd, struct str raw);
/* Writes the next octets of the frame; room for at least BODY_HEAD_MAX.  0: it is done.
 */
size_t frame_make(struct frame_maker *maker, char *room, size_t len);
void frame_maker_end(struct frame_maker *maker);
/* Enough room to make it in one go. */
size_t frame_bound(size_t raw_size);

/* True if the frame says that it holds a body of raw_size octets, and is neither shorter
 * nor longer. */
bool frame_fits(struct str frame, uint64_t raw_size);
/* Makes the body in its room of raw_size octets, by a context of words_unpacker_new().
 * False if the frame holds no such body. */
[[nodiscard]] bool frame_unpack(ZSTD_DCtx *zstd, struct str frame, char *room,
				size_t raw_size);
