/* Annotations that have changed, as unsolicited METADATA responses tell them: by their
 * names alone, each once.  RFC 5464 §4.4.2. */
#pragma once

#include "imap/session.h"

struct annotated {
	account_t self; /* whose private ones are told */
	struct changed_entry {
		uint64_t mailbox; /* 0: the server */
		struct str entry; /* of a change_row; borrowed */
	} * list;
	size_t count, room;
};

void annotated_fini(struct annotated *annotated);
/* Nothing, if it is somebody else's private one. */
void annotated_add(struct annotated *annotated, const struct change_row *row);
/* By mailbox, then by name; each once.  To be called before the others. */
void annotated_sort(struct annotated *annotated);
/* "* METADATA path /shared/comment ..." of the mailbox at that place; "": the server.
 * Returns the next mailbox's place. */
size_t annotated_write(struct session *s, const struct annotated *annotated, size_t at,
		       struct str path);
size_t annotated_skip(const struct annotated *annotated, size_t at);
