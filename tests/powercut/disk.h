/* What a disk may hold when the power goes, by a trace (trace.h).
 *
 * Everything that a flush had covered is there.  Of what came later each sector of 512
 * octets is as it was, or as it became with one of the later writes; sizes, cuts, holes
 * and the names in a folder are as they were after some of the later calls, in their
 * order.
 */
#pragma once

#include "base/str.h"
#include "powercut/trace.h"

struct disk;

enum disk_fate {
	FATE_NONE,   /* nothing that was not flushed is there */
	FATE_ALL,    /* everything is: a process died, not the power */
	FATE_RANDOM, /* some of it is */
	FATE_LATER,  /* all but the first write of each file that was not flushed */
	FATE_FIRST,  /* of such writes the first alone */
	FATES,
};

/* root: the folder that the trace is about. */
struct disk *disk_new(struct str root);
/* The folder as it is, all of it durable. */
struct disk *disk_of(const char *folder);
/* The next call; payload stays where it is.  NULL, or what cannot be followed. */
const char *disk_follow(struct disk *disk, const struct trace_record *record,
			struct str payload);
/* Lets the power go: whoever calls this has no more use for the disk than disk_write().
 */
void disk_cut_power(struct disk *disk, enum disk_fate fate, uint64_t seed);
/* Makes the folder `to`, which is there and empty, like the root. */
void disk_write_out(struct disk *disk, const char *to);
