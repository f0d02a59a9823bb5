/* Octets and characters written as "${hex:24}" and "${unicode:e4}" in a string of a Sieve
 * script.  RFC 5228 §2.4.2.4. */
#pragma once

#include "base/arena.h"

/* The string with those replaced; borrows it if there are none.  What does not follow the
 * grammar stays as it is.  ERR_SYNTAX if a number is no character, ERR_LIMIT at the
 * arena's bound. */
[[nodiscard]] err_t sieve_encoded_decode(struct str text, struct arena *arena,
					 struct str *decoded);
