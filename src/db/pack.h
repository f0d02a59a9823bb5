/* Packs: append-only files that hold mail bodies and the log of what was done.
 *
 * A pack is a header and groups; a group is what one commit of the writer added, and it
 * is there as a whole or not at all.  In a group are body records, each one compressed
 * mail, and operation records, which mean nothing here.  packgroup.c describes the bytes.
 *
 * One thread, the writer, opens, scans and appends; others may flush for it; any thread
 * reads bodies.  Nothing suspends a task; the calls block on the disk.  What fails is
 * logged here.
 */
#pragma once

#include "base/buf.h"

struct packs;

enum { PACK_LANES = 2 }; /* flushes that may be under way together */

struct packs_options {
	const char *folder;      /* made if it is not there; NULL: kept in memory */
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

/* Finds the packs.  A damaged header is made good for from the groups behind it;
 * ERR_SYNTAX: there are none either, or the pack is of another format; *why is then a
 * sentence (in static memory). */
[[nodiscard]] err_t packs_open(const struct packs_options *options, struct packs **packs,
			       const char **why);
void packs_close(struct packs **packs);
/* Packs whose headers are damaged; and writes them anew.  epoch: the store's now. */
unsigned packs_guessed(const struct packs *packs);
[[nodiscard]] err_t packs_restore_headers(struct packs *packs, uint64_t epoch);
/* The first place where a group can be; pack 0 if there is no pack yet. */
struct pack_place packs_first(const struct packs *packs);
/* The number that the first group there can have. */
uint64_t packs_first_sequence(const struct packs *packs);
/* The same of the first pack with a greater number; false if there is none. */
bool packs_first_behind(const struct packs *packs, uint32_t number,
			struct pack_place *place, uint64_t *sequence);
/* The newest pack's; 0 if there is none. */
uint64_t packs_epoch(const struct packs *packs);
/* On disk, without what was punched out. */
uint64_t packs_bytes(struct packs *packs);
/* The first pack whose number is greater than *number, and the size of its file; false if
 * there is none.  By any thread. */
[[nodiscard]] bool packs_next(struct packs *packs, uint32_t *number, uint64_t *size);
/* From the first octet of the first to that place, with all holes. */
uint64_t packs_used(struct packs *packs, struct pack_place end);
/* What a process that was killed had written, and not flushed, is on disk.  Before a scan
 * whose groups will be relied on. */
[[nodiscard]] err_t packs_settle(struct packs *packs);

/* Groups up to that number are known to have been durable, whatever headers say: scans
 * take what is wrong with them for damage. */
void packs_trust(struct packs *packs, uint64_t sequence);

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

enum body_state {
	BODY_WHOLE,
	BODY_PUNCHED, /* reads as zeros: nobody needed it any more, or the disk lost it */
	BODY_BAD,
};
struct pack_found {
	const char *header_at; /* in the payload */
	struct str frame;      /* likewise */
	uint64_t length;       /* of the frame */
	uint64_t raw_size;
	uint32_t account; /* that it was written for */
	uint64_t message;
	enum body_state state;
};
/* The body records, likewise; the frame is checked. */
bool pack_next_body(struct str *rest, struct pack_found *found);
/* Where it is, as packs_read() wants it. */
struct pack_body pack_found_at(const struct pack_group *group,
			       const struct pack_found *found);

/* A walk over the bodies of one pack, oldest first; starts as the pack's number. */
struct pack_walk {
	uint32_t pack;
	uint64_t at, group_end, next;
};
/* The next one; of found, the state is not looked at.  ERR_ABSENT: no more, or damage
 * ends the walk; ERR_IO.  By any thread. */
[[nodiscard]] err_t packs_walk(struct packs *packs, struct pack_walk *walk,
			       struct pack_found *found, struct pack_body *body);

struct pack_scan {
	struct pack_place end;    /* after the last intact group */
	uint64_t sequence;        /* of the last intact group */
	uint64_t groups, damaged; /* intact ones; stretches lost between intact ones */
	uint64_t bodies_lost;     /* damaged or punched ones in intact groups */
	bool is_torn;             /* something incomplete stands at the end */
};
/* A group is intact if its header and records are; a body in it may be damaged or punched
 * out all the same, if the group is known to have been durable.
 *
 * Gives each intact group from that place on to take() (which may be NULL), in order;
 * sequence is of the last group before it.  A bad stretch ends the scan as a torn tail if
 * no header behind it says that the first group lost there was durable: then it was never
 * acknowledged, nor was any after it, intact or not.  Otherwise it is damage: reported,
 * counted and passed over.  Fails as take() does, or with ERR_IO where the disk cannot be
 * read. */
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
/* True if packs_begin() is about to make a new pack: its header says that everything
 * before is durable, so the caller sees to that first. */
bool packs_wants_new(const struct packs *packs);
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
/* Writes the group; it is not durable yet, and nobody may be told of it before a
 * packs_flush().  durable is the number of a group that is, as are all before it.  After
 * a failure nothing was added, and the next group may be tried, unless packs_is_broken().
 */
[[nodiscard]] err_t packs_write(struct packs *packs, uint64_t durable,
				struct pack_place *end, uint64_t *sequence);
/* All groups written before the call are durable now.  By any thread, one at a time in
 * each lane (0 to PACK_LANES - 1), not while a group is begun in a new pack.  A failure
 * breaks the packs: nobody knows what is on disk.
 *
 * The kernel tells of a failed write-back once on each open file.  Each lane has its own,
 * so that no flush takes the bad news that was another's. */
[[nodiscard]] err_t packs_flush(struct packs *packs, unsigned lane);
/* Nothing can be appended before packs_mend(), packs_scan() and packs_start(). */
bool packs_is_broken(const struct packs *packs);
/* Lets go of the broken descriptor and of what the cache believes. */
[[nodiscard]] err_t packs_mend(struct packs *packs);

/* ---- bodies ------------------------------------------------------------------------ */

/* Appends octets [offset, offset + room) of the frame.  The record's header is checked
 * always, the frame before anything of its beginning is given.  ERR_SYNTAX: this body is
 * damaged; ERR_ABSENT: no such pack. */
[[nodiscard]] err_t packs_read(struct packs *packs, struct pack_body body,
			       uint64_t offset, size_t room, struct buf *frame,
			       uint64_t *raw_size);
enum { PACK_RUN_EXTRA = 4096 + 64 }; /* octets of a run beside each frame, at most */
/* Where a body's frame is in what packs_read_run() read, as long as the body's. */
struct pack_frame {
	err_t err; /* as of packs_read() */
	size_t from;
	uint64_t raw_size;
};
/* Reads the first of the bodies and those that stand right behind it, or nearly, at once:
 * what stands from one to the other is appended to octets, within its bound.  Gives how
 * many these are; 0 if the first is alone, or they cannot be read so: packs_read() it. */
size_t packs_read_run(struct packs *packs, const struct pack_body *bodies, size_t count,
		      struct buf *octets, struct pack_frame *frames);
/* Reads the record's header alone; found->state is not set.  ERR_SYNTAX: no body of that
 * length stands there; nothing is logged. */
[[nodiscard]] err_t packs_look(struct packs *packs, struct pack_body body,
			       struct pack_found *found);
/* True if the body is of the group that was begun and is not written yet. */
bool packs_is_coming(const struct packs *packs, struct pack_body body);
/* Punches the frames of the first *done of the bodies out, which are those of one pack:
 * they read as zeros from now on.  Nobody may need them, and a group that is durable must
 * name as durable what made them so (packgroup.c).  ERR_DENIED: the file system cannot;
 * ERR_IO or ERR_LIMIT.  By any thread. */
[[nodiscard]] err_t packs_punch(struct packs *packs, const struct pack_body *bodies,
				size_t count, size_t *done);
