/* Gathers what a SORT compares: from the front of the digests, which come with the rows,
 * and for the few texts that are longer than they have room for from the whole digests.
 */
#pragma once

#include "imap/order.h"
#include "imap/scores.h"
#include "imap/session.h"

struct sorting {
	struct session *s;
	struct order *order;
	const struct scores *scores;
	struct uids long_ones; /* those whose texts are still to be read */
};

/* The scores are for RELEVANCY, and may become more while it goes on. */
struct sorting sorting_over(struct session *s, struct order *order,
			    const struct scores *scores);
void sorting_fini(struct sorting *sorting);
/* Adds a row that has ROW_KEYS, or notes it as a long one.  False at the bound. */
[[nodiscard]] bool sorting_add(struct sorting *sorting, const struct message_row *row);
/* Adds the long ones.  INVALID at the bound.  May suspend. */
enum store_outcome sorting_add_long(struct sorting *sorting);
/* Reads the messages and puts them where they belong; tells placed() of each.  Those that
 * went meanwhile are passed over. */
enum store_outcome sorting_insert(const struct sorting *sorting, const struct uids *uids,
				  void (*placed)(void *arg, uint32_t uid, size_t at),
				  void *arg);
