/* What a store asked of its disk, in order: one record a call, written by record.c
 * (loaded into the process by LD_PRELOAD) and, between them, what the load was promised,
 * written by load.c.  A record is one write() with O_APPEND, so that the order in the
 * file is one that happened: a call is recorded after it returned, only a flush also
 * before it begins.  So a write that stands before FLUSH_BEGIN was complete when the
 * flush began; one that stands behind it, the flush may or may not have covered.
 */
#pragma once

#include "base/str.h"

enum trace_kind {
	TRACE_CREATE = 1,  /* file, payload: path; number: 1 if it is a folder */
	TRACE_WRITE,       /* file, at; payload: the octets; number: 1 if O_DSYNC */
	TRACE_CUT,         /* file, at: its new size */
	TRACE_ALLOCATE,    /* file, at: its size is at least that */
	TRACE_PUNCH,       /* file, at, number: zeros from at on, so many octets */
	TRACE_FLUSH_BEGIN, /* file, number of the flush; payload: path */
	TRACE_FLUSH_END,
	TRACE_RENAME, /* payload: from, NUL, to */
	TRACE_LINK,   /* likewise */
	TRACE_UNLINK, /* payload: path */
	TRACE_BLIND,  /* payload: what was done that this cannot follow */
	/* The load's: struct intent and so on, in note.h. */
	TRACE_INTENT,
	TRACE_ACKNOWLEDGED, /* number: of the group */
	TRACE_SHOWN,        /* number: of the last group that readers see */
};

struct trace_record {
	uint32_t kind, length; /* of the payload that follows */
	uint64_t file;         /* inode */
	uint64_t at, number;
};

/* All of a trace, mapped; "" if there is none. */
struct str trace_map(const char *path);
/* Takes the next record from the front; the payload stays where it is.  False at the end;
 * a process that was killed may leave half a record there. */
bool trace_next(struct str *rest, struct trace_record *record, struct str *payload);
