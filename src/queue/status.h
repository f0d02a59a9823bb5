/* Enhanced status codes in plain words: what happened, and what the sender can do.  RFC
 * 3463 §3, and the registry that RFC 5248 made of it. */
#pragma once

#include "wire/smtp/reply.h"

struct status_words {
	const char *what;   /* a whole sentence */
	const char *advice; /* one or more; "" if there is nothing to do */
};

/* Never fails: for a code that nobody registered, what its subject says. */
struct status_words status_words(struct smtp_enhanced status);
