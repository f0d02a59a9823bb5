/* What the files of mda/ share about a carrier that runs. */
#pragma once

#include "base/list.h"
#include "mda/mda.h"

enum { FORGET_BUCKETS = 256, MDA_KEY_MAX = 64 };

/* Rows that were leased together, and their memory. */
struct batch {
	struct arena arena;
	struct queue_row *rows;
	size_t count, taken, unfinished;
	int64_t leased_until;
};

/* A row whose delivery has come to something. */
struct finished {
	struct list_link in_run;
	struct batch *batch;
	const struct queue_row *row;
	enum queue_outcome outcome;
	int64_t due_at;
	struct str reason; /* a literal */
};

/* A key that is of no more use. */
struct forget {
	struct list_link in_bucket, in_age;
	account_t account;
	int64_t since;
	size_t key_len;
	char key[MDA_KEY_MAX];
};

struct run {
	const struct mda *mda;
	struct batch *batch;    /* being taken from; NULL: none */
	struct waiters emptied; /* the batch is taken, or nothing is under way */
	size_t workers;
	struct list finished; /* to be settled */
	bool has_settler;
	struct list forgets[FORGET_BUCKETS], forget_ages;
	size_t forget_count;
	size_t users; /* its tasks; the last one frees it */
};

/* The key of a row's delivery, in room of MDA_KEY_MAX octets. */
struct str mda_key(const struct queue_row *row, char *room);
void batch_unref(struct batch *batch);
void run_unref(struct run *run);

/* settle.c */
void settle_later(struct run *run, struct batch *batch, const struct queue_row *row,
		  enum queue_outcome outcome, int64_t due_at, struct str reason);
/* Takes up to limit keys of the account, to be forgotten in a commit of it. */
size_t forget_take(struct run *run, account_t account, struct store_op *ops,
		   struct forget **taken, size_t limit);
/* What became of them. */
void forget_end(struct run *run, struct forget **taken, size_t count, bool is_done);
/* May suspend.  Forgets all there is, without waiting for deliveries. */
void forget_all(struct run *run);
