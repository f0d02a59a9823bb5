/* Asking for a new password. */
#pragma once

#include "base/buf.h"

/* From the terminal, twice and without echo, or the first line of standard input.  False,
 * with a sentence in *why, if there is none that can be used.  Blocks. */
[[nodiscard]] bool password_read(bool from_stdin, struct buf *password, const char **why);
