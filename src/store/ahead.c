#include "store/ahead.h"

#include "base/mem.h"
#include "store/codec.h"

enum { WAIT_S = 60, WORKERS = AHEAD_BODIES / BODIES_MAX };

enum job_state { JOB_FREE, JOB_ASKED, JOB_RUNNING, JOB_DONE };

struct job {
	enum job_state state;
	bool is_unwanted; /* to be dropped when it is done */
	struct message_ref ref;
	uint64_t order;
	enum store_outcome outcome;
	struct buf body;
};

struct ahead {
	struct store *store;
	account_t account;
	uint64_t mailbox;
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

/* The one that was asked for first. */
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

/* Those that were asked for first, up to what one call reads; they are running then. */
static size_t take_jobs(struct ahead *ahead, struct job *jobs[])
{
	size_t count = 0;
	struct job *job;

	while (count < BODIES_MAX && (job = next_asked(ahead))) {
		job->state = JOB_RUNNING;
		jobs[count++] = job;
	}
	return count;
}

static void job_done(struct ahead *ahead, struct job *job)
{
	job->state = JOB_DONE;
	if (job->is_unwanted)
		job_free(job);
	wake_all(&ahead->done);
}

static void run_jobs(struct ahead *ahead, struct job *jobs[], size_t count)
{
	enum store_outcome outcomes[BODIES_MAX];
	struct buf bodies[BODIES_MAX];
	struct message_ref refs[BODIES_MAX];

	for (size_t i = 0; i < count; i++) {
		refs[i] = jobs[i]->ref;
		bodies[i] = jobs[i]->body;
	}
	enum store_outcome outcome =
		store_bodies(ahead->store, ahead->account, refs, count, bodies, outcomes);

	for (size_t i = 0; i < count; i++) {
		jobs[i]->body = bodies[i];
		jobs[i]->outcome = outcome == STORE_OK ? outcomes[i] : outcome;
		if (jobs[i]->outcome == STORE_INVALID) /* too long for that */
			jobs[i]->outcome = store_body(ahead->store, ahead->account,
						      refs[i], &jobs[i]->body);
		job_done(ahead, jobs[i]);
	}
}

static void work(void *arg)
{
	struct ahead *ahead = arg;

	while (!ahead->is_over) {
		struct job *jobs[BODIES_MAX];
		size_t count = take_jobs(ahead, jobs);

		if (count > 0)
			run_jobs(ahead, jobs, count);
		else if (wait_on(&ahead->work, NEVER) != OK)
			break;
	}
	ahead->workers--;
	wake_all(&ahead->done); /* whoever waits for a job looks again */
	unref(ahead);
}

struct ahead *ahead_new(struct store *store, account_t account, uint64_t mailbox)
{
	struct ahead *ahead = NEW(struct ahead);

	ahead->store = store;
	ahead->account = account;
	ahead->mailbox = mailbox;
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
		    job->ref.message == message)
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
			is_wanted |= rows[n].message == job->ref.message;
		if (is_wanted || job->state == JOB_FREE)
			continue;
		if (job->state == JOB_RUNNING)
			job->is_unwanted = true;
		else
			job_free(job);
	}
}

static bool ask(struct ahead *ahead, const struct message_row *row)
{
	for (size_t i = 0; i < AHEAD_BODIES; i++) {
		struct job *job = &ahead->jobs[i];

		if (job->state != JOB_FREE)
			continue;
		job->state = JOB_ASKED;
		job->ref = (struct message_ref){row->message, ahead->mailbox, row->uid};
		job->order = ++ahead->last_order;
		return true;
	}
	return false;
}

/* They live as long as ahead. */
static void add_worker(struct ahead *ahead)
{
	if (ahead->workers == WORKERS || !task_start("ahead", work, ahead))
		return;
	ahead->workers++;
	ahead->users++;
}

static size_t free_jobs(const struct ahead *ahead)
{
	size_t count = 0;

	for (size_t i = 0; i < AHEAD_BODIES; i++)
		count += ahead->jobs[i].state == JOB_FREE;
	return count;
}

void ahead_want(struct ahead *ahead, const struct message_row *rows, size_t count)
{
	drop_unwanted(ahead, rows, count);
	/* Not one by one: a call for many costs little more than for one. */
	if (free_jobs(ahead) < BODIES_MAX && job_of(ahead, rows[0].message))
		return;
	for (size_t i = 0; i < count && i < AHEAD_BODIES; i++) {
		if (rows[i].size > AHEAD_BODY_MAX || job_of(ahead, rows[i].message))
			continue;
		if (!ask(ahead, &rows[i]))
			break;
	}
	if (!next_asked(ahead))
		return;
	add_worker(ahead);
	wake_one(&ahead->work);
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
