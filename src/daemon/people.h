/* The domain and the accounts of `postrider dev`. */
#pragma once

#include "base/base.h"

struct supervisor;

#define DEV_DOMAIN   "postrider.test"
#define DEV_PASSWORD "pass"

/* admin, alice, bob and user1 to userN; those of an earlier start stay as they are, were
 * they changed or removed since.  DIR/run/dev-accounts remembers how far that start came.
 * Suspends.  False, and said why, if it cannot be done. */
bool people_add(struct supervisor *supervisor, const char *folder, unsigned users);
