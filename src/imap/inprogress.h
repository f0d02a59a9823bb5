/* Tells the client, now and then, that a command goes on, so that it does not give up.
 * RFC 9585. */
#pragma once

#include "imap/session.h"

enum {
	INPROGRESS_S = 10,
	INPROGRESS_LEAST = 1000, /* messages that a commit needs no time for */
};

struct inprogress {
	struct session *s;
	struct str tag;
	uint64_t done, goal; /* messages */
	deadline_t due;
};

/* goal is to be set once it is known. */
struct inprogress inprogress_begin(struct session *s, const struct imap_command *command);
/* So many are done by now.  May suspend.  Only where an untagged response may be sent,
 * and nothing else is in s->out. */
void inprogress_step(struct inprogress *progress, uint64_t done);
/* store_commit() of an operation on so many messages, during which the client is told
 * that it goes on.  Nothing else may use the session meanwhile. */
enum store_outcome inprogress_commit(struct session *s,
				     const struct imap_command *command,
				     uint64_t messages, const struct store_commit *commit,
				     struct arena *arena, struct store_result *result);
