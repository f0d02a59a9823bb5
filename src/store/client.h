/* The client's own parts, shared by its files; doors use store.h.
 *
 * A call is a talk: a request that is repeated on each new channel until a whole reply is
 * there or the deadline has passed.
 */
#pragma once

#include <zstd.h>

#include "base/list.h"
#include "rt/ipc.h"
#include "store/codec.h"
#include "store/store.h"

enum {
	CALL_WAIT_S = 30,
	TABLE_BUCKETS = 1024, /* of accounts; a power of two */
	SPARE_BUFS = 8,
	SPARE_BUF_BYTES = IPC_BODY_MAX, /* a bigger one is given back */
	SPARE_ZSTD = 4,
};

/* An account that may be used here. */
struct entry {
	struct list_link in_bucket;
	account_t account;
	size_t count; /* store_enter()s without store_leave(), those under way as well */
	size_t grant_len;
	char grant[GRANT_BYTES_MAX];
};

/* An account that is visited here. */
struct visit {
	struct list_link in_visits;
	account_t number, account, owner;
};

struct held_lock {
	struct list_link in_locks;
	account_t account;
	size_t name_len;
	char name[LOCK_NAME_MAX];
};

struct store {
	struct ipc *ipc;      /* NULL while there is no channel */
	uint64_t channel;     /* counts channels */
	bool is_ready;        /* grants, watches and locks are presented */
	bool is_closed;       /* store_close() was called */
	struct waiters ready; /* or closed */
	void (*ended)(account_t account, uint32_t generation); /* may be NULL */
	size_t users; /* talks, and the task that greets */
	struct list entries[TABLE_BUCKETS];
	struct store_watch *watches[TABLE_BUCKETS];
	struct list locks, visits;
	account_t last_visit;
	bool has_given_all; /* the numbers of visits: they begin anew */
	uint64_t last_staged;
	size_t staging;            /* bodies that attempts stage now, */
	struct waiters has_staged; /* and when there are fewer */
	ZSTD_CCtx *compress;       /* for what does not suspend */
	ZSTD_CCtx *stagers[SPARE_ZSTD];
	ZSTD_DCtx *readers[SPARE_ZSTD];
	size_t stager_count, reader_count;
	struct buf spares[SPARE_BUFS];
	size_t spare_count;
	struct at_rest at_rest; /* the three give back their memory */
};

/* The queues' bells hang among the accounts' watches, under numbers no account has. */
#define QUEUE_BELL(kind) (UINT32_MAX - (account_t)(kind))

static inline size_t store_bucket(account_t account)
{
	return account & (TABLE_BUCKETS - 1);
}

enum talk_kind { TALK_READ, TALK_COMMIT };

struct talk {
	struct store *store;
	enum talk_kind kind;
	deadline_t deadline;
	int fd; /* to go with the request; -1: none */
	struct buf request, reply;
	struct dec dec;             /* the reply behind its outcome */
	enum store_outcome outcome; /* once is_over */
	bool is_over, was_sent, had_unknown;
	bool is_doubtful; /* an attempt before this one may have committed */
};

/* A buffer that is needed no more: emptied here. */
void store_spare_give(struct store *store, struct buf *buf);
void talk_begin(struct talk *talk, struct store *store, enum talk_kind kind);
void talk_end(struct talk *talk);
/* May suspend until there is a channel.  False when the talk is over. */
bool talk_again(struct talk *talk);
/* Sends talk->request.  The talk is over unless the channel died. */
void talk_exchange(struct talk *talk, enum store_message call);
void talk_finish(struct talk *talk, enum store_outcome outcome);
/* A whole read: the two above with an encoded request. */
enum store_outcome talk_read(struct talk *talk, const struct store_request *request);
/* A reading call: begins the talk and reads the reply; false if there is none. */
bool talk_read_begin(struct talk *talk, struct store *store,
		     const struct store_request *request);
/* Ends it: what was decoded counts only if all of it was. */
enum store_outcome talk_read_end(struct talk *talk, bool is_decoded);
/* The reply's slices must outlive the talk: its octets move to the caller's arena in one
 * go. */
struct dec *talk_kept(struct talk *talk, struct arena *arena);
/* Says something that is not answered; nothing if there is no channel. */
void talk_tell(struct store *store, const struct store_request *request);

void store_use(struct store *store);
void store_unuse(struct store *store);
struct entry *store_entry(struct store *store, account_t account);

/* client_watch.c */
void store_on_event(struct store *store, struct str body);
void store_wake_watches(struct store *store);

/* client_commit.c */
ZSTD_CCtx *store_stager_take(struct store *store);
void store_stager_give(struct store *store, ZSTD_CCtx *stager);
