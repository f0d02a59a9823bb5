/* Messages with what decides their order in front, so that sorting them seldom looks
 * anywhere else. */
#pragma once

#include "base/base.h"

struct ranked {
	uint64_t front; /* decides first, */
	uint32_t at;    /* then what is found here, */
	uint32_t uid;   /* then the place in the mailbox */
};

/* Less than, equal to or greater than 0; of two that have the same front. */
typedef int ranked_cmp(const void *arg, const struct ranked *a, const struct ranked *b);

/* cmp may be NULL.  Each pause_every comparisons calls pause(), if it is not NULL. */
void ranked_sort(struct ranked *list, size_t count, ranked_cmp *cmp, const void *arg,
		 void (*pause)(void));
/* How many of a sorted list come before this one. */
size_t ranked_before(const struct ranked *list, size_t count, const struct ranked *one,
		     ranked_cmp *cmp, const void *arg);
/* A signed number as a front. */
static inline uint64_t ranked_front(int64_t number)
{
	return (uint64_t)number ^ (uint64_t)1 << 63;
}
