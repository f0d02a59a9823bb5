/* The words a Sieve script is made of.  RFC 5228 §2.3, §2.4, §8.1.
 *
 * Leniency:
 * - LF_ENDS_LINES: a line may end in LF alone, as in files that people write; in strings
 *   that becomes CRLF. */
#pragma once

#include "base/arena.h"
#include "wire/cursor.h"

/* What is wrong with a script, and in which line. */
struct sieve_flaw {
	unsigned line;       /* from 1 */
	struct str sentence; /* for people, on one line, without controls; in the arena,
				or constant */
};

enum sieve_token_kind {
	SIEVE_END, /* of the script */
	SIEVE_IDENTIFIER,
	SIEVE_TAG,
	SIEVE_NUMBER,
	SIEVE_STRING,
	SIEVE_MARK, /* one of ; , ( ) [ ] { } */
};

struct sieve_token {
	enum sieve_token_kind kind;
	unsigned line;   /* where it begins */
	struct str text; /* the name as written, a tag's without its colon; a string as it
			    is meant; a mark itself */
	uint64_t number;
};

/* A walk over the tokens. */
struct sieve_tokens {
	struct cursor at;
	unsigned line;
	struct arena *arena; /* for strings that differ from what is written */
	struct sieve_flaw flaw;
};

/* Numbers beyond RFC 5228 §2.4.1's least bound are taken up to this. */
#define SIEVE_NUMBER_MAX ((uint64_t)INT64_MAX)

struct sieve_tokens sieve_tokens_over(struct str script, struct arena *arena);
/* Takes the next, which is SIEVE_END for ever at the end.  False, and tokens->flaw says
 * why, where there is none.  Its text borrows the script or the arena. */
[[nodiscard]] bool sieve_token_next(struct sieve_tokens *tokens,
				    struct sieve_token *token);
