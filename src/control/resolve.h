/* A resolver process started for one command alone: what the command line asks the DNS
 * has nothing to do with a server that may run beside it. */
#pragma once

#include "control/child.h"

struct lookups;

/* conf is as conf_encode() wrote it, anchors what it says of them.  May suspend.  *fd,
 * the caller's, is a channel to it.  Logs its failures. */
[[nodiscard]] err_t lookups_open(struct str conf, struct str anchors,
				 struct lookups **lookups, int *fd);
/* A fetchd process beside it; roots is tls.trusted-roots. */
[[nodiscard]] err_t lookups_fetch(struct lookups *lookups, struct str conf,
				  struct str roots, int *fd);
/* May suspend, until the processes have ended. */
void lookups_close(struct lookups **lookups);

/* Gives a resolver process the file of trust anchors, if one is set; without it the
 * process does not begin. */
void lookups_give_anchors(struct child *child, struct str anchors);
/* Gives the mta its passwords for other servers, if there are any. */
void lookups_give_logins(struct child *child, struct str logins);
/* Gives a process whom to trust; "" is the system's own. */
void lookups_give_roots(struct child *child, struct str roots);
