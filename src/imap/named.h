/* The messages that a command names. */
#pragma once

#include "imap/session.h"

/* Their UIDs, as far as the client knows of them.  False: they cannot be had, and the
 * command was answered, with what *err then is. */
[[nodiscard]] bool named_uids(struct session *s, const struct imap_command *command,
			      const struct imap_sequence_set *set,
			      struct imap_range **list, size_t *count, err_t *err);
/* How many they are at most: not all in the ranges need be there. */
uint64_t named_at_most(const struct session *s, const struct imap_range *list,
		       size_t count);
/* The session ends, since the mailbox cannot be read. */
err_t named_unreadable(struct session *s);
