#include "imap/ahead.h"

#include "base/mem.h"

enum { WAIT_S = 60 };

enum job_state { JOB_FREE, JOB_ASKED, JOB_RUNNING, JOB_DONE };

struct job {
	enum job_state state;
	bool is_unwanted; /* to be dropped when it is done */
	uint64_t message, order;
	enum store_outcome outcome;
	struct buf body;
};

struct ahead {
	struct store *store;
	account_t account;
	struct job jobs[AHEAD_BODIES];
	uint64_t last_order;
	struct waiters work, done;
	unsigned users; /* the owner, and the tasks that fetch */
	unsigned workers;
	bool is_over;
};

static void unref(struct ahead *ahead)
{
	if (--ahead->users > 0)
		return;
	for (size_t i = 0; i < AHEAD_BODIES; i++)
		buf_fini(&ahead->jobs[i].body);
	mem_free(ahead);
}

static struct job *next_asked(struct ahead *ahead)
{
	struct job *next = NULL;

	for (size_t i = 0; i < AHEAD_BODIES; i++) {
		struct job *job = &ahead->jobs[i];

		if (job->state == JOB_ASKED && (!next || job->order < next->order))
			next = job;
	}
	return next;
}

static void job_free(struct job *job)
{
	job->state = JOB_FREE;
	job->is_unwanted = false;
	buf_reset(&job->body);
}

static void run_job(struct ahead *ahead, struct job *job)
{
	job->state = JOB_RUNNING;
	job->outcome = store_body(ahead->store, ahead->account, job->message, &job->body);
	job->state = JOB_DONE;
	if (job->is_unwanted)
		job_free(job);
	wake_all(&ahead->done);
}

static void work(void *arg)
{
	struct ahead *ahead = arg;

	while (!ahead->is_over) {
		struct job *job = next_asked(ahead);

		if (job)
			run_job(ahead, job);
		else if (wait_on(&ahead->work, NEVER) != OK)
			break;
	}
	ahead->workers--;
	wake_all(&ahead->done); /* whoever waits for a job looks again */
	unref(ahead);
}

struct ahead *ahead_new(struct store *store, account_t account)
{
	struct ahead *ahead = NEW(struct ahead);

	ahead->store = store;
	ahead->account = account;
	ahead->users = 1;
	for (size_t i = 0; i < AHEAD_BODIES; i++)
		ahead->jobs[i].body = BUF(AHEAD_BODY_MAX);
	return ahead;
}

void ahead_free(struct ahead **ahead_ptr)
{
	struct ahead *ahead = *ahead_ptr;

	if (!ahead)
		return;
	*ahead_ptr = NULL;
	ahead->is_over = true;
	wake_all(&ahead->work);
	unref(ahead);
}

static struct job *job_of(struct ahead *ahead, uint64_t message)
{
	for (size_t i = 0; i < AHEAD_BODIES; i++) {
		struct job *job = &ahead->jobs[i];

		if (job->state != JOB_FREE && !job->is_unwanted &&
		    job->message == message)
			return job;
	}
	return NULL;
}

static void drop_unwanted(struct ahead *ahead, const struct message_row *rows,
			  size_t count)
{
	for (size_t i = 0; i < AHEAD_BODIES; i++) {
		struct job *job = &ahead->jobs[i];
		bool is_wanted = false;

		for (size_t n = 0; n < count && n < AHEAD_BODIES; n++)
			is_wanted |= rows[n].message == job->message;
		if (is_wanted || job->state == JOB_FREE)
			continue;
		if (job->state == JOB_RUNNING)
			job->is_unwanted = true;
		else
			job_free(job);
	}
}

static bool ask(struct ahead *ahead, uint64_t message)
{
	for (size_t i = 0; i < AHEAD_BODIES; i++) {
		struct job *job = &ahead->jobs[i];

		if (job->state != JOB_FREE)
			continue;
		job->state = JOB_ASKED;
		job->message = message;
		job->order = ++ahead->last_order;
		return true;
	}
	return false;
}

/* As many tasks as bodies; they live as long as ahead. */
static void add_worker(struct ahead *ahead)
{
	if (ahead->workers == AHEAD_BODIES || !task_start("imap ahead", work, ahead))
		return;
	ahead->workers++;
	ahead->users++;
}

void ahead_want(struct ahead *ahead, const struct message_row *rows, size_t count)
{
	drop_unwanted(ahead, rows, count);
	for (size_t i = 0; i < count && i < AHEAD_BODIES; i++) {
		if (rows[i].size > AHEAD_BODY_MAX || job_of(ahead, rows[i].message))
			continue;
		if (!ask(ahead, rows[i].message))
			break;
		if (ahead->workers < AHEAD_BODIES)
			add_worker(ahead);
		wake_one(&ahead->work);
	}
}

bool ahead_take(struct ahead *ahead, uint64_t message, struct buf *body,
		enum store_outcome *outcome)
{
	struct job *job = job_of(ahead, message);
	size_t max = body->max;

	if (job && job->state == JOB_ASKED && ahead->workers == 0) {
		job_free(job); /* nobody will come to do it */
		return false;
	}
	while (job && job->state != JOB_DONE) {
		if (wait_on(&ahead->done, deadline_s(WAIT_S)) != OK ||
		    (job->state == JOB_ASKED && ahead->workers == 0)) {
			job->is_unwanted = job->state == JOB_RUNNING;
			if (job->state != JOB_RUNNING)
				job_free(job);
			*outcome = STORE_UNAVAILABLE;
			return true;
		}
	}
	if (!job)
		return false;
	struct buf taken = job->body;

	*outcome = job->outcome;
	buf_release(body);
	job->body = BUF(AHEAD_BODY_MAX);
	job_free(job);
	*body = taken;
	body->max = max;
	return true;
}
