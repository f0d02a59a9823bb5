/* Going back to the snapshot.  Private to upgrade/. */
#pragma once

#include "upgrade/snapshot.h"

/* For part_run(), with part->aside: the folder for what is newer, which exists and is the
 * store's owner's.  Makes, in next/, what is to take the place of what there is. */
[[nodiscard]] err_t rollback_prepare(struct part *part);
/* It does; what there was goes to aside/newer, and the snapshot is no more.  Does what
 * has not been done yet. */
[[nodiscard]] err_t rollback_switch(struct part *part);
