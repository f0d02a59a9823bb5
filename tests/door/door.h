/* A door's surroundings without the world: the conn is octets in memory, log-in,
 * directory and store are a few lines.  For fuzzing whole sessions; a program that links
 * this gets none of the real ones. */
#pragma once

#include "base/buf.h"
#include "net/conn.h"
#include "store/store.h"

/* The accounts: "ann" is 1, "bob" is 2, both of example.org with the password "pass". */
enum { DOOR_ANN = 1, DOOR_BOB = 2 };

struct conn {
	struct str input; /* what is not taken yet; then the client closes */
	struct buf output;
	bool is_loopback;
};

void door_conn(struct conn *conn, struct str input, bool is_loopback);
/* Calls it in a task, with a task's stack, to its end. */
void door_run(void (*run)(void));
/* What the fuzzer wants to know of each commit; says how it ends. */
extern enum store_outcome (*door_on_commit)(const struct store_commit *commit);
/* How many locks are held. */
extern unsigned door_lock_count;
