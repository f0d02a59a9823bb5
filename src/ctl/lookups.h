/* The way of a command to a resolver of its own. */
#pragma once

#include <stdbool.h>

struct ctl;

/* Fills ctl->resolver, and ctl->fetch if it is wanted too; false: a sentence was said.
 * May suspend. */
bool ctl_open_lookups(struct ctl *ctl, bool is_fetching);
void ctl_close_lookups(struct ctl *ctl);
