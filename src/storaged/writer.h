/* The one thread that changes the store.  Whatever commits wait when it is free are one
 * group, with one flush; there is no gathering delay.  Leases go through it as well, and
 * housekeeping when it is idle. */
#pragma once

#include "storage/storage.h"

struct writer;

struct lease_call {
	enum queue_kind kind;
	int64_t now, leased_until;
	size_t limit;
	struct arena *arena;
	struct queue_row *rows;
	size_t count;
	int64_t next_due;
	enum store_outcome outcome;
};

/* Starts the thread. */
struct writer *writer_open(struct storage *storage);
/* Nobody may be waiting any more. */
void writer_close(struct writer **writer);
/* By tasks; suspend until it is durable, or refused. */
void writer_commit(struct writer *writer, struct storage_commit *commit);
void writer_lease(struct writer *writer, struct lease_call *lease);
