#include "storaged/writer.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/mem.h"
#include "db/pack.h"
#include "rt/clock.h"
#include "rt/completion.h"

enum {
	IDLE_US = 2000 * 1000,           /* then housekeeping has a look */
	HOUSEWORK_US = 10 * 1000,        /* between its slices while nothing waits */
	HOUSEWORK_LOAD_US = 50 * 1000,   /* under load, */
	HOUSEWORK_LOOK_US = 5000 * 1000, /* or to see whether there is any */
	GROUP_MAX = 1024,
	/* One more than can be flushed together: what comes meanwhile gathers. */
	SLOTS = PACK_LANES + 1,
};

enum work { WORK_COMMIT, WORK_LEASE, WORK_CATCH_UP, WORK_UPKEEP };

/* What a task waits for; on its stack. */
struct job {
	struct job *next;
	enum work work;
	struct storage_commit *commit;
	struct storage_lease *lease;
	struct completion done;
};

struct jobs {
	struct job *first, **last;
};

/* A group under way. */
struct slot {
	struct storage_group group;
	struct writer *writer;
	bool is_busy; /* guarded by the writer's mutex */
	struct storage_commit commits[GROUP_MAX];
	struct storage_lease *leases[GROUP_MAX];
	struct job *commit_jobs[GROUP_MAX], *lease_jobs[GROUP_MAX];
};

struct writer {
	struct storage *storage;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	/* Guarded by the mutex: */
	struct jobs waiting;
	struct jobs catching_up;
	struct jobs upkeep; /* one for each index commit */
	size_t busy;
	bool is_stopped, is_resting;
	bool is_whole; /* as of its last look: the index has all that was committed */

	struct jobs fresh; /* of this turn of the loop; its own, as the next */
	bool is_deferred;

	struct slot *slots; /* the thread's own, as all below */
	bool has_housework;
	uint64_t housework_at; /* monotonic microseconds */
};

/* ---- the loop's side --------------------------------------------------------------- */

static void lock(struct writer *writer)
{
	ASSERT(pthread_mutex_lock(&writer->mutex) == 0);
}

static bool has_upkeep(const struct writer *writer)
{
	return writer->upkeep.first && writer->is_whole;
}

/* And wakes the thread if it sleeps and has something to do. */
static void unlock_and_wake(struct writer *writer)
{
	if (writer->is_resting && (writer->waiting.first || writer->catching_up.first ||
				   writer->is_stopped || has_upkeep(writer)))
		ASSERT(pthread_cond_signal(&writer->filled) == 0);
	ASSERT(pthread_mutex_unlock(&writer->mutex) == 0);
}

static void jobs_add(struct jobs *jobs, struct job *job)
{
	job->next = NULL;
	*jobs->last = job;
	jobs->last = &job->next;
}

static struct job *jobs_take(struct jobs *jobs)
{
	struct job *job = jobs->first;

	if (job) {
		jobs->first = job->next;
		if (!jobs->first)
			jobs->last = &jobs->first;
	}
	return job;
}

static struct jobs *jobs_of(struct writer *writer, enum work work)
{
	switch (work) {
	case WORK_COMMIT:
	case WORK_LEASE:
		return &writer->waiting;
	case WORK_CATCH_UP:
		return &writer->catching_up;
	case WORK_UPKEEP:
		return &writer->upkeep;
	}
	return NULL;
}

/* At the end of a turn: all its jobs with one lock and one wake-up. */
static void hand_over(void *arg)
{
	struct writer *writer = arg;
	struct job *job;

	writer->is_deferred = false;
	lock(writer);
	while ((job = jobs_take(&writer->fresh)))
		jobs_add(jobs_of(writer, job->work), job);
	unlock_and_wake(writer);
}

static void job_give(struct writer *writer, struct job *job)
{
	completion_init(&job->done);
	jobs_add(&writer->fresh, job);
	if (!writer->is_deferred) {
		writer->is_deferred = true;
		loop_defer(hand_over, writer);
	}
}

static void job_do(struct writer *writer, struct job *job)
{
	job_give(writer, job);
	completion_wait(&job->done);
}

void writer_commit_all(struct writer *writer, struct storage_commit *commits,
		       size_t count)
{
	struct job *jobs = NEW_ARRAY(struct job, count);

	for (size_t i = 0; i < count; i++) {
		jobs[i].work = WORK_COMMIT;
		jobs[i].commit = &commits[i];
		job_give(writer, &jobs[i]);
	}
	for (size_t i = 0; i < count; i++)
		completion_wait(&jobs[i].done);
	mem_free(jobs);
}

void writer_commit(struct writer *writer, struct storage_commit *commit)
{
	struct job job = {.work = WORK_COMMIT, .commit = commit};

	job_do(writer, &job);
}

void writer_upkeep(struct writer *writer, struct storage_commit *commit)
{
	struct job job = {.work = WORK_UPKEEP, .commit = commit};

	job_do(writer, &job);
}

void writer_lease(struct writer *writer, struct storage_lease *lease)
{
	struct job job = {.work = WORK_LEASE, .lease = lease};

	job_do(writer, &job);
}

void writer_catch_up(struct writer *writer)
{
	struct job job = {.work = WORK_CATCH_UP};

	job_do(writer, &job);
}

/* ---- groups ------------------------------------------------------------------------ */

static void commit_done(struct slot *slot, size_t i)
{
	struct job *job = slot->commit_jobs[i];

	*job->commit = slot->commits[i];
	slot->commit_jobs[i] = NULL;
	completion_post(&job->done);
}

/* Of which nothing is promised. */
static bool is_soft(const struct storage_commit *commit)
{
	return commit->commit->count == 1 && commit->commit->ops[0].kind == OP_RECENT;
}

/* Commits of which nothing is promised are answered at once. */
static void slot_planned(struct storage_group *group)
{
	struct slot *slot = (struct slot *)group;

	for (size_t i = 0; i < group->count; i++)
		if (is_soft(&slot->commits[i]))
			commit_done(slot, i);
}

/* By any thread.  The jobs are their tasks' again one by one, then the slot is free. */
static void slot_done(struct storage_group *group)
{
	struct slot *slot = (struct slot *)group;
	struct writer *writer = slot->writer;

	for (size_t i = 0; i < group->count; i++) {
		if (slot->commit_jobs[i])
			commit_done(slot, i);
	}
	for (size_t i = 0; i < group->lease_count; i++)
		completion_post(&slot->lease_jobs[i]->done);
	lock(writer);
	slot->is_busy = false;
	writer->busy--;
	unlock_and_wake(writer);
}

static void slot_add(struct slot *slot, struct job *job)
{
	struct storage_group *group = &slot->group;

	if (job->work == WORK_LEASE) {
		group->is_soft = false;
		slot->lease_jobs[group->lease_count] = job;
		slot->leases[group->lease_count++] = job->lease;
	} else {
		group->is_soft &= is_soft(job->commit);
		slot->commit_jobs[group->count] = job;
		slot->commits[group->count++] = *job->commit;
	}
}

/* With the lock; NULL if there is nothing to do, or no place for it. */
static struct slot *slot_fill(struct writer *writer)
{
	struct slot *slot = writer->slots;

	if (!(writer->waiting.first || has_upkeep(writer)) || writer->busy == SLOTS)
		return NULL;
	while (slot->is_busy)
		slot++;
	slot->is_busy = true;
	writer->busy++;
	slot->group.count = slot->group.lease_count = 0;
	slot->group.is_soft = true;
	if (has_upkeep(writer)) {
		writer->is_whole = false;
		slot_add(slot, jobs_take(&writer->upkeep));
	}
	while (writer->waiting.first && slot->group.count < GROUP_MAX &&
	       slot->group.lease_count < GROUP_MAX)
		slot_add(slot, jobs_take(&writer->waiting));
	return slot;
}

/* ---- the thread's side ------------------------------------------------------------- */

static struct timespec time_after(uint64_t microseconds)
{
	struct timespec at;

	ASSERT(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
	at.tv_sec += (time_t)(microseconds / 1000000);
	at.tv_nsec += (long)(microseconds % 1000000) * 1000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

/* One turn's work; nothing after wait_us without any. */
struct turn {
	struct slot *slot;
	struct jobs catching_up;
	bool is_stopped;
};

static bool turn_take(struct writer *writer, struct turn *turn)
{
	struct job *job;

	turn->catching_up = (struct jobs){NULL, &turn->catching_up.first};
	turn->slot = slot_fill(writer);
	while ((job = jobs_take(&writer->catching_up)))
		jobs_add(&turn->catching_up, job);
	turn->is_stopped = writer->is_stopped;
	return turn->slot || turn->catching_up.first || turn->is_stopped;
}

static void turn_await(struct writer *writer, uint64_t wait_us, bool is_whole,
		       struct turn *turn)
{
	struct timespec until;
	int err = 0;

	lock(writer);
	writer->is_whole = is_whole;
	if (!turn_take(writer, turn)) {
		until = time_after(wait_us);
		writer->is_resting = true;
		while (err == 0 && !turn_take(writer, turn))
			err = pthread_cond_timedwait(&writer->filled, &writer->mutex,
						     &until);
		writer->is_resting = false;
	}
	ASSERT(pthread_mutex_unlock(&writer->mutex) == 0);
}

static void catch_up(struct writer *writer, struct jobs *jobs)
{
	struct job *job;

	storage_index_commit(writer->storage);
	while ((job = jobs_take(jobs)))
		completion_post(&job->done);
}

static bool is_upkeep_waiting(struct writer *writer)
{
	lock(writer);
	bool is_waiting = writer->upkeep.first;

	ASSERT(pthread_mutex_unlock(&writer->mutex) == 0);
	return is_waiting;
}

static void do_housework(struct writer *writer, bool is_idle)
{
	uint64_t rested_us = clock_monotonic_us() - writer->housework_at;
	uint64_t pause_us = writer->has_housework
				    ? (is_idle ? HOUSEWORK_US : HOUSEWORK_LOAD_US)
				    : (is_idle ? IDLE_US : HOUSEWORK_LOOK_US);

	if (rested_us < pause_us)
		return;
	writer->has_housework = storage_maintain(writer->storage, clock_s());
	writer->housework_at = clock_monotonic_us();
}

static void *writer_run(void *arg)
{
	struct writer *writer = arg;
	struct turn turn = {0};

	while (!turn.is_stopped) {
		uint64_t wait_us = storage_tend(writer->storage);

		if (wait_us == UINT64_MAX && !is_upkeep_waiting(writer)) {
			do_housework(writer, !turn.slot);
			wait_us = storage_tend(writer->storage);
		}
		bool is_whole = wait_us == UINT64_MAX;

		if (is_whole)
			wait_us = writer->has_housework ? HOUSEWORK_US : IDLE_US;
		turn_await(writer, wait_us, is_whole, &turn);
		if (turn.slot)
			storage_submit(writer->storage, &turn.slot->group);
		if (turn.catching_up.first)
			catch_up(writer, &turn.catching_up);
	}
	storage_index_commit(writer->storage);
	return NULL;
}

/* ---- life -------------------------------------------------------------------------- */

static void thread_start(struct writer *writer)
{
	sigset_t all, before;

	ASSERT(sigfillset(&all) == 0);
	ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	ASSERT(pthread_create(&writer->thread, NULL, writer_run, writer) == 0);
	ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

struct writer *writer_open(struct storage *storage)
{
	struct writer *writer = NEW(struct writer);
	pthread_condattr_t attributes;

	writer->storage = storage;
	writer->waiting.last = &writer->waiting.first;
	writer->catching_up.last = &writer->catching_up.first;
	writer->upkeep.last = &writer->upkeep.first;
	writer->fresh.last = &writer->fresh.first;
	writer->slots = NEW_ARRAY(struct slot, SLOTS);
	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *slot = &writer->slots[i];

		slot->writer = writer;
		slot->group = (struct storage_group){.commits = slot->commits,
						     .leases = slot->leases,
						     .planned = slot_planned,
						     .done = slot_done};
	}
	writer->housework_at = clock_monotonic_us();
	ASSERT(pthread_mutex_init(&writer->mutex, NULL) == 0);
	ASSERT(pthread_condattr_init(&attributes) == 0);
	ASSERT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	ASSERT(pthread_cond_init(&writer->filled, &attributes) == 0);
	ASSERT(pthread_condattr_destroy(&attributes) == 0);
	thread_start(writer);
	return writer;
}

void writer_close(struct writer **writer_ptr)
{
	struct writer *writer = *writer_ptr;

	if (!writer)
		return;
	*writer_ptr = NULL;
	ASSERT(!writer->fresh.first);
	lock(writer);
	writer->is_stopped = true;
	unlock_and_wake(writer);
	ASSERT(pthread_join(writer->thread, NULL) == 0);
	/* Whoever did the last group may still be about to say so. */
	lock(writer);
	writer->is_resting = true;
	while (writer->busy > 0)
		ASSERT(pthread_cond_wait(&writer->filled, &writer->mutex) == 0);
	ASSERT(pthread_mutex_unlock(&writer->mutex) == 0);
	ASSERT(!writer->waiting.first && !writer->catching_up.first &&
	       !writer->upkeep.first);
	ASSERT(pthread_cond_destroy(&writer->filled) == 0);
	ASSERT(pthread_mutex_destroy(&writer->mutex) == 0);
	mem_free(writer->slots);
	mem_free(writer);
}
