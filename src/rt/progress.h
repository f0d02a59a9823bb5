/* How far a command is that takes more than two seconds, on standard error. */
#pragma once

#include "base/str.h"

struct progress {
	uint64_t began_us, told_us; /* began_us 0: with the first call */
	bool is_shown;
};

/* A few times a second on a terminal, and twice a minute elsewhere: now something is to
 * be told. */
bool progress_is_due(struct progress *progress);
/* Tells it, in place of what was told before. */
void progress_say(struct progress *progress, struct str text);
/* Both: how much of all was done; all 0: nobody knows how much it will be. */
void progress_tell(struct progress *progress, const char *doing, uint64_t done,
		   uint64_t all);
/* Takes the line away. */
void progress_end(struct progress *progress);
