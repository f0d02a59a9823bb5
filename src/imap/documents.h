/* The documents that are attached to the message that a search looks at. */
#pragma once

#include "imap/message.h"
#include "search/attached.h"

struct documents {
	struct buf texts; /* of the message's, mapped */
	bool are_read;    /* they have been asked for */
	uint64_t waited_ms;
};

void documents_init(struct documents *documents);
void documents_fini(struct documents *documents);
/* Another message is looked at. */
void documents_turn(struct documents *documents);
/* A command is over: gives its memory back. */
void documents_rest(struct documents *documents);
/* What stands in them, mapped, one behind the other; good until the next turn.  The
 * message is held, and its structure known.  May suspend: 20 s at most in all of a
 * command; what cannot be told in that time is missing. */
struct str documents_texts(struct documents *documents, struct search_text *scratch,
			   struct message *message);
