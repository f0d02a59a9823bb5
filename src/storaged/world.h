/* A store process and its doors in a folder of their own, all in one loop, for tests. */
#pragma once

#include "base/test.h"
#include "rt/task.h"
#include "storaged/storaged.h"
#include "store/store.h"

enum { DOOR_ID = 11, DELIVERD_ID = 12, CTL_ID = 13, ANN = 7, BOB = 8 };

extern struct world {
	char folder[64], staging[80];
	struct storage *storage;
	struct storaged *storaged;
	struct store *door, *deliverd, *ctl;
	size_t page_count;  /* of bodies, that were asked for */
	struct arena arena; /* of everything that comes back */
	void (*test)(void);
} w;

/* Runs the test in a task, in a world with two accounts, Ann and Bob; cleans up. */
void world_run(void (*test)(void));

/* Another channel, from whoever plays that role. */
int channel_to(enum gate_role role, uint64_t id);
/* As if its process began and ended; the channels end with it. */
void store_process_start(void);
void store_process_stop(void);

/* Shows a good grant for the account. */
void enter(struct store *store, account_t account, uint32_t generation);
/* In the octets that world's store process takes as its key. */
extern const unsigned char grant_key[GRANT_KEY_BYTES];

enum store_outcome commit_one(struct store *store, account_t account, struct str key,
			      struct store_op op, struct store_result *result);
/* To INBOX. */
struct store_op append_op(struct str raw);
void account_create(account_t account);
/* Messages in INBOX. */
size_t exists(account_t account);
