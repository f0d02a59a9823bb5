/* The messages between those who ask and the extractd process.  Decoders take any octets.
 *
 *   EXTRACT_OPEN   the size of a document, and bounds -> EXTRACT_GO, when it is its turn
 *   EXTRACT_PART   its next octets -> EXTRACT_GO; of the last ones: EXTRACT_ANSWER
 *   EXTRACT_MORE   -> EXTRACT_PIECE, the next octets of the text
 *
 * Anything else, or in another order, is answered EXTRACT_ANSWER with LATER, and that
 * document is forgotten. */
#pragma once

#include "base/codec.h"
#include "extract/extract.h"

enum extract_message {
	EXTRACT_OPEN = 1,
	EXTRACT_PART,
	EXTRACT_MORE,
	EXTRACT_GO = 64,
	EXTRACT_ANSWER,
	EXTRACT_PIECE,
};

enum { EXTRACT_PART_BYTES = 256 * 1024, EXTRACT_MESSAGE_MAX = EXTRACT_PART_BYTES + 64 };

struct extract_opening {
	uint32_t size;
	struct extract_bounds bounds;
};
void extract_encode_opening(struct buf *body, const struct extract_opening *opening);
[[nodiscard]] bool extract_decode_opening(struct str body,
					  struct extract_opening *opening);

struct extract_answer {
	struct extract_reply reply;
	uint32_t text_len; /* of which the first octets are here */
	struct str text;
};
void extract_encode_answer(struct buf *body, const struct extract_answer *answer);
/* Borrows body. */
[[nodiscard]] bool extract_decode_answer(struct str body, struct extract_answer *answer);
