#include "rt/offload.h"

#include <pthread.h>
#include <signal.h>

#include "rt/completion.h"

enum { THREADS_MAX = 64, THREADS_USUAL = 4 };

struct job {
	void (*work)(void *);
	void *arg;
	struct job *next;
	struct completion completion;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrival = PTHREAD_COND_INITIALIZER;
static struct job *first, *last;       /* lock */
static size_t idle_count, queued;      /* lock */
static bool is_ending;                 /* lock */
static pthread_t threads[THREADS_MAX]; /* the loop's thread only, as the next two */
static size_t thread_count, threads_max = THREADS_USUAL;

void offload_init(size_t max)
{
	ASSERT(max > 0 && max <= THREADS_MAX && thread_count == 0);
	threads_max = max;
}

/* NULL when it is time to end. */
static struct job *job_take(void)
{
	ASSERT(pthread_mutex_lock(&lock) == 0);
	idle_count++;
	while (!first && !is_ending)
		ASSERT(pthread_cond_wait(&arrival, &lock) == 0);
	idle_count--;
	struct job *job = first;

	if (job) {
		first = job->next;
		last = first ? last : NULL;
		queued--;
	}
	ASSERT(pthread_mutex_unlock(&lock) == 0);
	return job;
}

static void *thread_main(void *arg)
{
	(void)arg;
	for (struct job *job = job_take(); job; job = job_take()) {
		job->work(job->arg);
		completion_post(&job->completion);
	}
	return NULL;
}

static void thread_start(void)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	sigset_t all, before;

	/* Signals are for the loop's thread, but for those that a thread brings upon
	 * itself: of which rt/panic.h tells.  None of these can fail. */
	(void)sigfillset(&all);
	for (size_t i = 0; i < COUNT_OF(own); i++)
		(void)sigdelset(&all, own[i]);
	ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	int error = pthread_create(&threads[thread_count], NULL, thread_main, NULL);

	ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	if (error == 0)
		thread_count++;
	ASSERT(thread_count > 0); /* with one, work goes on, slower */
}

/* True if the threads there are cannot take it at once. */
static bool job_add(struct job *job)
{
	ASSERT(pthread_mutex_lock(&lock) == 0);
	*(last ? &last->next : &first) = job;
	last = job;
	bool is_short = ++queued > idle_count;

	ASSERT(pthread_cond_signal(&arrival) == 0);
	ASSERT(pthread_mutex_unlock(&lock) == 0);
	return is_short;
}

void offload(void (*work)(void *arg), void *arg)
{
	struct job job = {.work = work, .arg = arg};

	if (!task_self()) {
		work(arg);
		return;
	}
	completion_init(&job.completion);
	if (job_add(&job) && thread_count < threads_max)
		thread_start();
	completion_wait(&job.completion);
}

void offload_fini(void)
{
	ASSERT(pthread_mutex_lock(&lock) == 0);
	is_ending = true;
	ASSERT(pthread_cond_broadcast(&arrival) == 0);
	ASSERT(pthread_mutex_unlock(&lock) == 0);
	while (thread_count > 0)
		ASSERT(pthread_join(threads[--thread_count], NULL) == 0);
	is_ending = false;
}
