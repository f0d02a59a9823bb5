/* What a searching command found, in its order.  RFC 5267 §4.1. */
#pragma once

#include "imap/order.h"
#include "imap/scores.h"
#include "imap/uids.h"

struct mailbox;

struct found {
	const struct mailbox *in; /* to be told (RFC 7377 §2.1); NULL: not */
	struct uids uids;         /* as they stand in the mailbox */
	struct order order;       /* of a SORT, the same ones as that wants them */
	bool is_sorted;
	struct scores scores; /* of each, where that was asked for */
	uint64_t modseq;      /* the highest of them all */
};

void found_fini(struct found *found);
size_t found_count(const struct found *found);
/* Calls with the UIDs from one place (from 0) on that are before the other, until it
 * returns false. */
void found_each(const struct found *found, size_t begin, size_t end,
		bool (*take)(void *arg, uint32_t uid), void *arg);
/* The one at a place. */
uint32_t found_at(const struct found *found, size_t place);
