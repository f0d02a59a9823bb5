/* Groups under way, several at a time, as the writer has them: for tests and benches. */
#pragma once

#include <pthread.h>

#include "storage/storage.h"

enum { SLOTS_MAX = 8, SLOT_COMMITS = 100, SLOT_OPS = 2, SLOT_KEY = 32 };

/* A group under way.  What its commits refer to may stand in its arena. */
struct slot {
	struct storage_group group;
	struct slots *slots;
	bool is_busy;
	uint64_t number;   /* the caller's, such as that of the first mail */
	uint64_t began_us; /* when it was submitted, unless the caller says otherwise */
	struct arena arena;
	struct storage_commit commits[SLOT_COMMITS];
	struct store_commit given[SLOT_COMMITS];
	struct store_op ops[SLOT_COMMITS][SLOT_OPS];
	char keys[SLOT_COMMITS][SLOT_KEY];
};

struct slots {
	struct slot list[SLOTS_MAX];
	size_t count;
	void (*done)(struct slot *slot);
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	size_t busy; /* guarded by the mutex */
};

/* done() is called under the mutex, by any thread, for each group whose outcomes are
 * final. */
void slots_init(struct slots *slots, size_t count, void (*done)(struct slot *slot));
/* Waits until none is under way. */
void slots_fini(struct slots *slots);
void slots_wait(struct slots *slots);
/* Waits until fewer than that many are under way, and gives one that is not, its arena
 * empty, its commits and operations zeroed. */
struct slot *slot_take(struct slots *slots, size_t limit);
/* With given[0] to given[count - 1], each of one operation if it does not say. */
void slot_submit(struct slot *slot, struct storage *storage, size_t count);
