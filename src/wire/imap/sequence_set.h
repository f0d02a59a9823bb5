/* sequence-set: which messages, by number or by UID.  RFC 9051 §9.
 *
 * A set is kept as sorted, disjoint ranges.  "7:*" cannot be one of them before the
 * largest number is known, so it is kept as a mark; of several the lowest is enough, as
 * there is nothing beyond "*".
 */
#pragma once

#include "base/buf.h"
#include "wire/imap/token.h"

struct imap_range {
	uint32_t first, last; /* first <= last; never 0 */
};

struct imap_sequence_set {
	struct imap_range *ranges;
	size_t count;
	uint32_t star_from; /* of "7:*" the 7, of "*" UINT32_MAX; 0 if there is no "*" */
	bool is_saved;      /* "$", the result of the last SEARCH (RFC 5182) */
};

/* The ranges lie in the input's arena. */
bool imap_sequence_set(struct imap_in *in, struct imap_sequence_set *set);
/* Replaces the mark: with max the largest number in use, "*" is max and "7:*" is 7:max
 * in either order.  With max 0 (an empty mailbox) the mark stands for nothing.  The set
 * came from the parser, which left room for one more range. */
void imap_sequence_set_resolve(struct imap_sequence_set *set, uint32_t max);
/* In a resolved set. */
bool imap_sequence_set_has(const struct imap_sequence_set *set, uint32_t number);
/* Sorts and merges ranges in place; returns how many are left. */
size_t imap_ranges_normalise(struct imap_range *ranges, size_t count);
/* Writes "1:3,7"; nothing for an empty set. */
void imap_ranges_write(struct buf *out, const struct imap_range *ranges, size_t count);

/* Writes a set number by number, in their order, in its shortest form and in constant
 * memory.  Only what ascends by one becomes a range (RFC 5267 §3.2). */
struct imap_set_writer {
	struct buf *out;
	struct imap_range open; /* not yet written */
	bool has_written;
};
void imap_set_add(struct imap_set_writer *writer, uint32_t number);
void imap_set_end(struct imap_set_writer *writer);
