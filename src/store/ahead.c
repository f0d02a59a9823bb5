#include "store/ahead.h"

#include "base/mem.h"
#include "base/num.h"
#include "store/codec.h"

enum {
	LONG_ONES = 2,    /* the one whose turn it is, and the next */
	BATCHES = 4,      /* one is sent, two are unpacked, one is on its way */
	FIRST_BODIES = 8, /* of the first batch: more may never be asked for */
	WAIT_S = 60,
};

/* Bodies that one call brings, in the order of their UIDs.  Those before `at` are over.
 */
struct batch {
	struct ahead *ahead;
	enum { BATCH_FREE, BATCH_RUNNING, BATCH_DONE } state;
	size_t count, at;
	struct message_ref refs[BODIES_MAX]; /* message 0: it was taken */
	struct buf bodies[BODIES_MAX];
	enum store_outcome outcomes[BODIES_MAX];
};

/* A long body that was begun.  pages NULL: none. */
struct long_one {
	struct body_pages *pages;
	uint64_t message;
};

struct ahead {
	struct store *store;
	account_t account;
	uint64_t mailbox;
	uint32_t wanted;   /* the UID whose turn it is */
	uint32_t asked;    /* up to this UID */
	size_t bodies_max; /* of the next batch */
	struct batch batches[BATCHES];
	struct long_one long_ones[LONG_ONES];
	struct waiters done;
	unsigned users; /* the owner, and the tasks that read */
};

static void bodies_release(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		buf_fini(&batch->bodies[i]);
}

static void unref(struct ahead *ahead)
{
	if (--ahead->users > 0)
		return;
	for (size_t i = 0; i < BATCHES; i++)
		bodies_release(&ahead->batches[i]);
	mem_free(ahead);
}

struct ahead *ahead_new(struct store *store, account_t account, uint64_t mailbox)
{
	struct ahead *ahead = NEW(struct ahead);

	ahead->store = store;
	ahead->account = account;
	ahead->mailbox = mailbox;
	ahead->bodies_max = FIRST_BODIES;
	ahead->users = 1;
	for (size_t i = 0; i < BATCHES; i++)
		ahead->batches[i].ahead = ahead;
	return ahead;
}

void ahead_free(struct ahead **ahead)
{
	for (size_t i = 0; *ahead && i < LONG_ONES; i++)
		store_body_drop(&(*ahead)->long_ones[i].pages);
	if (*ahead)
		unref(*ahead);
	*ahead = NULL;
}

/* ---- reading ----------------------------------------------------------------------- */

static void read_batch(void *arg)
{
	struct batch *batch = arg;
	struct ahead *ahead = batch->ahead;
	enum store_outcome outcome = STORE_UNAVAILABLE;

	if (ahead->users > 1) /* the owner is still there */
		outcome = store_bodies(ahead->store, ahead->account, batch->refs,
				       batch->count, batch->bodies, batch->outcomes);
	for (size_t i = 0; i < batch->count; i++) {
		if (outcome != STORE_OK)
			batch->outcomes[i] = outcome;
		if (batch->outcomes[i] == STORE_INVALID) /* too long for that */
			batch->outcomes[i] =
				store_body(ahead->store, ahead->account, batch->refs[i],
					   &batch->bodies[i]);
	}
	batch->state = BATCH_DONE;
	wake_all(&ahead->done);
	unref(ahead);
}

/* ---- wanting ----------------------------------------------------------------------- */

/* Whatever comes before that UID is over. */
static void pass_by(struct ahead *ahead, uint64_t uid)
{
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *batch = &ahead->batches[i];

		while (batch->at < batch->count && batch->refs[batch->at].uid < uid)
			batch->at++;
		if (batch->state != BATCH_DONE || batch->at < batch->count)
			continue;
		bodies_release(batch);
		batch->state = BATCH_FREE;
		batch->count = 0;
	}
}

static struct batch *free_batch(struct ahead *ahead)
{
	for (size_t i = 0; i < BATCHES; i++) {
		if (ahead->batches[i].state == BATCH_FREE)
			return &ahead->batches[i];
	}
	return NULL;
}

/* The rows that were not asked for yet, as many as one call may bring. */
static void fill(struct batch *batch, const struct message_row *rows, size_t count)
{
	struct ahead *ahead = batch->ahead;
	uint64_t bytes = 0;

	batch->at = batch->count = 0;
	for (size_t i = 0; i < count && batch->count < ahead->bodies_max; i++) {
		if (rows[i].uid <= ahead->asked)
			continue;
		if (batch->count > 0 && bytes + rows[i].size > BODIES_BYTES)
			break;
		ahead->asked = rows[i].uid;
		if (rows[i].size > AHEAD_BODY_MAX)
			continue;
		bytes += rows[i].size;
		batch->bodies[batch->count] = BUF(AHEAD_BODY_MAX);
		batch->refs[batch->count++] = (struct message_ref){
			rows[i].message, ahead->mailbox, rows[i].uid};
	}
	ahead->bodies_max = num_min(2 * ahead->bodies_max, BODIES_MAX);
}

static struct long_one *long_one(struct ahead *ahead, uint64_t message)
{
	for (size_t i = 0; i < LONG_ONES; i++) {
		if (ahead->long_ones[i].pages && ahead->long_ones[i].message == message)
			return &ahead->long_ones[i];
	}
	return NULL;
}

/* Others than these two are wanted no more. */
static void pass_long(struct ahead *ahead, const struct message_row *now,
		      const struct message_row *next)
{
	for (size_t i = 0; i < LONG_ONES; i++) {
		struct long_one *one = &ahead->long_ones[i];

		if (one->message != now->message &&
		    (!next || one->message != next->message))
			store_body_drop(&one->pages);
	}
}

/* The row's body, if it is long. */
static struct body_pages *want_long(struct ahead *ahead, const struct message_row *row,
				    struct body_pages *after)
{
	struct message_ref ref = {row->message, ahead->mailbox, row->uid};
	struct long_one *one = long_one(ahead, row->message);

	if (one || row->size <= AHEAD_BODY_MAX)
		return one ? one->pages : NULL;
	one = ahead->long_ones[0].pages ? &ahead->long_ones[1] : &ahead->long_ones[0];
	ASSERT(!one->pages);
	one->message = row->message;
	one->pages = store_body_begin(ahead->store, ahead->account, ref, after);
	return one->pages;
}

static void want_long_ones(struct ahead *ahead, const struct message_row *rows,
			   size_t count)
{
	pass_long(ahead, &rows[0], count > 1 ? &rows[1] : NULL);
	struct body_pages *now = want_long(ahead, &rows[0], NULL);

	if (count > 1)
		(void)want_long(ahead, &rows[1], now);
}

bool ahead_has_asked(const struct ahead *ahead, const struct message_row *last)
{
	return last->uid <= ahead->asked;
}

void ahead_want_more(struct ahead *ahead, const struct message_row *rows, size_t count)
{
	struct batch *batch;

	while (!ahead_has_asked(ahead, &rows[count - 1]) && (batch = free_batch(ahead))) {
		fill(batch, rows, count);
		if (batch->count == 0 || !task_start("ahead", read_batch, batch)) {
			batch->count = 0;
			return;
		}
		batch->state = BATCH_RUNNING;
		ahead->users++;
	}
}

void ahead_want(struct ahead *ahead, const struct message_row *rows, size_t count)
{
	want_long_ones(ahead, rows, count);

	if (rows[0].uid < ahead->wanted) { /* it goes on somewhere before */
		pass_by(ahead, UINT64_MAX);
		ahead->asked = 0;
	}
	ahead->wanted = rows[0].uid;
	pass_by(ahead, rows[0].uid);
	ahead_want_more(ahead, rows, count);
}

/* ---- taking ------------------------------------------------------------------------ */

static struct batch *batch_of(struct ahead *ahead, uint64_t message, size_t *at)
{
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch *batch = &ahead->batches[i];

		for (*at = batch->at; *at < batch->count; ++*at) {
			if (batch->refs[*at].message == message)
				return batch;
		}
	}
	return NULL;
}

bool ahead_take(struct ahead *ahead, uint64_t message, struct buf *body,
		enum store_outcome *outcome)
{
	size_t max = body->max, at;
	struct batch *batch = batch_of(ahead, message, &at);

	if (!batch)
		return false;
	*outcome = STORE_UNAVAILABLE;
	while (batch->state == BATCH_RUNNING) {
		if (wait_on(&ahead->done, deadline_s(WAIT_S)) != OK)
			return true;
	}
	*outcome = batch->outcomes[at];
	buf_release(body);
	*body = batch->bodies[at];
	body->max = max;
	batch->bodies[at] = (struct buf){0};
	batch->refs[at].message = 0;
	return true;
}

struct body_pages *ahead_take_long(struct ahead *ahead, uint64_t message)
{
	struct long_one *one = long_one(ahead, message);
	struct body_pages *pages = one ? one->pages : NULL;

	if (one)
		one->pages = NULL;
	return pages;
}

enum store_outcome ahead_each(struct ahead *ahead, struct message_ref ref,
			      bool (*take)(void *arg, struct str), void *arg)
{
	struct body_pages *begun = ahead_take_long(ahead, ref.message);

	return begun ? store_body_rest(&begun, take, arg)
		     : store_body_each(ahead->store, ahead->account, ref, take, arg);
}
