/* What the files of storaged/ share; nobody else includes it.
 *
 * A guest is a process on the other side of a channel.  A seat is what a guest has with
 * one account: a grant, a watch.
 */
#pragma once

#include "base/list.h"
#include "rt/completion.h"
#include "rt/ipc.h"
#include "storage/storage.h"
#include "storaged/storaged.h"
#include "storaged/writer.h"

enum {
	SEAT_BUCKETS = 4096, /* powers of two */
	LEASE_BUCKETS = 1024,
	BUSY_MAX = 8192,                    /* requests of one guest under way */
	BUSY_BYTES_MAX = 256 * 1024 * 1024, /* and their octets */
	REQUEST_ARENA_BYTES = 1024 * 1024,
	KEPT_BYTES_MAX = 64 * 1024 * 1024, /* long replies of one guest */
	LEASES_MAX = 20000,                /* queue rows of one guest */
	LOCKS_MAX = 30000,                 /* of one guest */
	STAGED_HELD_BYTES = 64 * 1024,     /* of one staged body, in memory, */
	HELD_BYTES_MAX = 16 * 1024 * 1024, /* and of all */
};
#define STAGED_BYTES_MAX ((uint64_t)2 << 30)

struct seat {
	struct list_link in_bucket, in_guest, in_dirty;
	struct guest *guest;
	account_t account;
	account_t number;  /* what the guest calls it: the account, or a visit */
	account_t visitor; /* of a visit: whose grant counts */
	struct list_link in_visits;
	uint32_t rights, generation; /* of the grant; rights 0: none */
	int64_t expires_at;
	bool is_watched, is_dirty;
};

/* Below it no grant of the account is good. */
struct raised {
	struct list_link in_bucket;
	account_t account;
	uint32_t generation;
};

/* A queue row that a guest has taken. */
struct lease {
	struct list_link by_row, by_message, by_age;
	account_t account;
	uint64_t row, message;
	uint64_t number; /* what the storage knows it by */
	int64_t until;
};
struct leases {
	struct list rows[LEASE_BUCKETS], messages[LEASE_BUCKETS], ages;
	size_t count;
};

struct staged {
	struct list_link in_guest;
	uint64_t id, size;
	struct buf held; /* its octets, until they are too many */
	int fd;          /* then, of a file without a name; -1: not yet */
	bool is_busy;    /* a piece is being written */
	bool is_dropped;
};

struct lock {
	struct list_link in_guest, in_locks;
	account_t account;
	struct str name; /* in bytes */
	char bytes[];
};

struct guest {
	struct list_link in_all;
	struct storaged *storaged;
	struct ipc *ipc; /* NULL when it has left */
	enum gate_role role;
	uint64_t id;
	size_t users; /* handlers, the events' task, and 1 until it has left */
	size_t busy_bytes;
	struct list seats, dirty, locks, staged, kept;
	size_t lock_count, staged_count, visit_count, kept_bytes;
	uint64_t staged_bytes, last_token;
	unsigned watched_queues, dirty_queues; /* 1 << enum queue_kind */
	bool has_events_task;
	bool has_pin;          /* of the storage: a backup is being made */
	struct leases *leases; /* NULL: never had any */
	struct taken *taken;   /* what it indexes; NULL: nothing yet */
};

struct storaged {
	struct storaged_options options;
	struct writer *writer;
	struct list guests;
	struct list seats[SEAT_BUCKETS], raised[SEAT_BUCKETS];
	struct list visits[SEAT_BUCKETS]; /* seats, by their numbers */
	bool is_sharing;                  /* somebody is in share_commit() */
	struct waiters shared;
	struct list locks;
	unsigned char grant_key[GRANT_KEY_BYTES];
	bool has_grant_key, is_closing;
	size_t guest_count;      /* also those that have left but are still in use */
	struct completion empty; /* posted when is_closing and no guest is left */
	uint64_t held_bytes;     /* of staged bodies, in memory */
	struct indexing *indexing;
	uint64_t retention_task;            /* 0: it has ended */
	struct completion *retention_ended; /* of whoever waits for that */
};

void guest_ref(struct guest *guest);
void guest_unref(struct guest *guest);

/* seats.c */
struct seat *seat_find(struct storaged *storaged, const struct guest *guest,
		       account_t account);
enum store_outcome seat_enter(struct guest *guest, account_t account, struct str grant);
void seat_leave(struct guest *guest, account_t account);
bool seat_allows(struct guest *guest, account_t account, enum grant_right right);
void seat_watch(struct guest *guest, account_t account, bool is_watched);
void seats_revoke(struct storaged *storaged, account_t account, uint32_t generation);
void seats_drop(struct guest *guest);
void raised_fini(struct storaged *storaged);

struct seat *seat_open_visit(struct guest *guest, account_t visitor, account_t owner,
			     account_t number);
struct seat *seat_find_visit(struct storaged *storaged, const struct guest *guest,
			     account_t number);
void seat_end_visit(struct guest *guest, account_t number);

/* visits.c: requests of guests who are in somebody else's account. */
/* Opens it: ABSENT if the owner shares nothing with the account.  May suspend. */
enum store_outcome visit_begin(struct guest *guest, const struct store_request *request);
/* What the request says of visits becomes accounts and visitors.  DENIED: there is no
 * such visit. */
enum store_outcome visit_enter(struct guest *guest, struct store_request *request,
			       struct arena *arena);
/* Whether a request is about visits at all. */
bool visit_concerns(const struct store_request *request);
/* Until the index shows who has which rights in what the request is about; false if that
 * cannot be told now. */
bool visit_catch_up(struct guest *guest, const struct store_request *request);
/* For the gate. */
uint32_t visit_rights(void *arg, account_t owner, account_t visitor, uint64_t mailbox);
bool visit_sees(void *arg, account_t owner, const struct message_ref *ref);
struct seen_set;
/* visits_read.c: what a visitor gets to see of what was read; in a thread. */
enum store_outcome visit_mailboxes(struct storage *storage, account_t owner,
				   account_t visitor, struct arena *arena,
				   struct mailbox_row *rows, size_t *count);
enum store_outcome visit_mailbox(struct storage *storage, account_t owner,
				 account_t visitor, struct arena *arena,
				 struct mailbox_row *row);
void visit_changes(struct storage *storage, account_t owner, account_t visitor,
		   struct change_row *rows, size_t *count);
/* Which messages he has seen, and a message's row with that in it. */
enum store_outcome visit_seen(struct storage *storage, account_t owner, account_t visitor,
			      uint64_t mailbox, struct arena *arena,
			      struct seen_set *seen);
void visit_row(const struct seen_set *seen, struct message_row *row);

/* share.c: a commit of OP_ACL, and the hints that go with it; suspends. */
void share_commit(struct guest *guest, struct storage_commit *commit);

/* events.c: after a commit, wakes whoever watches. */
void events_commit(struct storaged *storaged, const struct store_commit *commit);
/* Tells the guest that grants of the account made before that generation have ended. */
void events_ended(struct guest *guest, account_t account, uint32_t generation);
/* Wakes whoever watches these queues: bits 1 << enum queue_kind. */
void events_queue(struct storaged *storaged, unsigned queues);

/* locks.c */
enum store_outcome lock_take(struct guest *guest, account_t account, struct str name);
void lock_give(struct guest *guest, account_t account, struct str name);
void locks_drop(struct guest *guest);

/* leases.c */
bool leases_have_room(const struct guest *guest, size_t count);
void leases_add(struct guest *guest, const struct queue_row *rows, size_t count,
		int64_t until);
void leases_settle(struct guest *guest, account_t account,
		   const struct op_queue_settle *op);
bool lease_of_row(struct guest *guest, account_t account, uint64_t row);
bool lease_of_message(struct guest *guest, account_t account, uint64_t message);
void leases_drop(struct guest *guest);
/* Gives back what a guest that has left was at, in a task: others need not wait until the
 * leases end. */
void leases_release(struct guest *guest);

/* staging.c; these may suspend, except the drops. */
void staging_open(const char *folder); /* and empties it */
enum store_outcome staging_add(struct guest *guest, uint64_t id, uint64_t offset,
			       struct str bytes);
void staging_drop(struct guest *guest, uint64_t id);
void staging_drop_all(struct guest *guest);
/* The commit's staged bodies become frames in memory, until released. */
struct borrowed {
	struct guest *guest;
	struct borrowed_body {
		struct buf held;
		struct str map; /* of a file */
	} * bodies;             /* one per op; NULL: none was staged */
	size_t count;
	bool has_maps;
};
enum store_outcome staging_borrow(struct guest *guest, struct store_commit *commit,
				  struct borrowed *borrowed);
void staging_release(struct borrowed *borrowed);

/* retention.c: a task that looks, a few times a day, for what was saved too long ago. */
void retention_start(struct storaged *storaged);
void retention_stop(struct storaged *storaged); /* suspends while it commits */
/* One time, as if it were now. */
void retention_round(struct storaged *storaged, int64_t now);

/* indexing.c: hands out what is not in the search index yet. */
void indexing_start(struct storaged *storaged);
void indexing_stop(struct storaged *storaged); /* suspends */
/* The account may have new messages. */
void indexing_mark(struct storaged *storaged, account_t account);
/* Replies when there is work, or after INDEX_WAIT_S. */
void indexing_take(struct guest *guest, struct arena *arena, uint64_t id);
enum store_outcome indexing_put(struct guest *guest, account_t account,
				const struct index_done *done);
enum store_outcome indexing_renew(struct storaged *storaged);
/* Has it taken that message? */
bool indexing_has(struct guest *guest, account_t account, uint64_t message);
/* It has left: what waits for it ends; and nothing is left of it. */
void indexing_leave(struct guest *guest);
void indexing_drop(struct guest *guest);

/* reply.c */
void reply_send(struct guest *guest, uint64_t id, const struct buf *reply);
void reply_only(struct guest *guest, uint64_t id, enum store_outcome outcome);
void reply_rest(struct guest *guest, uint64_t id, uint64_t token, uint64_t offset);
void replies_drop(struct guest *guest);

/* backup.c; begin suspends and replies. */
void backup_begin(struct guest *guest, int index_fd, struct arena *arena, uint64_t id);
enum store_outcome backup_end(struct guest *guest); /* ABSENT if there was none */

/* serve.c: answers one message of a guest, in a task of its own. */
void serve(struct guest *guest, const struct ipc_message *message);
/* serve_read.c: in a thread; reply becomes the outcome and what the call gives.  True if
 * a body that was asked for is not there. */
bool serve_read(struct storage *storage, const struct store_request *request,
		struct buf *reply);
