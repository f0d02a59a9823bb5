/* A thread that does the slow work of giving space back: it punches dead bodies out of
 * their packs, and reads those that are needed out of sparse ones.  One job at a time,
 * given and taken back by the writer (space.c), who never waits for it. */
#pragma once

#include <pthread.h>

#include "db/pack.h"
#include "store/types.h"

struct storage;

enum {
	JANITOR_BODIES_MAX = 1024,    /* of one job */
	JANITOR_READ_BYTES = 1 << 18, /* of frames, unless one alone has more */
	JANITOR_HOLDERS_MAX = 500,    /* a body with more of them is not moved */
};

enum janitor_job { JANITOR_NONE, JANITOR_PUNCH, JANITOR_READ };

/* A body to be punched out; or one that was read. */
struct janitor_body {
	struct pack_body at;
	uint64_t sequence; /* punching: of the row that lists it as dead */
	uint64_t raw_size;
	account_t account; /* whose it is, or one of whom */
	uint64_t message;
	size_t frame_at; /* in frames */
	bool is_done;    /* punched */
};

struct janitor {
	struct storage *storage;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool has_thread;
	/* Guarded by the mutex: */
	enum janitor_job job; /* given, and not done yet */
	bool is_stopped;
	/* Whose turn it is may use these: the janitor while there is a job. */
	struct janitor_body bodies[JANITOR_BODIES_MAX];
	size_t count;
	struct buf frames;
	struct pack_walk walk; /* reading: where to go on */
	bool is_walked;        /* to the end of the pack */
	bool cannot_punch;     /* the file system cannot */
	bool has_failed;
};

void janitor_init(struct janitor *janitor, struct storage *storage);
void janitor_fini(struct janitor *janitor);
/* The next job; there must be none. */
void janitor_give(struct janitor *janitor, enum janitor_job job);
bool janitor_is_busy(struct janitor *janitor);
