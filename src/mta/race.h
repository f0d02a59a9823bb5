/* Connecting to whichever of a host's addresses answers first.  RFC 8305, of which: the
 * next address is tried after 250 ms, or as soon as one has failed.
 */
#pragma once

#include "net/address.h"
#include "rt/task.h"

struct conn;
struct mta_options;

struct race_result {
	struct conn *conn;
	size_t place; /* of the winner */
};

/* May suspend.  tried has a place for each address; those that are set are left out, and
 * those that fail, and the winner, are set.  ERR_CLOSED if none answers. */
[[nodiscard]] err_t race_connect(const struct mta_options *mta, const struct address *at,
				 size_t count, bool *tried, deadline_t deadline,
				 struct race_result *result);
