/* Packs: append-only files that hold mail bodies and the log of what was done.
 *
 * A pack is a header and groups; a group is what one commit of the writer added, and it
 * is there as a whole or not at all.  In a group are body records, each one compressed
 * mail, and operation records, which mean nothing here.  packgroup.c describes the bytes.
 *
 * One thread, the writer, opens, scans and appends; any thread reads bodies.  Nothing
 * suspends a task; the calls block on the disk.  What fails is logged here.
 */
#pragma once

#include "base/buf.h"

struct packs;

struct packs_options {
	const char *folder;      /* made if it is not there */
	uint64_t pack_bytes_max; /* a new pack is begun when one is this big */
};

struct pack_place {
	uint32_t pack; /* from 1 */
	uint64_t offset;
};

/* Where a body record is, and how long its frame. */
struct pack_body {
	uint32_t pack;
	uint64_t offset;
	uint64_t length;
};

/* Finds the packs.  ERR_SYNTAX: a header is damaged or of a newer format; *why is then a
 * sentence (in static memory). */
[[nodiscard]] err_t packs_open(const struct packs_options *options, struct packs **packs,
			       const char **why);
void packs_close(struct packs **packs);
/* The first place where a group can be; pack 0 if there is no pack yet. */
struct pack_place packs_first(const struct packs *packs);
/* The number that the first group there can have. */
uint64_t packs_first_sequence(const struct packs *packs);
/* The newest pack's; 0 if there is none. */
uint64_t packs_epoch(const struct packs *packs);
uint64_t packs_bytes(struct packs *packs);

/* ---- reading the log --------------------------------------------------------------- */

struct pack_group {
	uint64_t sequence;
	struct pack_place at, end;
	uint32_t records;
	struct str payload;
};
/* The operation records of the group one after the other; false at the end.  *rest starts
 * as the payload. */
bool pack_next_operation(struct str *rest, struct str *operation);

struct pack_scan {
	struct pack_place end;    /* after the last intact group */
	uint64_t sequence;        /* of the last intact group */
	uint64_t groups, damaged; /* intact ones; stretches lost between intact ones */
	bool is_torn;             /* something incomplete stands at the end */
};
/* Gives each intact group from that place on to take() (which may be NULL), in order;
 * sequence is of the last group before it.  A bad stretch that intact groups follow is
 * damage: reported, counted and passed over.  A bad end is a torn tail.  Fails as take()
 * does, or with ERR_IO where the disk cannot be read. */
[[nodiscard]] err_t packs_scan(struct packs *packs, struct pack_place from,
			       uint64_t sequence,
			       err_t (*take)(void *arg, const struct pack_group *group),
			       void *arg, struct pack_scan *scan);
/* True if an intact group header with that number stands at that place. */
bool packs_has_group(struct packs *packs, struct pack_place at, uint64_t sequence);

/* ---- appending --------------------------------------------------------------------- */

/* Ready to append after the end that a scan found; cuts what stands behind it.  With
 * is_fresh_pack the next group begins a new pack, as after a failed flush. */
[[nodiscard]] err_t packs_start(struct packs *packs, const struct pack_scan *scan,
				uint64_t epoch, bool is_fresh_pack);
/* Begins a group, in a new pack where that is due: its sequence number is one more than
 * the last.  *at is where it will be. */
[[nodiscard]] err_t packs_begin(struct packs *packs, struct pack_place *at);
/* The frame is borrowed until the group is written or dropped. */
[[nodiscard]] err_t packs_add_body(struct packs *packs, uint32_t account,
				   uint64_t message, uint64_t raw_size, struct str frame,
				   struct pack_body *body);
/* Copied. */
[[nodiscard]] err_t packs_add_operation(struct packs *packs, struct str operation);
/* Takes back what was added since: only for additions of this group. */
struct pack_group_size {
	size_t bytes, pieces, borrowed;
	uint32_t records;
};
struct pack_group_size packs_size(const struct packs *packs);
void packs_cut_back(struct packs *packs, struct pack_group_size size);
void packs_drop(struct packs *packs);
/* Writes the group; it is not durable yet, and not part of the packs before
 * packs_flush().  After a failure nothing was added, and the next group may be tried,
 * unless packs_is_broken(). */
[[nodiscard]] err_t packs_write(struct packs *packs, struct pack_place *end,
				uint64_t *sequence);
/* Now it is.  A failure breaks the packs: nobody knows what is on disk. */
[[nodiscard]] err_t packs_flush(struct packs *packs);
/* Nothing can be appended before packs_mend(), packs_scan() and packs_start(). */
bool packs_is_broken(const struct packs *packs);
/* Lets go of the broken descriptor and of what the cache believes. */
[[nodiscard]] err_t packs_mend(struct packs *packs);

/* ---- bodies ------------------------------------------------------------------------ */

/* Appends octets [offset, offset + room) of the frame.  The record's header is checked
 * always, the frame where it is read whole.  ERR_SYNTAX: this body is damaged;
 * ERR_ABSENT: no such pack. */
[[nodiscard]] err_t packs_read(struct packs *packs, struct pack_body body,
			       uint64_t offset, size_t room, struct buf *frame,
			       uint64_t *raw_size);
