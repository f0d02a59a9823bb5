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
	struct run *run;
	struct list told; /* finished, and their senders hear of them: they wait for
			     the others, so that one report tells of them together */
	size_t told_count;
	int64_t leased_until;
};

/* What a delivery has come to. */
struct verdict {
	enum queue_outcome outcome;
	int64_t due_at;
	struct str reason; /* a literal */
	bool is_told;      /* the sender may want to hear of it */
	enum bounce_action action;
	struct smtp_enhanced status;
	int64_t retry_until;
	uint8_t tell; /* enum queue_told */
};

/* A row whose delivery has come to something. */
struct finished {
	struct list_link in_list; /* the run's, or the batch's */
	struct batch *batch;
	const struct queue_row *row;
	struct verdict verdict;
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

/* verdict.c: what follows from the outcome of an append; not for STORE_DENIED. */
struct verdict verdict_of(const struct mda *mda, const struct queue_row *row,
			  enum store_outcome outcome);
/* Of a mail that is not to be delivered any more.  RFC 2852 §4.1.3. */
struct verdict verdict_late(void);
/* Of one that a person has given up. */
struct verdict verdict_given_up(void);

/* settle.c */
void settle_later(struct run *run, struct batch *batch, const struct queue_row *row,
		  const struct verdict *verdict);
/* One row less is unfinished: what waited for that is settled. */
void settle_waiting(struct batch *batch);
/* Takes up to limit keys of the account, to be forgotten in a commit of it. */
size_t forget_take(struct run *run, account_t account, struct store_op *ops,
		   struct forget **taken, size_t limit);
/* What became of them. */
void forget_end(struct run *run, struct forget **taken, size_t count, bool is_done);
/* May suspend.  Forgets all there is, without waiting for deliveries. */
void forget_all(struct run *run);
