#include "storage/janitor.h"

#include <signal.h>
#include <unistd.h>

#include "storage/embedded.h"

enum {
	FRAME_BYTES_MAX = 1 << 30,
	WALK_MAX = 4096, /* bodies that one job passes over */
	/* After so many it rests, so that the writer gets its core back soon. */
	WORK_BODIES = 32,
	REST_US = 2000,
};

/* ---- punching ---------------------------------------------------------------------- */

static void punch(struct janitor *j)
{
	size_t from = 0;

	while (from < j->count && !storage_is_pinned(j->storage)) {
		struct pack_body list[WORK_BODIES];
		size_t count = 0, done;

		while (from + count < j->count && count < WORK_BODIES &&
		       j->bodies[from + count].at.pack == j->bodies[from].at.pack) {
			list[count] = j->bodies[from + count].at;
			count++;
		}
		err_t err = packs_punch(j->storage->packs, list, count, &done);

		for (size_t i = 0; i < done; i++)
			j->bodies[from + i].is_done = true;
		j->cannot_punch = err == ERR_DENIED;
		j->has_failed = err != OK;
		if (err != OK)
			return;
		from += count;
		if (from < j->count)
			(void)usleep(REST_US);
	}
}

/* ---- reading ----------------------------------------------------------------------- */

/* Does anybody need the body, and so few that it can be moved in one step?  found becomes
 * one of them. */
static bool is_movable(struct reader *reader, struct pack_body at,
		       struct pack_found *found)
{
	struct key key;
	struct str value, others = key_reference(&key, at.pack, at.offset, 0, UINT64_MAX);
	struct item_row item;
	unsigned holders = 0;
	err_t err = kv_seek(&reader->cursor, others);

	for (; err == OK && str_starts(reader->cursor.key, others);
	     err = kv_next(&reader->cursor)) {
		struct dec d = dec_over(str_skip(reader->cursor.key, others.len));

		found->account = dec_key32(&d);
		found->message = dec_key48(&d);
		if (++holders > JANITOR_HOLDERS_MAX)
			return false;
	}
	if (holders > 0)
		return true;
	return found->message >> NUMBER_MAX_BITS == 0 &&
	       kv_get(reader->txn,
		      key_message(&key, found->account, found->message, PART_ITEM),
		      &value) == OK &&
	       item_read(value, &item) && item.blob.at.pack == at.pack &&
	       item.blob.at.offset == at.offset;
}

/* False: this is no time to read on. */
static bool take(struct janitor *j, struct pack_found found, struct pack_body at)
{
	SCOPED(reader_end) struct reader reader;
	size_t frame_at = j->frames.len;
	uint64_t raw_size;

	if (reader_begin(&reader, j->storage) != STORE_OK)
		return false;
	if (!is_movable(&reader, at, &found))
		return true;
	kv_cursor_close(&reader.cursor);
	kv_drop(&reader.txn);
	/* A damaged one stays where it is: it was logged. */
	if (packs_read(j->storage->packs, at, 0, at.length, &j->frames, &raw_size) !=
		    OK ||
	    j->frames.len != frame_at + at.length) {
		buf_cut(&j->frames, frame_at);
		j->frames.failed = false;
		return true;
	}
	j->bodies[j->count++] = (struct janitor_body){.at = at,
						      .raw_size = raw_size,
						      .account = found.account,
						      .message = found.message,
						      .frame_at = frame_at};
	return true;
}

static void read_on(struct janitor *j)
{
	j->count = 0;
	j->is_walked = false;
	buf_reset(&j->frames);
	for (unsigned i = 0; i < WALK_MAX; i++) {
		struct pack_walk before = j->walk;
		struct pack_found found;
		struct pack_body at;
		err_t err = packs_walk(j->storage->packs, &j->walk, &found, &at);

		if (err != OK) {
			j->is_walked = err == ERR_ABSENT;
			j->has_failed = err != ERR_ABSENT;
			return;
		}
		if (j->count == JANITOR_BODIES_MAX ||
		    (j->count > 0 && j->frames.len + at.length > JANITOR_READ_BYTES) ||
		    !take(j, found, at)) {
			j->walk = before;
			return;
		}
		if (i % WORK_BODIES == WORK_BODIES - 1)
			(void)usleep(REST_US);
	}
}

/* ---- the thread -------------------------------------------------------------------- */

static void *janitor_run(void *arg)
{
	struct janitor *j = arg;

	ASSERT(pthread_mutex_lock(&j->mutex) == 0);
	while (!j->is_stopped) {
		enum janitor_job job = j->job;

		if (job == JANITOR_NONE) {
			ASSERT(pthread_cond_wait(&j->cond, &j->mutex) == 0);
			continue;
		}
		ASSERT(pthread_mutex_unlock(&j->mutex) == 0);
		j->has_failed = false;
		if (job == JANITOR_PUNCH)
			punch(j);
		else
			read_on(j);
		ASSERT(pthread_mutex_lock(&j->mutex) == 0);
		j->job = JANITOR_NONE;
	}
	ASSERT(pthread_mutex_unlock(&j->mutex) == 0);
	return NULL;
}

void janitor_init(struct janitor *j, struct storage *storage)
{
	*j = (struct janitor){.storage = storage, .frames = BUF(FRAME_BYTES_MAX)};
	ASSERT(pthread_mutex_init(&j->mutex, NULL) == 0);
	ASSERT(pthread_cond_init(&j->cond, NULL) == 0);
}

void janitor_fini(struct janitor *j)
{
	if (j->has_thread) {
		ASSERT(pthread_mutex_lock(&j->mutex) == 0);
		j->is_stopped = true;
		ASSERT(pthread_cond_signal(&j->cond) == 0);
		ASSERT(pthread_mutex_unlock(&j->mutex) == 0);
		ASSERT(pthread_join(j->thread, NULL) == 0);
	}
	buf_fini(&j->frames);
	ASSERT(pthread_cond_destroy(&j->cond) == 0);
	ASSERT(pthread_mutex_destroy(&j->mutex) == 0);
}

/* With the first job: most storages that tests open never have one. */
static void thread_start(struct janitor *j)
{
	sigset_t all, before;

	ASSERT(sigfillset(&all) == 0);
	ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	ASSERT(pthread_create(&j->thread, NULL, janitor_run, j) == 0);
	ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	j->has_thread = true;
}

void janitor_give(struct janitor *j, enum janitor_job job)
{
	ASSERT(pthread_mutex_lock(&j->mutex) == 0);
	ASSERT(j->job == JANITOR_NONE);
	j->job = job;
	ASSERT(pthread_cond_signal(&j->cond) == 0);
	ASSERT(pthread_mutex_unlock(&j->mutex) == 0);
	if (!j->has_thread)
		thread_start(j);
}

bool janitor_is_busy(struct janitor *j)
{
	ASSERT(pthread_mutex_lock(&j->mutex) == 0);
	bool is_busy = j->job != JANITOR_NONE;

	ASSERT(pthread_mutex_unlock(&j->mutex) == 0);
	return is_busy;
}
