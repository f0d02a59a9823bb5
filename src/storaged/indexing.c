/* Hands out what is not in the search index yet, account by account, and takes back the
 * words of it.  Which accounts have something is learnt from commits, and from a walk
 * over all of them after the start and then a few times a day, which also tidies up after
 * what was expunged.  Nothing of it is in anybody's way: a commit only leaves a mark. */
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "rt/offload.h"
#include "storaged/state.h"

enum {
	BUCKETS = 1024,    /* a power of two */
	MARKS_MAX = 20000, /* accounts; beyond that the walk finds them */
	SMALL = 32,        /* so few messages at once are put rarely: */
	PAUSE_MS = 50,     /* each time is a flush of the disk that mail needs, too */
	FIRST_MS = 1000,
	WAIT_MS = 5000, /* while enough accounts are marked */
	ROUND_MS = 6 * 60 * 60 * 1000,
	STEP_ACCOUNTS = 100,
};

struct mark {
	struct list_link in_bucket, in_order;
	account_t account;
	deadline_t due; /* not before */
};

/* What a guest has at the moment. */
struct taken {
	account_t account;
	bool is_more;
	size_t given, count; /* and how many of them are not done */
	uint64_t messages[INDEX_ITEMS_MAX];
};

struct indexing {
	struct list buckets[BUCKETS], order;
	size_t count;
	struct waiters work; /* something was marked */
	bool is_changing;    /* somebody changes the index */
	struct waiters changed;
	bool is_lacking; /* a mark was lost */
	uint64_t walk_task;
	struct completion *ended; /* of whoever waits for its end */
	struct waiters walk;
};

/* ---- marks ------------------------------------------------------------------------- */

/* When the first is due; NEVER: there is none. */
static deadline_t first_due(const struct indexing *x)
{
	return x->order.first ? CONTAINER_OF(x->order.first, struct mark, in_order)->due
			      : NEVER;
}

static void mark_at(struct storaged *storaged, account_t account, deadline_t due)
{
	struct indexing *x = storaged->indexing;
	struct list *bucket = &x->buckets[hash64_number(account) & (BUCKETS - 1)];

	if (account == ACCOUNT_SYSTEM)
		return;
	LIST_EACH(bucket, link)
	{
		if (CONTAINER_OF(link, struct mark, in_bucket)->account == account)
			return;
	}
	x->is_lacking |= x->count >= MARKS_MAX;
	if (x->count >= MARKS_MAX)
		return;
	struct mark *mark = NEW(struct mark);

	mark->account = account;
	mark->due = due;
	list_add_last(bucket, &mark->in_bucket);
	/* Before those that are not due yet. */
	if (due <= loop_now() && first_due(x) > loop_now())
		list_add_first(&x->order, &mark->in_order);
	else
		list_add_last(&x->order, &mark->in_order);
	x->count++;
	wake_all(&x->work);
}

void indexing_mark(struct storaged *storaged, account_t account)
{
	mark_at(storaged, account, deadline_ms(storaged->options.gather_ms));
}

/* The one that has waited longest; there must be one. */
static account_t unmark_first(struct indexing *x)
{
	struct list_link *link = list_take_first(&x->order);
	struct mark *mark = CONTAINER_OF(link, struct mark, in_order);
	account_t account = mark->account;

	list_remove(&x->buckets[hash64_number(account) & (BUCKETS - 1)],
		    &mark->in_bucket);
	mem_free(mark);
	x->count--;
	return account;
}

/* The same if it is due; 0: none is. */
static account_t unmark(struct indexing *x)
{
	return first_due(x) <= loop_now() ? unmark_first(x) : 0;
}

/* ---- one at a time ----------------------------------------------------------------- */

static void change_begin(struct indexing *x)
{
	while (x->is_changing)
		(void)wait_on(&x->changed, NEVER); /* woken or canceled: looks again */
	x->is_changing = true;
}

static void change_end(struct indexing *x)
{
	x->is_changing = false;
	wake_one(&x->changed);
}

struct change {
	struct storage *storage;
	account_t account;
	struct arena *arena;
	struct index_work *work;
	const struct index_done *done;
	bool more;
	enum store_outcome outcome;
};

static void next_now(void *arg)
{
	struct change *c = arg;

	c->outcome = storage_index_next(c->storage, c->account, c->arena, c->work);
}

static void put_now(void *arg)
{
	struct change *c = arg;

	c->outcome = storage_index_put(c->storage, c->account, c->done);
}

static void forget_now(void *arg)
{
	struct change *c = arg;

	c->outcome = storage_index_forget(c->storage, c->account);
}

static void tidy_now(void *arg)
{
	struct change *c = arg;

	c->outcome = storage_index_tidy(c->storage, c->account, &c->more);
}

static void change(struct indexing *x, void (*now)(void *), struct change *c)
{
	change_begin(x);
	offload(now, c);
	change_end(x);
}

/* ---- guests ------------------------------------------------------------------------ */

bool indexing_has(struct guest *guest, account_t account, uint64_t message)
{
	const struct taken *taken = guest->taken;

	if (!taken || guest->role != GATE_INDEXD || taken->account != account)
		return false;
	for (size_t i = 0; i < taken->count; i++) {
		if (taken->messages[i] == message)
			return true;
	}
	return false;
}

/* What it has not done is for whoever comes next. */
static void give_back(struct guest *guest)
{
	struct taken *taken = guest->taken;

	if (taken && taken->account != 0 && (taken->is_more || taken->count > 0))
		mark_at(guest->storaged, taken->account, loop_now());
	if (taken)
		*taken = (struct taken){0};
}

void indexing_leave(struct guest *guest)
{
	if (guest->role == GATE_INDEXD)
		wake_all(&guest->storaged->indexing->work);
}

void indexing_drop(struct guest *guest)
{
	if (!guest->storaged->is_closing)
		give_back(guest);
	mem_free(guest->taken);
	guest->taken = NULL;
}

static void take_down(struct guest *guest, const struct index_work *work)
{
	if (!guest->taken)
		guest->taken = NEW(struct taken);
	guest->taken->account = work->account;
	guest->taken->is_more = work->is_more;
	guest->taken->count = guest->taken->given = work->count;
	for (size_t i = 0; i < work->count; i++)
		guest->taken->messages[i] = work->items[i].message;
}

/* Work of the next account that has some; count 0 and account 0 if none has. */
static enum store_outcome find_work(struct guest *guest, struct arena *arena,
				    struct index_work *work)
{
	struct indexing *x = guest->storaged->indexing;
	struct change c = {.storage = guest->storaged->options.storage,
			   .arena = arena,
			   .work = work};

	while ((c.account = unmark(x)) != 0) {
		/* What was committed just now is not seen yet: nobody waits for that. */
		if (storage_is_behind(c.storage, c.account, STORAGE_MAIL))
			indexing_mark(guest->storaged, c.account);
		change(x, next_now, &c);
		if (c.outcome != STORE_OK)
			return c.outcome;
		if (work->count > 0 || work->is_more)
			return STORE_OK;
	}
	*work = (struct index_work){0};
	return STORE_OK;
}

static err_t await_work(struct guest *guest, struct indexing *x)
{
	deadline_t deadline = deadline_s(INDEX_WAIT_S);

	while (first_due(x) > loop_now() && loop_now() < deadline && guest->ipc) {
		deadline_t until = first_due(x) < deadline ? first_due(x) : deadline;
		err_t err = wait_on(&x->work, until);

		if (err != OK && err != ERR_TIMEOUT)
			return err;
	}
	return OK;
}

void indexing_take(struct guest *guest, struct arena *arena, uint64_t id)
{
	struct indexing *x = guest->storaged->indexing;
	struct index_work work = {0};
	struct buf reply = BUF(REPLY_BYTES_MAX);
	bool was_small = guest->taken && guest->taken->given < SMALL;
	err_t err = was_small ? task_sleep_ms(PAUSE_MS) : OK;

	give_back(guest);
	if (err == OK)
		err = await_work(guest, x);
	arena->max = 4 * 1024 * 1024;
	enum store_outcome outcome = guest->ipc && (err == OK || err == ERR_TIMEOUT)
					     ? find_work(guest, arena, &work)
					     : STORE_UNAVAILABLE;

	enc_u8(&reply, (uint8_t)outcome);
	if (outcome == STORE_OK) {
		take_down(guest, &work);
		store_enc_work(&reply, &work);
	}
	reply_send(guest, id, &reply);
	buf_fini(&reply);
}

enum store_outcome indexing_put(struct guest *guest, account_t account,
				const struct index_done *done)
{
	struct change c = {.storage = guest->storaged->options.storage,
			   .account = account,
			   .done = done};

	if (!guest->taken || guest->taken->account != account || account == 0)
		return STORE_CONFLICT;
	for (size_t i = 0; i < done->count; i++) {
		if (!indexing_has(guest, account, done->docs[i].message))
			return STORE_DENIED;
	}
	change(guest->storaged->indexing, put_now, &c);
	/* The last of it was put: what is left is to be asked for again. */
	if (guest->taken && guest->taken->account == account && c.outcome == STORE_OK &&
	    (guest->taken->count == 0 ||
	     done->upto >= guest->taken->messages[guest->taken->count - 1]))
		guest->taken->count = 0;
	return c.outcome;
}

/* ---- the walk ---------------------------------------------------------------------- */

struct step {
	struct storage *storage;
	account_t account; /* where it goes on; 0: it is over */
	account_t found[STEP_ACCOUNTS];
	size_t count;
};

/* Some accounts, and which of them lack something. */
static void step_now(void *arg)
{
	struct step *step = arg;

	step->count = 0;
	for (unsigned i = 0; i < STEP_ACCOUNTS && step->account != 0; i++) {
		bool is_behind;

		if (storage_index_walk(step->storage, &step->account, &is_behind) !=
		    STORE_OK) {
			step->account = 0;
			return;
		}
		if (is_behind)
			step->found[step->count++] = step->account;
		step->account++; /* 0 after the last that can be */
	}
}

/* The segments of the accounts from first to before next, while there is nothing else. */
static err_t tidy(struct storaged *storaged, account_t first, account_t next)
{
	struct change c = {.storage = storaged->options.storage, .account = first};

	while (c.account != next) {
		bool is_behind;

		if (storage_index_walk(c.storage, &c.account, &is_behind) != STORE_OK)
			return OK;
		do {
			change(storaged->indexing, tidy_now, &c);
			TRY(task_sleep_ms(1));
		} while (c.more && c.outcome == STORE_OK);
		if (next != 0 && c.account >= next)
			return OK;
		c.account++;
	}
	return OK;
}

static err_t walk_all(struct storaged *storaged, bool is_tidying)
{
	struct indexing *x = storaged->indexing;
	struct step step = {.storage = storaged->options.storage, .account = 1};

	x->is_lacking = false;
	while (step.account != 0) {
		account_t first = step.account;

		while (x->count > MARKS_MAX / 2)
			TRY(task_sleep_ms(WAIT_MS));
		offload(step_now, &step);
		for (size_t i = 0; i < step.count; i++)
			mark_at(storaged, step.found[i], loop_now());
		if (is_tidying)
			TRY(tidy(storaged, first, step.account));
		TRY(task_sleep_ms(1));
	}
	return OK;
}

static void run(void *arg)
{
	struct storaged *storaged = arg;
	struct indexing *x = storaged->indexing;
	err_t err = task_sleep_ms(FIRST_MS);
	bool is_tidying = false;

	while (err == OK || err == ERR_TIMEOUT) {
		err = walk_all(storaged, is_tidying);
		if (err != OK)
			break;
		uint64_t pause_ms = x->is_lacking ? WAIT_MS : ROUND_MS;

		is_tidying = !x->is_lacking;
		err = wait_on(&x->walk, deadline_ms(pause_ms));
	}
	x->walk_task = 0;
	if (x->ended)
		completion_post(x->ended);
}

enum store_outcome indexing_renew(struct storaged *storaged)
{
	struct change c = {.storage = storaged->options.storage, .account = 1};
	enum store_outcome outcome;
	bool is_behind;

	while ((outcome = storage_index_walk(c.storage, &c.account, &is_behind)) ==
	       STORE_OK) {
		change(storaged->indexing, forget_now, &c);
		if (c.outcome != STORE_OK)
			return c.outcome;
		mark_at(storaged, c.account, loop_now());
		if (++c.account == 0)
			break;
	}
	return outcome == STORE_ABSENT && c.account > 1 ? STORE_OK : outcome;
}

/* ---- life -------------------------------------------------------------------------- */

void indexing_start(struct storaged *storaged)
{
	storaged->indexing = NEW(struct indexing);
	struct task *task = task_start("search index", run, storaged);

	if (task)
		storaged->indexing->walk_task = task_id(task);
	else
		LOG(ERROR, "old mail will not be indexed",
		    KV("reason", "too many tasks"));
}

void indexing_stop(struct storaged *storaged)
{
	struct indexing *x = storaged->indexing;
	struct completion ended;

	if (x->walk_task != 0) {
		completion_init(&ended);
		x->ended = &ended;
		task_cancel(x->walk_task);
		completion_wait(&ended);
	}
	while (x->count > 0)
		(void)unmark_first(x); /* the walk finds it again */
	mem_free(x);
	storaged->indexing = NULL;
}
