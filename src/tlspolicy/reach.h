/* Where a request that fetchd makes is to go; inside tlspolicy/ only. */
#pragma once

#include "base/arena.h"
#include "fetch/fetch.h"

struct resolver;

/* May suspend (DNS, until then; NEVER: as long as it takes).  Fills the request's
 * addresses with those of host; false if it has none. */
[[nodiscard]] bool reach(struct resolver *resolver, struct str host, deadline_t until,
			 struct arena *arena, struct fetch_request *request);
