/* Addresses of other servers: each has only so many connections at a time, however many
 * destinations lead there.  A destination that finds no place at any of its addresses is
 * parked: it keeps neither task nor connection, so that a slow server holds up nobody but
 * those whose mail it takes.  Places that come free are promised to the parked, in turn.
 */
#pragma once

#include "mta/run.h"

/* A place for one connection there; NULL if each is taken, or promised to others. */
struct remote *remote_enter(struct destination *destination, const struct address *at);
void remote_leave(struct remote **remote);
/* Somebody is parked there: who does not need its place should give it back. */
bool remote_is_wanted(const struct remote *remote);
/* May suspend, until woken, or until somebody wants a place at the remote (NULL: none).
 */
[[nodiscard]] err_t remote_wait(struct remote *remote, struct waiters *woken,
				deadline_t deadline);

/* Until a place there is free no worker is started for the destination; at once if there
 * is one now. */
void remote_park(struct destination *destination, const struct address *at);
/* What was promised to the destination, and is still, is for others. */
void remote_forgo(struct destination *destination);
/* It is about to be freed. */
void remote_forget(struct destination *destination);
/* All of them, at the end; no place is taken any more. */
void remote_free_all(struct run *run);
