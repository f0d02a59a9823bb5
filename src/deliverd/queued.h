/* Queued mail for who has a script: what mda/ asks for (struct mda, by_script). */
#pragma once

#include "store/types.h"

/* arg is a struct deliverd_options.  trace is what a keep puts in front of the text.  May
 * suspend. */
enum store_outcome queued_by_script(void *arg, const struct queue_row *row,
				    struct str key, struct str trace);
