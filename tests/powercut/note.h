/* What the load writes into the trace (trace.h) between the store's calls: what each
 * group is about to do, and what the store must be when it is done.
 *
 * A second store, to which nothing ever happens, gets every group first.  So the state
 * after group N is known before the store under test hears of N, and after a power cut it
 * must be in the state after one of them: not before the last one that was acknowledged
 * or that readers saw, nor behind the last that was submitted, and never between two.
 */
#pragma once

#include "store/types.h"

enum {
	ACCOUNTS = 5, /* 1 to 5; 0 is the system's */
	COMMITS_MAX = 4,
	OPS_MAX = 4,
	NOTE_KEY_MAX = 24,
};

/* What an account is. */
struct account_state {
	uint64_t hash; /* of all that can be read of it */
	uint64_t next; /* its next number */
};

/* The first result of an idempotency key that must be remembered; the numbers are sums
 * over those operations whose results are kept. */
struct promised {
	uint32_t account, minute;
	uint32_t ops, unused; /* bits: which operations */
	char key[NOTE_KEY_MAX];
	uint64_t change, mailbox, message, row;
	uint32_t uid_validity, uid;
};

struct intent {         /* payload of TRACE_INTENT */
	uint64_t group; /* from 1 */
	uint64_t promises;
	int64_t now;       /* by the load's calendar */
	uint64_t is_later; /* days have passed: keys from before may be forgotten */
	struct account_state after[ACCOUNTS + 1];
	struct promised promised[COMMITS_MAX];
};
