#include "wire/sieve/variable.h"

/* The pieces lie in the text one behind the other; those of text are all that is no
 * reference. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct str rest = {(const char *)data, len}, before = rest;
	struct sieve_piece piece;

	while (sieve_piece_next(&rest, &piece)) {
		ASSERT(rest.len < before.len);
		ASSERT(rest.ptr + rest.len == before.ptr + before.len);
		if (piece.kind == SIEVE_PIECE_TEXT)
			ASSERT(piece.text.len == before.len - rest.len);
		else
			ASSERT(piece.text.len + 3 <= before.len - rest.len);
		ASSERT(piece.number <= SIEVE_MATCH_NUMBER_MAX);
		before = rest;
	}
	ASSERT(rest.len == 0);
	return 0;
}
