/* How often an hour something may be done for each of many names, and for all: so many
 * names are counted, and what is beyond is passed over.  Nothing suspends. */
#pragma once

#include "base/str.h"

enum { HOURLY_NAMES_MAX = 1000, HOURLY_NAME_MAX = 255, HOURLY_ALL_MAX = 1000 };

struct hourly;

/* limit: times an hour, for each name. */
struct hourly *hourly_new(unsigned limit);
void hourly_free(struct hourly **hourly);
/* True if it may be done now.  *passed_over: how often it was refused for that name since
 * it was done last, as far as the hour before and this one tell. */
[[nodiscard]] bool hourly_take(struct hourly *hourly, struct str name, int64_t now_s,
			       uint64_t *passed_over);
