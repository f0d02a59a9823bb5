/* Which messages of the maildrop are about to be read.  Clients ask for one after the
 * other, so a few are fetched from the store before it is their turn.  Calls may suspend.
 */
#pragma once

#include "pop3/maildrop.h"
#include "store/ahead.h"

struct reading {
	struct ahead *ahead; /* NULL until messages are read in order */
	struct arena page;   /* of the rows */
	struct message_row *rows;
	size_t count;
	uint32_t last; /* the number that was read last */
};

void reading_init(struct reading *reading);
void reading_fini(struct reading *reading);
/* The row of message number, good until the next call.  ABSENT: another session has
 * expunged it. */
enum store_outcome reading_row(struct reading *reading, struct maildrop *drop,
			       uint32_t number, const struct message_row **row);
/* Gives its body to take() piece by piece, until that returns false. */
enum store_outcome reading_body(struct reading *reading, struct maildrop *drop,
				const struct message_row *row,
				bool (*take)(void *arg, struct str), void *arg);
