/* How the store ended the last times: the file `unclean`.  It is there while the store is
 * open, and counts the starts in a row that did not end in good order; one that ended by
 * a fatal signal is marked by the signal's handler.  What it says is advice: it may be
 * lost. */
#pragma once

#include "base/base.h"

struct unclean {
	int fd;     /* -1: it could not be opened, and nothing is counted */
	char *path; /* NULL: it is not open */
};

struct unclean_starts {
	unsigned count; /* before this one, 9 at most */
	bool has_crashed;
};

void unclean_open(struct unclean *unclean, const char *path);
/* What it says of the starts before, once; counts this one as well. */
struct unclean_starts unclean_count(struct unclean *unclean);
/* What might have been wrong is not: this is the first. */
void unclean_begin_again(struct unclean *unclean);
/* In good order: nothing is left of it. */
void unclean_close(struct unclean *unclean, bool is_good);
