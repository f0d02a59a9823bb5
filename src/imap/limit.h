/* How many messages one command goes through.  RFC 9738. */
#pragma once

#include "imap/session.h"

/* With MESSAGELIMIT leaves of the list only the highest messages, as many as one command
 * may take, and notes in s->limited_uid from where on, for the response.  May suspend. */
enum store_outcome limit_ranges(struct session *s, struct imap_range **list,
				size_t *count);
/* The same for a COPY, which takes all or nothing; false if they are too many. */
enum store_outcome limit_copy(struct session *s, const struct imap_range *list,
			      size_t count, bool *fits);
/* Of a command that stores messages; 0: no limit. */
uint32_t limit_of_saving(const struct session *s);
