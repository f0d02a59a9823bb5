/* What stands in the index under each key, and its bytes (rows.c). */
#pragma once

#include "base/codec.h"
#include "db/pack.h"
#include "storage/keys.h"
#include "store/types.h"

enum {
	STORAGE_FORMAT = 2,
	BLOB_HASH_BYTES = 32,
	STORE_KEY_MAX = 64,
	KEEP_DAYS = 14, /* expunged messages, unless the account says otherwise */
	KEEP_DAYS_MAX = 3660,
};

/* Where a body is, and what it is: the SHA-256 of its frame. */
struct blob {
	unsigned char hash[BLOB_HASH_BYTES];
	struct pack_body at;
};

struct state_row {
	uint32_t format;
	uint64_t epoch;
	uint64_t sequence;         /* of the last group that the index holds */
	struct pack_place at, end; /* where it stands, and what follows it */
	uint64_t accounts, messages, mailboxes;
	uint64_t body_bytes;   /* frames that are needed, each counted once */
	uint64_t shared_bytes; /* what they would be more if none were shared */
	uint64_t dead_bytes;   /* frames that are not, but still stand in their packs */
	uint64_t punched_bytes;
	uint64_t expunged; /* messages that can still be brought back */
	struct queue_count queue;
};

struct account_row {
	uint64_t next;         /* the next number */
	uint64_t change;       /* the last change */
	uint64_t change_floor; /* the log tells what came after this one */
	uint64_t changes;      /* rows in the log */
	uint32_t trim_day;     /* when the old ones are looked at; 0: there are none */
	uint32_t uid_validity; /* of the next mailbox */
	uint32_t mailboxes;
	uint64_t messages, bytes, messages_max, bytes_max;
	uint32_t keep_days;                /* expunged messages can be brought back */
	uint64_t expunged, expunged_bytes; /* those that can */
};

struct member_row {
	uint64_t member, message;
	uint8_t flags;
	uint64_t modseq;
	int64_t saved_at;
	struct str words; /* keywords as enc_str() one after the other */
};

struct item_row {         /* a message */
	bool is_shared;   /* there are reference rows for its body */
	bool is_threaded; /* its identifiers lead to its thread */
	uint32_t members; /* memberships and queue rows that need it; 0: expunged */
	struct blob blob;
	uint64_t raw_size;
	int64_t received_at;
	int16_t received_zone;
	struct str trace;
};

/* A membership that was the last of its message, after it was expunged. */
struct expunged_row {
	uint64_t message, mailbox;
	uint32_t uid;
	uint8_t flags;
	int64_t saved_at, expunged_at, until;
	struct str words;
};

struct dead_row {
	uint64_t length;
	uint64_t sequence; /* of the group that made it so, or of a later one */
};

struct pack_row { /* octets of frames */
	uint64_t live, dead, punched;
	uint64_t kept; /* live ones that could not be copied elsewhere */
};

struct envelope_row {
	struct str sender, id, envid;
	uint8_t ret, body_kind;
	struct queue_timing timing;
};

struct waiting_row { /* a queue row */
	uint64_t message;
	uint64_t lease; /* 0: nobody has it */
	int64_t due_at, leased_until, held_until, tried_at, received_at;
	uint32_t tries;
	struct str reason, host, route;
	uint8_t told, priority;
	bool is_given_up;
	enum queue_cause cause;
	struct queue_recipient recipient;
};

void state_write(struct buf *buf, const struct state_row *row);
[[nodiscard]] bool state_read(struct str bytes, struct state_row *row);
void account_write(struct buf *buf, const struct account_row *row);
[[nodiscard]] bool account_read(struct str bytes, struct account_row *row);
/* id is not part of the bytes. */
void mailbox_write(struct buf *buf, const struct mailbox_row *row);
[[nodiscard]] bool mailbox_read(struct str bytes, uint64_t id, struct mailbox_row *row);
void member_write(struct buf *buf, const struct member_row *row);
[[nodiscard]] bool member_read(struct str bytes, struct member_row *row);
void item_write(struct buf *buf, const struct item_row *row);
[[nodiscard]] bool item_read(struct str bytes, struct item_row *row);
void expunged_write(struct buf *buf, const struct expunged_row *row);
[[nodiscard]] bool expunged_read(struct str bytes, struct expunged_row *row);
void dead_write(struct buf *buf, const struct dead_row *row);
[[nodiscard]] bool dead_read(struct str bytes, struct dead_row *row);
void pack_row_write(struct buf *buf, const struct pack_row *row);
[[nodiscard]] bool pack_row_read(struct str bytes, struct pack_row *row);
void envelope_write(struct buf *buf, const struct envelope_row *row);
[[nodiscard]] bool envelope_read(struct str bytes, struct envelope_row *row);
void waiting_write(struct buf *buf, const struct waiting_row *row);
[[nodiscard]] bool waiting_read(struct str bytes, struct waiting_row *row);
/* The row as what is counted. */
struct queue_count waiting_count(const struct waiting_row *row);
/* Where it waits: its key; "" if it is held. */
struct str waiting_place(const struct waiting_row *row, account_t account, uint64_t id,
			 struct key *key);
void count_add(struct queue_count *sum, const struct queue_count *count);
void count_take(struct queue_count *sum, const struct queue_count *count);
void recipient_write(struct buf *buf, const struct queue_recipient *recipient);
void recipient_read(struct dec *dec, struct queue_recipient *recipient);

/* A commit's result under its idempotency key. */
void result_write(struct buf *buf, uint64_t change, const struct op_result *ops,
		  size_t count);
/* Takes the minute from the front of the row of a key that is kept. */
uint32_t kept_minute(struct str *bytes);
[[nodiscard]] bool result_read(struct str bytes, struct arena *arena,
			       struct store_result *result);
