/* The way to the store and the vault: those of the running server, or private ones. */
#pragma once

#include "base/base.h"

struct ctl;

/* Opens ctl->store and ctl->vault on ctl->conf.data_directory; false, and said why, if
 * that cannot be.  May suspend. */
bool ctl_connect(struct ctl *ctl);
/* The data there is not for this program as it is: says why, and what to do. */
void ctl_fail_format(struct ctl *ctl, const char *folder);
void ctl_disconnect(struct ctl *ctl);
