#include "storage/flush.h"

#include <signal.h>

#include "base/num.h"
#include "rt/clock.h"

static void lock(struct flusher *flusher)
{
	ASSERT(pthread_mutex_lock(&flusher->mutex) == 0);
}

static void unlock(struct flusher *flusher)
{
	ASSERT(pthread_mutex_unlock(&flusher->mutex) == 0);
}

enum { QUICK_US = 1000 };

/* Where flushes are quick, a second one only makes the groups of both smaller. */
static bool may_fly(const struct flusher *flusher)
{
	size_t lanes = flusher->usual_us < QUICK_US ? 1 : PACK_LANES;

	return flusher->wanted > flusher->started && !flusher->has_failed &&
	       flusher->flight_count < lanes;
}

/* ---- groups ------------------------------------------------------------------------ */

/* Those up to that number leave the list. */
static struct storage_group *take_upto(struct flusher *flusher, uint64_t sequence)
{
	struct storage_group *taken = flusher->first, **end = &taken;

	while (*end && (*end)->sequence <= sequence)
		end = &(*end)->next;
	flusher->first = *end;
	if (!flusher->first)
		flusher->last = &flusher->first;
	*end = NULL;
	return taken;
}

static void all_unknown(struct storage_group *groups)
{
	for (struct storage_group *group = groups; group; group = group->next) {
		for (size_t i = 0; i < group->count; i++)
			group->commits[i].outcome = STORE_UNKNOWN;
		for (size_t i = 0; i < group->lease_count; i++)
			group->leases[i]->outcome = STORE_UNKNOWN;
	}
}

/* Without the lock.  Afterwards they are their owners' again. */
static void all_done(struct storage_group *groups)
{
	while (groups) {
		struct storage_group *group = groups;

		groups = group->next;
		group->next = NULL;
		group->done(group);
	}
}

/* The group waits for a flush, which begins if it may; gives those that wait no more. */
static struct storage_group *await_flush(struct flusher *flusher,
					 struct storage_group *group)
{
	flusher->wanted = flusher->written;
	*flusher->last = group;
	flusher->last = &group->next;
	if (flusher->has_failed)
		return take_upto(flusher, UINT64_MAX);
	if (group->sequence <= flusher->durable)
		return take_upto(flusher, flusher->durable);
	if (may_fly(flusher))
		ASSERT(pthread_cond_signal(&flusher->filled) == 0);
	return NULL;
}

void flusher_add(struct flusher *flusher, struct storage_group *group, uint64_t sequence)
{
	lock(flusher);
	group->sequence = sequence;
	group->next = NULL;
	flusher->written = num_max(flusher->written, sequence);
	struct storage_group *done = group->is_soft ? group : await_flush(flusher, group);

	if (flusher->has_failed)
		all_unknown(done);
	unlock(flusher);
	all_done(done);
}

/* ---- the threads ------------------------------------------------------------------- */

/* The flush of that target has returned; gives the groups that are done by it. */
static struct storage_group *land(struct flusher *flusher, uint64_t target, err_t err)
{
	size_t landed = 0;

	for (size_t i = 0; i < flusher->flight_count; i++)
		if (flusher->flights[i].target == target)
			flusher->flights[i].has_landed = true;
	if (err != OK)
		flusher->has_failed = true;
	while (landed < flusher->flight_count && flusher->flights[landed].has_landed) {
		if (!flusher->has_failed)
			flusher->durable = flusher->flights[landed].target;
		landed++;
	}
	flusher->flight_count -= landed;
	memmove(flusher->flights, flusher->flights + landed,
		flusher->flight_count * sizeof *flusher->flights);
	ASSERT(pthread_cond_broadcast(&flusher->landed) == 0);
	if (may_fly(flusher))
		ASSERT(pthread_cond_broadcast(&flusher->filled) == 0);
	if (!flusher->has_failed)
		return take_upto(flusher, flusher->durable);
	struct storage_group *lost = take_upto(flusher, UINT64_MAX);

	all_unknown(lost);
	return lost;
}

/* One flush, with the lock held before and after. */
static void fly(struct flusher *flusher, unsigned lane)
{
	uint64_t target = flusher->written;

	flusher->started = target;
	flusher->flights[flusher->flight_count++] = (struct flight){.target = target};
	unlock(flusher);
	uint64_t began_us = clock_monotonic_us();
	err_t err = packs_flush(flusher->packs, lane);
	uint64_t took_us = clock_monotonic_us() - began_us;

	lock(flusher);
	flusher->flushes++;
	flusher->flush_us += took_us;
	flusher->usual_us = (flusher->usual_us * 7 + took_us) / 8;
	struct storage_group *done = land(flusher, target, err);

	unlock(flusher);
	all_done(done);
	lock(flusher);
}

static void *lane_run(void *arg)
{
	struct lane *lane = arg;
	struct flusher *flusher = lane->flusher;

	lock(flusher);
	while (!flusher->is_stopped)
		if (may_fly(flusher))
			fly(flusher, lane->number);
		else
			ASSERT(pthread_cond_wait(&flusher->filled, &flusher->mutex) == 0);
	unlock(flusher);
	return NULL;
}

/* ---- the writer's side ------------------------------------------------------------- */

bool flusher_drain(struct flusher *flusher)
{
	lock(flusher);
	flusher->wanted = flusher->written;
	if (may_fly(flusher))
		ASSERT(pthread_cond_signal(&flusher->filled) == 0);
	while (flusher->flight_count > 0 ||
	       (flusher->wanted > flusher->started && !flusher->has_failed))
		ASSERT(pthread_cond_wait(&flusher->landed, &flusher->mutex) == 0);
	bool is_whole = !flusher->has_failed;

	unlock(flusher);
	return is_whole;
}

bool flusher_has_failed(struct flusher *flusher)
{
	lock(flusher);
	bool has_failed = flusher->has_failed;

	unlock(flusher);
	return has_failed;
}

uint64_t flusher_durable(struct flusher *flusher)
{
	lock(flusher);
	uint64_t durable = flusher->durable;

	unlock(flusher);
	return durable;
}

void flusher_count(struct flusher *flusher, uint64_t *flushes, uint64_t *flush_us)
{
	lock(flusher);
	*flushes = flusher->flushes;
	*flush_us = flusher->flush_us;
	unlock(flusher);
}

/* ---- life -------------------------------------------------------------------------- */

static void threads_start(struct flusher *flusher)
{
	sigset_t all, before;

	ASSERT(sigfillset(&all) == 0);
	ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	for (unsigned i = 0; i < PACK_LANES; i++) {
		flusher->lanes[i].flusher = flusher;
		flusher->lanes[i].number = i;
		ASSERT(pthread_create(&flusher->lanes[i].thread, NULL, lane_run,
				      &flusher->lanes[i]) == 0);
	}
	ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	flusher->is_running = true;
}

void flusher_init(struct flusher *flusher)
{
	*flusher = (struct flusher){.last = &flusher->first};
	ASSERT(pthread_mutex_init(&flusher->mutex, NULL) == 0);
	ASSERT(pthread_cond_init(&flusher->filled, NULL) == 0);
	ASSERT(pthread_cond_init(&flusher->landed, NULL) == 0);
}

void flusher_start(struct flusher *flusher, struct packs *packs, uint64_t sequence)
{
	lock(flusher);
	ASSERT(flusher->flight_count == 0 && !flusher->first);
	flusher->packs = packs;
	flusher->written = flusher->wanted = sequence;
	flusher->started = flusher->durable = sequence;
	flusher->has_failed = false;
	unlock(flusher);
	if (!flusher->is_running)
		threads_start(flusher);
}

void flusher_fini(struct flusher *flusher)
{
	if (flusher->is_running) {
		(void)flusher_drain(flusher); /* whoever waited was told */
		lock(flusher);
		ASSERT(!flusher->first);
		flusher->is_stopped = true;
		ASSERT(pthread_cond_broadcast(&flusher->filled) == 0);
		unlock(flusher);
		for (unsigned i = 0; i < PACK_LANES; i++)
			ASSERT(pthread_join(flusher->lanes[i].thread, NULL) == 0);
	}
	ASSERT(pthread_cond_destroy(&flusher->filled) == 0);
	ASSERT(pthread_cond_destroy(&flusher->landed) == 0);
	ASSERT(pthread_mutex_destroy(&flusher->mutex) == 0);
}
