/* For tests: a store process of a few lines on the other end of a channel, that keeps
 * small pairs in memory and remembers which accounts were made. */
#pragma once

#include "store/store.h"

struct fake_store {
	struct store *store;       /* the client, for the code under test */
	enum store_outcome refuse; /* if not OK, the answer to every call, */
	unsigned refuse_after;     /* after that many more calls */
	unsigned calls;
	size_t accounts, mailboxes; /* made so far */
	struct fake_pair *pairs;
	size_t count, room;
	account_t made[64];
	/* called before a commit is looked at, to slip in what others do */
	void (*before_commit)(struct fake_store *fake);
};

/* Runs the test in a task, with a fresh store. */
void fake_store_run(void (*test)(struct fake_store *fake));
/* Does what a commit of somebody else would do. */
void fake_store_put(struct fake_store *fake, struct str key, struct str value);
void fake_store_remove(struct fake_store *fake, struct str key);
