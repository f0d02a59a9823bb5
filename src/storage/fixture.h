/* A storage in a folder of its own, for tests.  What the calls here say goes for every
 * back end; the folder and the dump are the embedded one's. */
#pragma once

#include "base/test.h"
#include "storage/storage.h"

enum back_end { BACK_END_EMBEDDED, BACK_END_MEMORY };
/* What fixture_open() opens; after each test it is the embedded one. */
extern enum back_end fixture_back_end;

/* A test of the seam: every back end must pass it. */
#define CONFORMANCE(name)                                                                \
	static void each_##name(void);                                                   \
	TEST(name)                                                                       \
	{                                                                                \
		fixture_each_back_end(each_##name);                                      \
	}                                                                                \
	static void each_##name(void)
void fixture_each_back_end(void (*test)(void));

struct fixture_options {
	uint64_t pack_bytes_max, index_bytes_max; /* 0: as usual */
};
#define FIXTURE_USUAL ((struct fixture_options){0})

struct fixture {
	struct fixture_options options;
	char folder[64]; /* "": there is none */
	struct storage *storage;
	struct arena arena; /* of everything that comes back */
	struct store_result result;
	struct str why;
};

/* Whatever *f held before: a new one, with account 1 in it. */
void fixture_open(struct fixture *f, struct fixture_options options);
/* The same in a folder that is there; "" for memory.  Not open yet:
 * fixture_open_again(). */
void fixture_in(struct fixture *f, const char *folder, struct fixture_options options);
/* Closes and removes it. */
void fixture_close(struct fixture *f);
void fixture_shut(struct fixture *f);        /* only closes */
err_t fixture_open_again(struct fixture *f); /* after fixture_shut() */

/* A path in the folder; good until the next call. */
const char *fixture_path(const struct fixture *f, const char *name);

enum store_outcome fixture_commit(struct fixture *f, account_t account, const char *key,
				  const struct store_op *ops, size_t count);
/* Sets for how many days the account keeps expunged messages. */
void fixture_keep(struct fixture *f, account_t account, const char *days);
/* A commit of one operation without a key. */
enum store_outcome fixture_do(struct fixture *f, account_t account, struct store_op op);
/* The first result of the last commit. */
const struct op_result *fixture_first(const struct fixture *f);

/* The octets of text stand for a frame; raw_size is their count. */
struct store_op op_append_of(uint64_t mailbox, const char *text);
struct store_op op_mailbox_of(const char *name, uint64_t parent);
struct store_op op_queue_of(const struct queue_recipient *recipients, size_t count,
			    const char *text);
struct uid_set uids_of(struct uid_range *range, uint32_t first, uint32_t last);
/* Appends n messages to INBOX of account 1 in commits of one. */
void fixture_fill(struct fixture *f, unsigned n);
struct mailbox_row fixture_mailbox(struct fixture *f, account_t account,
				   uint64_t mailbox);
/* The body as a string; "" if it cannot be had. */
struct str fixture_body(struct fixture *f, account_t account, uint64_t message);
size_t fixture_rows(struct fixture *f, account_t account, uint64_t mailbox,
		    struct message_row **rows);
/* Housekeeping until nothing is left to do. */
void fixture_maintain(struct fixture *f, int64_t now);
/* Takes what is due of the queue; gives how many rows. */
size_t fixture_lease(struct fixture *f, enum queue_kind kind, int64_t now, int64_t until,
		     size_t limit, struct queue_row **rows, int64_t *next_due);

/* A bit of everything, always the same for a seed (one digit). */
void fixture_much(struct fixture *f, unsigned seed);

/* After fixture_shut(): true if storage_check() finds nothing. */
bool fixture_is_in_order(struct fixture *f);

/* All queue rows that fit, or as many as a page has room for. */
size_t fixture_queue(struct fixture *f, struct queue_select select,
		     struct queue_row **rows);

/* Everything in the index, as text. */
void fixture_dump(struct fixture *f, struct buf *dump);
