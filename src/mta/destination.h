/* Destinations: what waits for each, how many connections it gets, and when it is left
 * alone.  The window grows with success and shrinks with trouble; one that nobody can
 * reach is not tried mail by mail. */
#pragma once

#include "mta/run.h"

/* The one that this row goes to; made if there is none. */
struct destination *destination_of(struct run *run, const struct queue_row *row);
/* One more row is there; how fast it is gets measured anew after a rest. */
void destination_count_row(struct destination *destination);
/* Whether it should take no more rows now. */
bool destination_is_full(const struct destination *destination);
/* In how many seconds a row for which it had no room is to come again.  Those that found
 * none come one after the other, as fast as the destination takes them: a backlog of any
 * length costs no more leases than mails that go out. */
int64_t destination_return_in_s(struct destination *destination);
bool destination_is_dead(const struct destination *destination);
/* Something waits there: sees to it that a worker comes. */
void destination_kick(struct destination *destination);
/* By the rate of the settings. */
bool destination_may_begin(const struct destination *destination);
/* One of its connections has nothing to do, or has something again. */
void destination_idle(struct destination *destination, bool is_idle);
/* The next waiting mail, out of its list, with a mail_ref() for the caller; NULL if none
 * may begin now.  mail_enter() puts it back. */
struct mail *destination_take(struct destination *destination);
/* A mail went through a connection. */
void destination_gain(struct destination *destination);
void destination_shrink(struct destination *destination);
/* Nobody could be reached: all that waits there gets this verdict. */
void destination_fail(struct destination *destination, const struct verdict *verdict,
		      struct str host);
/* Gives the waiting mails the verdict it died of. */
void destination_bury(struct destination *destination);
/* A connection has become free for those that wait for one. */
void destination_feed(struct run *run);
void destination_free_all(struct run *run);

/* worker.c: one connection, and the mails that go through it; a task's body. */
void worker_run(void *destination);
