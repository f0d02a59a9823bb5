/* The one thread that changes the store.  Whatever commits and leases wait when it is
 * free are one group; there is no gathering delay.  While groups are flushed it prepares
 * the next one.  It also brings the index up to date, at its own pace or when a reader
 * asks, and does the housekeeping, a little right after that or more when it is idle. */
#pragma once

#include "storage/storage.h"

struct writer;

/* Starts the thread. */
struct writer *writer_open(struct storage *storage);
/* Nobody may be waiting any more. */
void writer_close(struct writer **writer);
/* By tasks; suspend until it is durable, or refused. */
void writer_commit(struct writer *writer, struct storage_commit *commit);
/* Several that do not depend on each other, in as few groups as can be. */
void writer_commit_all(struct writer *writer, struct storage_commit *commits,
		       size_t count);
/* One that nobody waits for: it goes when the index has all that came before, so that no
 * index commit has more than one of them. */
void writer_upkeep(struct writer *writer, struct storage_commit *commit);
void writer_lease(struct writer *writer, struct storage_lease *lease);
/* Suspends until readers see all that was committed before. */
void writer_catch_up(struct writer *writer);
