/* The keys of the index.  keys.c lists the tables. */
#pragma once

#include "db/kv.h"
#include "store/types.h"

enum table {
	TABLE_ACCOUNT = 'A',
	TABLE_MAILBOX = 'B',
	TABLE_NAME = 'C',
	TABLE_CHANGE = 'D',
	TABLE_MESSAGE = 'E',
	TABLE_MEMBER = 'F',
	TABLE_QUEUE = 'G',
	TABLE_KV = 'H',
	TABLE_KEPT_KEY = 'I',
	TABLE_THREAD = 'J',
	TABLE_EXPUNGED = 'K',
	/* of the system account only */
	TABLE_QUEUE_ID = 'M',
	TABLE_QUEUE_COUNT = 'N',
	TABLE_KEPT_AGE = 'O',
	TABLE_TIMED_KEY = 'P',
	TABLE_PURGE = 'Q',
	TABLE_REFERENCE = 'R',
	TABLE_STATE = 'S',
	TABLE_TRIM = 'T',
	TABLE_PACK = 'U',
	TABLE_DAMAGED = 'V',
	TABLE_WAIT = 'W',
	TABLE_EXPIRY = 'X',
	TABLE_EQUAL = 'Y',
	TABLE_DEAD = 'Z',
};

/* The rows of a message. */
enum message_part { PART_ITEM, PART_DIGEST, PART_ENVELOPE, PART_THREAD };

enum { NUMBER_MAX_BITS = 48, KEY_PREFIX_LEN = 5 };

/* Room for a key on the stack; the functions return the slice of it. */
struct key {
	size_t len;
	char bytes[KV_KEY_BYTES_MAX];
};

struct str key_table(struct key *key, account_t account, enum table table);
/* Tables whose rows have one number. */
struct str key_numbered(struct key *key, account_t account, enum table table,
			uint64_t number);
struct str key_account(struct key *key, account_t account);
struct str key_mailbox(struct key *key, account_t account, uint64_t mailbox);
struct str key_name(struct key *key, account_t account, uint64_t parent, struct str name);
struct str key_message(struct key *key, account_t account, uint64_t message,
		       enum message_part part);
struct str key_thread(struct key *key, account_t account, uint64_t hash);
/* Descending: the key of a greater UID, change or part is less. */
struct str key_member(struct key *key, account_t account, uint64_t mailbox, uint32_t uid);
struct str key_change(struct key *key, account_t account, uint64_t change, uint32_t part);
struct str key_kv(struct key *key, account_t account, struct str name);
struct str key_kept(struct key *key, account_t account, struct str name);
/* The kept one by its age, and by its time a timed one. */
struct str key_kept_age(struct key *key, uint32_t minute, account_t account,
			struct str name);
struct str key_timed(struct key *key, uint32_t minute, account_t account,
		     struct str name);
/* Where queue rows wait: by urgency under the time when they are due, and those under
 * lease under the time when it ends.  Held ones wait nowhere. */
enum wait_class { WAIT_URGENT, WAIT_NORMAL, WAIT_BULK, WAIT_LEASED };
enum { WAIT_CLASSES = 4 };
struct str key_wait(struct key *key, enum queue_kind kind, enum wait_class class,
		    int64_t due, account_t account, uint64_t row);
/* A queued message by its queue id; message 0: before all of them. */
struct str key_queue_id(struct key *key, struct str id, account_t account,
			uint64_t message);
/* The part behind the last @, as it is spelt there. */
struct str queue_domain_of(struct str address);
/* What is counted for the domain of that address. */
struct str key_queue_count(struct key *key, struct str address);
/* message UINT64_MAX: only the part that all references of the body share. */
struct str key_reference(struct key *key, uint32_t pack, uint64_t offset,
			 account_t account, uint64_t message);
struct str key_dead(struct key *key, uint32_t pack, uint64_t offset);
/* By the hash of the frame, of which 8 octets are used. */
struct str key_equal(struct key *key, const unsigned char *hash);
struct str key_pack(struct key *key, uint32_t pack);
struct str key_expunged(struct key *key, account_t account, uint64_t member);
struct str key_expiry(struct key *key, int64_t until, account_t account, uint64_t member);
struct str key_purge(struct key *key, account_t account, uint64_t mailbox);
struct str key_trim(struct key *key, uint32_t day, account_t account);
struct str key_state(struct key *key);
struct str key_damaged(struct key *key, account_t account, uint64_t message);

/* The UID of a member's key, the change of a change's. */
uint32_t key_uid_of(struct str key);
uint64_t key_change_of(struct str key);
/* The parts of a key behind account and table. */
struct dec key_dec(struct str key);
account_t key_account_of(struct str key);
/* True if the key belongs to that table of that account. */
bool key_is_of(struct str key, account_t account, enum table table);
