#include "storage/slots.h"

#include "rt/clock.h"

enum { ARENA_MAX = 64 << 20 };

void slots_init(struct slots *slots, size_t count, void (*done)(struct slot *slot))
{
	ASSERT(count <= SLOTS_MAX);
	memset(slots, 0, sizeof *slots);
	slots->count = count;
	slots->done = done;
	ASSERT(pthread_mutex_init(&slots->mutex, NULL) == 0);
	ASSERT(pthread_cond_init(&slots->freed, NULL) == 0);
	for (size_t i = 0; i < count; i++) {
		slots->list[i].slots = slots;
		arena_init(&slots->list[i].arena, ARENA_MAX);
	}
}

void slots_fini(struct slots *slots)
{
	slots_wait(slots);
	for (size_t i = 0; i < slots->count; i++)
		arena_fini(&slots->list[i].arena);
	ASSERT(pthread_cond_destroy(&slots->freed) == 0);
	ASSERT(pthread_mutex_destroy(&slots->mutex) == 0);
}

static void submitted_done(struct storage_group *group)
{
	struct slot *slot = CONTAINER_OF(group, struct slot, group);
	struct slots *slots = slot->slots;

	ASSERT(pthread_mutex_lock(&slots->mutex) == 0);
	slots->done(slot);
	slot->is_busy = false;
	slots->busy--;
	ASSERT(pthread_cond_signal(&slots->freed) == 0);
	ASSERT(pthread_mutex_unlock(&slots->mutex) == 0);
}

static struct slot *wait_for(struct slots *slots, size_t limit)
{
	struct slot *slot = slots->list;

	ASSERT(pthread_mutex_lock(&slots->mutex) == 0);
	while (slots->busy >= limit)
		ASSERT(pthread_cond_wait(&slots->freed, &slots->mutex) == 0);
	while (slot->is_busy)
		slot++;
	ASSERT(pthread_mutex_unlock(&slots->mutex) == 0);
	return slot;
}

void slots_wait(struct slots *slots)
{
	(void)wait_for(slots, 1);
}

struct slot *slot_take(struct slots *slots, size_t limit)
{
	struct slot *slot = wait_for(slots, limit);

	arena_reset(&slot->arena);
	memset(slot->given, 0, sizeof slot->given);
	memset(slot->ops, 0, sizeof slot->ops);
	slot->began_us = 0;
	return slot;
}

void slot_submit(struct slot *slot, struct storage *storage, size_t count)
{
	struct slots *slots = slot->slots;

	ASSERT(count <= SLOT_COMMITS);
	slot->group = (struct storage_group){
		.commits = slot->commits, .count = count, .done = submitted_done};
	for (size_t i = 0; i < count; i++) {
		slot->given[i].ops = slot->ops[i];
		if (slot->given[i].count == 0)
			slot->given[i].count = 1;
		slot->commits[i] = (struct storage_commit){.commit = &slot->given[i],
							   .arena = &slot->arena};
	}
	if (slot->began_us == 0)
		slot->began_us = clock_monotonic_us();
	ASSERT(pthread_mutex_lock(&slots->mutex) == 0);
	slot->is_busy = true;
	slots->busy++;
	ASSERT(pthread_mutex_unlock(&slots->mutex) == 0);
	storage_submit(storage, &slot->group);
}
