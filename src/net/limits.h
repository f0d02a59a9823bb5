/* How many connections are open: in all, and from each stranger (address_group()). */
#pragma once

#include "net/address.h"

struct limits;

enum limits_loopback { LOOPBACK_COUNTS, LOOPBACK_IS_FREE };

/* loopback: whether connections of this machine count against each_max (they always count
 * against total_max). */
struct limits *limits_new(size_t total_max, size_t each_max,
			  enum limits_loopback loopback);
/* Nobody may be inside. */
void limits_free(struct limits **limits);
/* Counts one more, or says that it would be too many.  Each true needs a leave. */
[[nodiscard]] bool limits_enter(struct limits *limits, const struct address *address);
void limits_leave(struct limits *limits, const struct address *address);
size_t limits_total(const struct limits *limits);
