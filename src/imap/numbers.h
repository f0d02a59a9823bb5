/* Message sequence numbers: which UID is the n-th of the mailbox as the client knows it.
 *
 * Kept as runs of UIDs without a gap, so that a mailbox that was never thinned out costs
 * a few octets, and one with holes 12 octets a hole. */
#pragma once

#include "imap/uids.h"

struct number_run {
	uint32_t first, last; /* UIDs */
	uint32_t before;      /* messages in the runs before this one */
};

struct numbers {
	struct number_run *runs;
	size_t count, room;
};

void numbers_fini(struct numbers *numbers);
void numbers_clear(struct numbers *numbers);
uint32_t numbers_total(const struct numbers *numbers);
/* The highest UID; 0 if there is none. */
uint32_t numbers_last_uid(const struct numbers *numbers);
/* UIDs above all that are there, without a gap between them. */
void numbers_add(struct numbers *numbers, uint32_t first, uint32_t last);
/* The sequence number of a UID; 0 if it is not there. */
uint32_t numbers_of_uid(const struct numbers *numbers, uint32_t uid);
/* The UID of a sequence number between 1 and the total. */
uint32_t numbers_uid(const struct numbers *numbers, uint32_t number);
/* How many UIDs are there that are at most this. */
uint32_t numbers_up_to(const struct numbers *numbers, uint32_t uid);
/* Those of the UIDs in these ascending ranges that are there, from one place (from 0) on
 * and before the other, added to a set. */
void numbers_part(const struct numbers *numbers, const struct imap_range *list,
		  size_t count, uint64_t begin, uint64_t end, struct uids *part);
/* How many UIDs in these ranges are there. */
uint64_t numbers_among(const struct numbers *numbers, const struct imap_range *list,
		       size_t count);
/* Takes out, or puts in, sorted ranges of UIDs; those that are not there (are there) are
 * passed over. */
void numbers_remove(struct numbers *numbers, const struct uids *gone);
void numbers_insert(struct numbers *numbers, const struct uids *back);
