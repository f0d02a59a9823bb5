#include "storaged/writer.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/mem.h"
#include "rt/clock.h"
#include "rt/completion.h"

enum {
	IDLE_MS = 2000,           /* then housekeeping has a look */
	HOUSEWORK_MS = 10,        /* between its slices while nothing waits */
	HOUSEWORK_BUSY_MS = 5000, /* and at least that often under load */
	GROUP_MAX = 1024,
};

/* What a task waits for; on its stack. */
struct job {
	struct job *next;
	struct storage_commit *commit; /* or */
	struct lease_call *lease;
	struct completion done;
};

struct jobs {
	struct job *first, **last;
};

struct writer {
	struct storage *storage;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	struct jobs waiting; /* guarded by mutex */
	bool is_stopped;     /* guarded by mutex */

	struct jobs fresh; /* of this turn of the loop; its own, as the next */
	bool is_deferred;

	struct storage_commit *group; /* the thread's own, as all below */
	struct job **group_jobs;
	bool has_housework;
	uint64_t housework_at; /* monotonic milliseconds */
};

/* ---- the loop's side --------------------------------------------------------------- */

/* At the end of a turn: all its jobs with one lock and one wake-up. */
static void hand_over(void *arg)
{
	struct writer *writer = arg;

	writer->is_deferred = false;
	ASSERT(pthread_mutex_lock(&writer->mutex) == 0);
	*writer->waiting.last = writer->fresh.first;
	writer->waiting.last = writer->fresh.last;
	ASSERT(pthread_mutex_unlock(&writer->mutex) == 0);
	ASSERT(pthread_cond_signal(&writer->filled) == 0);
	writer->fresh = (struct jobs){NULL, &writer->fresh.first};
}

static void job_do(struct writer *writer, struct job *job)
{
	completion_init(&job->done);
	*writer->fresh.last = job;
	writer->fresh.last = &job->next;
	if (!writer->is_deferred) {
		writer->is_deferred = true;
		loop_defer(hand_over, writer);
	}
	completion_wait(&job->done);
}

void writer_commit(struct writer *writer, struct storage_commit *commit)
{
	struct job job = {.commit = commit};

	job_do(writer, &job);
}

void writer_lease(struct writer *writer, struct lease_call *lease)
{
	struct job job = {.lease = lease};

	job_do(writer, &job);
}

/* ---- the thread's side ------------------------------------------------------------- */

static struct timespec time_after(uint64_t milliseconds)
{
	struct timespec at;

	ASSERT(clock_gettime(CLOCK_MONOTONIC, &at) == 0);
	at.tv_sec += (time_t)(milliseconds / 1000);
	at.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

/* All that waits; NULL after wait_ms without anything, or when stopped. */
static struct job *take_all(struct writer *writer, uint64_t wait_ms, bool *is_stopped)
{
	struct timespec until = time_after(wait_ms);
	int err = 0;

	ASSERT(pthread_mutex_lock(&writer->mutex) == 0);
	while (!writer->waiting.first && !writer->is_stopped && err == 0)
		err = pthread_cond_timedwait(&writer->filled, &writer->mutex, &until);
	struct job *jobs = writer->waiting.first;

	writer->waiting = (struct jobs){NULL, &writer->waiting.first};
	*is_stopped = writer->is_stopped;
	ASSERT(pthread_mutex_unlock(&writer->mutex) == 0);
	return jobs;
}

static void do_group(struct writer *writer, size_t count)
{
	storage_commit_group(writer->storage, writer->group, count);
	for (size_t i = 0; i < count; i++) {
		struct job *job = writer->group_jobs[i];

		*job->commit = writer->group[i];
		completion_post(&job->done); /* the job is the task's again */
	}
}

static void do_lease(struct writer *writer, struct job *job)
{
	struct lease_call *call = job->lease;

	call->outcome = storage_queue_lease(writer->storage, call->kind, call->now,
					    call->leased_until, call->limit, call->arena,
					    &call->rows, &call->count, &call->next_due);
	completion_post(&job->done);
}

/* The commits among the jobs go as one group, the leases after it. */
static void do_jobs(struct writer *writer, struct job *jobs)
{
	struct jobs leases = {NULL, &leases.first};
	size_t count = 0;

	while (jobs) {
		struct job *job = jobs;

		jobs = job->next;
		job->next = NULL;
		if (job->lease) {
			*leases.last = job;
			leases.last = &job->next;
			continue;
		}
		writer->group_jobs[count] = job;
		writer->group[count++] = *job->commit;
		if (count == GROUP_MAX) {
			do_group(writer, count);
			count = 0;
		}
	}
	if (count > 0)
		do_group(writer, count);
	while (leases.first) {
		struct job *job = leases.first;

		leases.first = job->next;
		do_lease(writer, job);
	}
}

static void do_housework(struct writer *writer)
{
	writer->has_housework = storage_maintain(writer->storage, clock_s());
	writer->housework_at = clock_monotonic_ms();
}

static void *writer_run(void *arg)
{
	struct writer *writer = arg;
	bool is_stopped = false;

	while (!is_stopped) {
		uint64_t wait_ms = writer->has_housework ? HOUSEWORK_MS : IDLE_MS;
		struct job *jobs = take_all(writer, wait_ms, &is_stopped);

		if (jobs)
			do_jobs(writer, jobs);
		uint64_t rested_ms = clock_monotonic_ms() - writer->housework_at;

		if (!is_stopped && (!jobs || rested_ms > HOUSEWORK_BUSY_MS))
			do_housework(writer);
	}
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
	writer->fresh.last = &writer->fresh.first;
	writer->group = NEW_ARRAY(struct storage_commit, GROUP_MAX);
	writer->group_jobs = NEW_ARRAY(struct job *, GROUP_MAX);
	writer->housework_at = clock_monotonic_ms();
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
	ASSERT(pthread_mutex_lock(&writer->mutex) == 0);
	writer->is_stopped = true;
	ASSERT(pthread_mutex_unlock(&writer->mutex) == 0);
	ASSERT(pthread_cond_signal(&writer->filled) == 0);
	ASSERT(pthread_join(writer->thread, NULL) == 0);
	ASSERT(!writer->waiting.first);
	ASSERT(pthread_cond_destroy(&writer->filled) == 0);
	ASSERT(pthread_mutex_destroy(&writer->mutex) == 0);
	mem_free(writer->group);
	mem_free(writer->group_jobs);
	mem_free(writer);
}
