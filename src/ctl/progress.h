/* How far a command is that takes more than two seconds, on standard error. */
#pragma once

#include "base/base.h"

struct progress {
	uint64_t began_us, told_us;
	bool is_shown;
};

/* all 0: nobody knows how much it will be.  Tells it a few times a second on a terminal,
 * and twice a minute elsewhere. */
void progress_tell(struct progress *progress, const char *doing, uint64_t done,
		   uint64_t all);
/* Takes the line away. */
void progress_end(struct progress *progress);
