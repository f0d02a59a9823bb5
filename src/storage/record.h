/* Effects: what an operation does, decided to the last number, so that doing it again
 * from the log gives the same index.  A commit's effects are one operation record of a
 * pack's group (record.c). */
#pragma once

#include "base/arena.h"
#include "storage/rows.h"

/* Beside the operations of store/types.h. */
enum {
	EFFECT_LEASE = OP_KEY_FORGET + 1,
	EFFECT_EPOCH,
	EFFECT_BODY_MOVED,
	EFFECT_PURGED,
	EFFECT_EXPIRED,
};

struct effect_body {
	struct blob blob;
	uint64_t raw_size;
	account_t from_account; /* with from_message: shares its body, and its digest */
	uint64_t from_message;  /* if none is given */
};
struct effect_append {
	uint64_t mailbox, message, member;
	uint32_t uid;
	struct effect_body body;
	int64_t received_at;
	int16_t received_zone;
	uint8_t flags;
	struct str words, trace, digest;
	uint64_t thread; /* 0 in logs of before there were threads: its own */
};
struct effect_flags {
	uint64_t mailbox;
	struct uid_set uids;
	enum flags_mode mode;
	uint8_t flags;
	struct str words;
	uint8_t kept;      /* flags that stay as they are, and FLAGS_KEPT_WORDS */
	account_t seen_by; /* whose \Seen it is; 0: the owner's */
};
struct effect_copy { /* and move */
	uint64_t mailbox, to_mailbox;
	struct uid_set uids;
	uint32_t to_uid;    /* of the first; the rest follow by 1 */
	uint64_t to_member; /* likewise */
};
struct effect_expunge {
	uint64_t mailbox;
	struct uid_set uids;
};
struct effect_undelete {
	uint64_t member, mailbox; /* the expunged one; where to */
	uint32_t to_uid;
	uint64_t to_member;
};
struct effect_mailbox { /* create, rename, delete, subscribe; account create (INBOX) */
	uint64_t mailbox, parent;
	struct str name;
	uint8_t role;
	bool is_container, is_subscribed;
	uint32_t uid_validity;
};
struct effect_kv {
	struct str key, value;
};
struct effect_queue_add {
	uint64_t message, row; /* row: of the first recipient; the rest follow by 1 */
	struct effect_body body;
	int64_t received_at, due_at;
	uint8_t priority;
	struct envelope_row envelope;
	struct str trace, digest;
	struct str recipients; /* recipient_write() one after the other */
	uint32_t count;
};
struct effect_settle {
	uint64_t row;
	enum queue_outcome outcome;
	int64_t due_at;
	struct str reason;
	uint8_t told;
	enum queue_cause cause;
	struct str host;
};
struct effect_queue_change {
	enum queue_change change;
	const uint64_t *rows;
	size_t count;
	int64_t until;
	struct str text;
};
struct effect_recent {
	uint64_t mailbox;
	uint32_t below; /* 0: nothing was recent */
};
struct effect_lease { /* in a commit of the row's account */
	uint64_t row, lease;
	int64_t until;
};
struct effect_epoch {
	uint64_t epoch, jump; /* all counters skip so many numbers */
};

struct effect_body_moved { /* in commits of the system account */
	struct pack_body from, to;
	account_t account; /* whose it is, if it is nobody else's as well */
	uint64_t message;
};

/* Housekeeping that decides about what comes after: both in commits of the system
 * account. */
struct effect_purged { /* memberships of a deleted mailbox went */
	account_t account;
	uint64_t mailbox;
	uint32_t upto; /* the last UID that did */
	int64_t at;    /* when the mailbox was deleted */
	bool is_end;   /* that was all */
};
struct effect_expired { /* all that was expunged and kept went, up to this one */
	int64_t until;
	account_t account;
	uint64_t member;
};

struct effect {
	int kind; /* enum store_op_kind, or one of ours */
	union {
		struct effect_append append;
		struct effect_flags flags;
		struct effect_copy copy;
		struct effect_expunge expunge;
		struct effect_mailbox mailbox;
		struct effect_kv kv;
		struct effect_queue_add queue_add;
		struct effect_settle settle;
		struct effect_queue_change queue_change;
		struct effect_recent recent;
		struct effect_lease lease;
		struct effect_epoch epoch;
		struct effect_undelete undelete;
		struct effect_body_moved body_moved;
		struct effect_purged purged;
		struct effect_expired expired;
		struct str key_forget;
	};
};

struct commit_head {
	account_t account;
	int64_t now;     /* seconds since 1970, by the clock of the store */
	uint64_t change; /* the change number of all its effects; 0: it has none */
	struct str key;
	uint32_t key_minute;
	uint32_t count; /* effects that follow */
};

void commit_head_write(struct buf *buf, const struct commit_head *head);
[[nodiscard]] bool commit_head_read(struct dec *dec, struct commit_head *head);
void effect_write(struct buf *buf, const struct effect *effect);
/* Slices borrow from the input, UID sets live in the arena.  False: damaged, or written
 * by a newer program. */
[[nodiscard]] bool effect_read(struct dec *dec, struct arena *arena,
			       struct effect *effect);
/* The same, and writes the effect to out in the form that it was found in; each place of
 * a body in it is given to the mover first, who may change it. */
struct effect_mover {
	void (*move)(void *arg, struct pack_body *at);
	void *arg;
};
[[nodiscard]] bool effect_move(struct dec *dec, struct arena *arena,
			       const struct effect_mover *mover, struct buf *out,
			       struct effect *effect);
/* The message whose body and digest the effect's own message shares; false if none. */
bool effect_source(const struct effect *effect, account_t *account, uint64_t *message);
