/* The way of a command to a resolver of its own.  Who waits for it is told so after two
 * seconds, and no command waits for ever: what cannot be told by then is "cannot tell
 * now". */
#pragma once

#include "mailauth/dns_lookup.h"

struct ctl;

enum { LOOKUPS_SECONDS = 9 }; /* for all questions about a domain of ours */

/* Fills ctl->resolver, and ctl->fetch if it is wanted too; false: a sentence was said.
 * May suspend. */
bool ctl_open_lookups(struct ctl *ctl, bool is_fetching);
void ctl_close_lookups(struct ctl *ctl);
/* Whom the command asks; for so many seconds from the first call on. */
const struct dns_lookup *ctl_lookup(struct ctl *ctl, unsigned seconds);
