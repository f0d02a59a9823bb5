/* Asking for passwords. */
#pragma once

#include "base/buf.h"

/* From the terminal, twice and without echo, or the first line of standard input.  False,
 * with a sentence in *why, if there is none that can be used.  Blocks. */
[[nodiscard]] bool password_read(bool from_stdin, struct buf *password, const char **why);
/* The same for one that somebody else's server knows: asked for once, of any length, and
 * file, if not NULL, is where its first line is read. */
[[nodiscard]] bool password_for_another(bool from_stdin, const char *file,
					struct buf *password, const char **why);
