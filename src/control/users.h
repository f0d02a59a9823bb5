/* The system users that processes run as, and to whom their files belong. */
#pragma once

#include "control/child.h"

/* The role's own user "postrider-ROLE", or "postrider"; false if there is neither. */
[[nodiscard]] bool child_user(enum child_role role, uid_t *uid, gid_t *gid);
