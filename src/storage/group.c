/* Groups, and the index transaction that holds their effects until it is committed. */
#include <pthread.h>

#include "base/hash.h"
#include "base/log.h"
#include "rt/clock.h"
#include "storage/embedded.h"

enum {
	/* How old a change gets before the index shows it, if nobody asks before; and no
	 * more than a part of the writer's time, where disks are slow or the load is
	 * high: a page that many mails change is then written once for all of them (22 KB
	 * a mail of 4 KB at 50 sessions; always after 20 ms, 64 KB). */
	INDEX_US = 20 * 1000,
	INDEX_US_MAX = 300 * 1000,
	INDEX_PART = 16,
	ROOM_US = 1000 * 1000, /* how often a full disk is looked at again */
	/* Each may keep a page or two of 4 KB in memory. */
	PAGES_MAX = 16384,
};

/* ---- what readers may miss --------------------------------------------------------- */

static _Atomic uint64_t *touched_slot(struct storage *storage, account_t account,
				      enum storage_part part)
{
	if (part == STORAGE_QUEUE || part == STORAGE_ALL)
		account = 0;
	uint64_t hash = hash64_number((uint64_t)account << 3 | (uint64_t)part);

	return &storage->touched[hash & (TOUCHED_SLOTS - 1)];
}

void storage_touch(struct storage *storage, account_t account, enum storage_part part)
{
	uint64_t number = atomic_load(&storage->indexed) + 1;

	atomic_store(touched_slot(storage, account, part), number);
	atomic_store(touched_slot(storage, account, STORAGE_ALL), number);
}

/* The index commit that is still to come is counted after what it shows can be seen, so
 * whoever finds nothing missing here begins to read after it. */
bool storage_is_behind(struct storage *storage, account_t account, enum storage_part part)
{
	return atomic_load(touched_slot(storage, account, part)) >
	       atomic_load(&storage->indexed);
}

/* ---- the index transaction --------------------------------------------------------- */

err_t index_begin(struct storage *storage)
{
	bool is_there;

	if (!storage->work.txn) {
		TRY(work_begin(&storage->work, storage->kv, &is_there));
		ASSERT(is_there);
		storage->is_full = storage_is_full(storage);
	}
	storage->work.now = clock_s();
	return OK;
}

void index_changed(struct storage *storage)
{
	if (!storage->has_changes)
		storage->changed_us = clock_monotonic_us();
	storage->has_changes = true;
}

void index_reopened(struct storage *storage)
{
	storage->has_changes = storage->has_groups = false;
	atomic_fetch_add(&storage->indexed, 1);
}

void index_rewind(struct storage *storage)
{
	const char *why;

	if (packs_is_broken(storage->packs) || !flusher_drain(&storage->flusher)) {
		storage_recover(storage);
		return;
	}
	work_drop(&storage->work);
	if (storage->has_groups && storage_replay(storage, false, &why) != OK) {
		LOG(ERROR, "log not replayed", KV("why", why));
		storage_recover(storage);
		return;
	}
	index_reopened(storage);
}

static err_t index_write(struct work *work)
{
	TRY(work_flush(work));
	TRY(work_put_state(work));
	return work_commit(work);
}

void storage_index_commit(struct storage *storage)
{
	struct group_times *times = &storage->times;
	uint64_t began_us = clock_monotonic_us();
	bool is_whole = flusher_drain(&storage->flusher);

	if (is_whole && !storage->has_changes) {
		work_drop(&storage->work);
		return;
	}
	uint64_t drained_us = clock_monotonic_us();

	if (is_whole && index_write(&storage->work) == OK) {
		index_reopened(storage);
	} else if (!storage->is_read_only) {
		work_drop(&storage->work);
		storage_recover(storage);
	}
	uint64_t ended_us = clock_monotonic_us();

	times->drain += drained_us - began_us;
	times->index += ended_us - drained_us;
	times->index_commits++;
	storage->index_cost_us = ended_us - began_us;
}

uint64_t storage_tend(struct storage *storage)
{
	bool has_room_again = storage->lacks_room &&
			      clock_monotonic_us() - storage->stopped_us >= ROOM_US &&
			      !disk_is_full(storage);

	if (has_room_again ||
	    (!storage->is_read_only && flusher_has_failed(&storage->flusher)))
		storage_recover(storage);
	/* A transaction that holds nothing would keep others, such as whoever copies the
	 * index, waiting until the next commit. */
	if (!storage->has_changes) {
		work_drop(&storage->work);
		return UINT64_MAX;
	}
	uint64_t interval_us = storage->index_cost_us * INDEX_PART;
	uint64_t age_us = clock_monotonic_us() - storage->changed_us;

	interval_us = interval_us < INDEX_US       ? INDEX_US
		      : interval_us > INDEX_US_MAX ? INDEX_US_MAX
						   : interval_us;
	if (age_us < interval_us && kv_pages(storage->work.txn) < PAGES_MAX)
		return interval_us - age_us;
	storage_index_commit(storage);
	return UINT64_MAX;
}

/* ---- groups ------------------------------------------------------------------------ */

err_t group_record(struct storage *storage, const struct commit_head *head)
{
	buf_reset(&storage->record);
	commit_head_write(&storage->record, head);
	buf_add(&storage->record, buf_str(&storage->effects));
	if (!buf_ok(&storage->record) || !buf_ok(&storage->effects))
		return ERR_LIMIT;
	return packs_add_operation(storage->packs, buf_str(&storage->record));
}

err_t group_begin(struct storage *storage)
{
	struct flusher *flusher = &storage->flusher;

	if (storage->is_read_only)
		return storage->lacks_room ? ERR_LIMIT : ERR_IO;
	if (packs_wants_new(storage->packs))
		(void)flusher_drain(flusher); /* asked for next */
	if (flusher_has_failed(flusher))
		storage_recover(storage);
	if (storage->is_read_only)
		return storage->lacks_room ? ERR_LIMIT : ERR_IO;
	TRY(index_begin(storage));
	err_t err = packs_begin(storage->packs, &storage->group_at);

	if (err != OK && packs_is_broken(storage->packs))
		storage_recover(storage);
	return err;
}

err_t group_write(struct storage *storage)
{
	struct state_row *state = &storage->work.state;
	struct pack_place end;
	uint64_t sequence, began_us = clock_monotonic_us();

	uint64_t durable = flusher_durable(&storage->flusher);

	TRY(packs_write(storage->packs, durable, &end, &sequence));
	space_group_written(storage, sequence, durable);
	state->at = storage->group_at;
	state->end = end;
	state->sequence = sequence;
	index_changed(storage);
	storage->has_groups = true;
	atomic_fetch_add(&storage->groups, 1);
	storage->times.write += clock_monotonic_us() - began_us;
	return OK;
}

static err_t group_plan(struct storage *storage, const struct storage_group *group)
{
	struct plan plan = {.work = &storage->work,
			    .packs = storage->packs,
			    .scratch = &storage->scratch};
	uint64_t began_us = clock_monotonic_us();

	commits_plan(storage, &plan, group);
	for (size_t i = 0; i < group->lease_count && plan.failed == OK; i++)
		lease_plan(storage, &plan, group->leases[i]);
	storage->times.plan += clock_monotonic_us() - began_us;
	return plan.failed;
}

static void group_refuse(struct storage_group *group, err_t err)
{
	enum store_outcome outcome = err == ERR_LIMIT ? STORE_FULL : STORE_UNAVAILABLE;

	for (size_t i = 0; i < group->count; i++)
		group->commits[i].outcome = outcome;
	for (size_t i = 0; i < group->lease_count; i++)
		group->leases[i]->outcome = outcome;
	group->done(group);
}

void storage_submit(struct storage *storage, struct storage_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		group->commits[i].result = (struct store_result){0};
	err_t err = group_begin(storage);

	if (err != OK) {
		group_refuse(group, err);
		return;
	}
	err = group_plan(storage, group);
	if (err != OK || packs_size(storage->packs).records == 0)
		packs_drop(storage->packs);
	else
		err = group_write(storage);
	if (err != OK) {
		index_rewind(storage);
		group_refuse(group, err);
		return;
	}
	if (group->planned)
		group->planned(group);
	/* Even a refusal rests on what the groups before did: it waits for them. */
	flusher_add(&storage->flusher, group, storage->work.state.sequence);
}

/* ---- from beginning to end --------------------------------------------------------- */

struct whole {
	struct storage_group group;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool is_done;
};

static void whole_done(struct storage_group *group)
{
	struct whole *whole = (struct whole *)group;

	ASSERT(pthread_mutex_lock(&whole->mutex) == 0);
	whole->is_done = true;
	ASSERT(pthread_cond_signal(&whole->cond) == 0);
	ASSERT(pthread_mutex_unlock(&whole->mutex) == 0);
}

static void whole_do(struct storage *storage, struct storage_group group)
{
	struct whole whole = {.group = group,
			      .mutex = PTHREAD_MUTEX_INITIALIZER,
			      .cond = PTHREAD_COND_INITIALIZER};

	whole.group.done = whole_done;
	storage_submit(storage, &whole.group);
	ASSERT(pthread_mutex_lock(&whole.mutex) == 0);
	while (!whole.is_done)
		ASSERT(pthread_cond_wait(&whole.cond, &whole.mutex) == 0);
	ASSERT(pthread_mutex_unlock(&whole.mutex) == 0);
	if (!storage->is_read_only && flusher_has_failed(&storage->flusher))
		storage_recover(storage);
}

void storage_commit_group(struct storage *storage, struct storage_commit *commits,
			  size_t count)
{
	whole_do(storage, (struct storage_group){.commits = commits, .count = count});
}

enum store_outcome storage_take_due(struct storage *storage, struct storage_lease *lease)
{
	whole_do(storage, (struct storage_group){.leases = &lease, .lease_count = 1});
	return lease->outcome;
}
