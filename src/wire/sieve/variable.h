/* References to variables in a string of a Sieve script: "${name}", "${1}",
 * "${space.name}".  RFC 5229 §3. */
#pragma once

#include "base/str.h"

enum sieve_piece_kind {
	SIEVE_PIECE_TEXT,
	SIEVE_PIECE_VARIABLE, /* text is its name, compare without case */
	SIEVE_PIECE_MATCH,    /* number is its index; beyond the bound it is the bound */
	SIEVE_PIECE_FOREIGN,  /* text is a name with its namespace */
};

enum { SIEVE_MATCH_NUMBER_MAX = 1000 };

struct sieve_piece {
	enum sieve_piece_kind kind;
	struct str text;
	unsigned number;
};

/* Takes the first piece from the front of *text; false if that is empty.  Pieces of text
 * may come side by side. */
[[nodiscard]] bool sieve_piece_next(struct str *text, struct sieve_piece *piece);
/* True if text is what a script may call a variable with "set": an identifier. */
bool sieve_variable_name(struct str text);
