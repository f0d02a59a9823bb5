/* What the store keeps, and the operations that change it: the words that doors, the
 * store process and the back ends share.
 *
 * Everything belongs to an account.  Mailboxes, messages, memberships and changes of an
 * account take their numbers from its one counter: below 2^48, never reused.  A mailbox
 * holds memberships (UID, flags, keywords); each points to a message (body, size, dates,
 * digest), so a copy shares the message.  Slices in requests borrow from the caller,
 * slices in results from the arena given with the call.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

typedef uint32_t account_t;
/* Owns the directory and the queue rows that strangers cause. */
#define ACCOUNT_SYSTEM ((account_t)0)
/* Numbers from here on are no accounts but visits: somebody else's account as he sees it
 * who was given rights there (store_visit()). */
#define ACCOUNT_VISITS ((account_t)1 << 31)
/* Created first in every account, so its number is always the same. */
#define MAILBOX_INBOX ((uint64_t)1)
/* Where an append names it: the mailbox with ROLE_JUNK, or INBOX if there is none. */
#define MAILBOX_JUNK ((uint64_t)1 << 63)
/* Likewise: the one with that full name, op_append.path, or INBOX if there is none that
 * takes messages. */
#define MAILBOX_NAMED (MAILBOX_JUNK | 1)

enum {
	MAILBOX_NAME_MAX = 255, /* octets of UTF-8, of one level of the name */
	MAILBOX_DEPTH_MAX = 20,
	MAILBOX_PATH_MAX = (MAILBOX_NAME_MAX + 1) * MAILBOX_DEPTH_MAX,
	KEYWORDS_MAX = 64, /* of one membership */
	KEYWORD_BYTES_MAX = 100,
	TRACE_BYTES_MAX = 16384, /* per-recipient header fields */
	DIGEST_BYTES_MAX = 60 * 1024,
	QUEUE_ID_BYTES = 32,
	QUEUE_DOMAIN_BYTES = 255,
	KV_KEY_MAX = 400,
	KV_VALUE_MAX = 32 * 1024,
	COMMIT_OPS_MAX = 1100, /* a queue row a recipient, and some */
	UID_RANGES_MAX = 20000,
	FLAGS_RUNS_MAX = 10000,
	ROWS_PAGE_BYTES = 256 * 1024,
	ROWS_PAGE_MAX = 2500,
	ROWS_RANGES_MAX = 500, /* of UIDs, that one call asks for */
	EXPUNGED_PAGE_MAX = 500,
};

/* The key-value pair that holds an account's limits, two decimal numbers: most messages,
 * a space, most octets; 0 is no limit.  Putting it sets them. */
#define STORE_KV_QUOTA "quota"
/* For how many days expunged messages can be brought back, a decimal number; 14 where it
 * is not put. */
#define STORE_KV_UNDELETE "undelete"
/* Followed by a mailbox's number: for how many days messages stay there after they were
 * saved, a decimal number; 0 is for ever.  What is older is expunged. */
#define STORE_KV_RETENTION "retention/"
/* The Sieve script that says what becomes of mail for the account (sieve/). */
#define STORE_KV_SIEVE "sieve/active"

/* How a call ended.  Only OK means that it happened; only UNKNOWN means that it may
 * have. */
enum store_outcome {
	STORE_OK,
	STORE_CONFLICT, /* exists already, or is not in the state the call expects */
	STORE_ABSENT,   /* no such account, mailbox, message or row */
	STORE_OVER_QUOTA,
	STORE_DENIED,      /* the gate says no */
	STORE_INVALID,     /* a bound or rule above was broken by the caller */
	STORE_DAMAGED,     /* what was to be read has not survived on disk */
	STORE_FULL,        /* the disk has no room for it; nothing happened */
	STORE_UNAVAILABLE, /* cannot now: read-only, starting; nothing happened */
	STORE_UNKNOWN,     /* lost touch in the middle: retry with the same key */
};

/* Flags of a membership.  \Recent is none of them: see OP_RECENT. */
enum message_flag {
	FLAG_SEEN = 1,
	FLAG_ANSWERED = 2,
	FLAG_FLAGGED = 4,
	FLAG_DELETED = 8,
	FLAG_DRAFT = 16,
};

/* RFC 6154 special uses; at most one a mailbox. */
enum mailbox_role {
	ROLE_NONE,
	ROLE_INBOX,
	ROLE_ARCHIVE,
	ROLE_DRAFTS,
	ROLE_FLAGGED,
	ROLE_JUNK,
	ROLE_SENT,
	ROLE_TRASH,
	ROLE_ALL,
	ROLE_IMPORTANT,
};

struct uid_range {
	uint32_t first, last; /* inclusive; first <= last, never 0 */
};
struct uid_set { /* ascending, no overlap */
	const struct uid_range *ranges;
	size_t count;
};
struct keywords {
	const struct str *words;
	size_t count;
};

/* ---- operations -------------------------------------------------------------------- */

enum store_op_kind {
	OP_ACCOUNT_CREATE, /* the account of the commit; makes INBOX */
	OP_APPEND,
	OP_FLAGS,
	OP_COPY,
	OP_MOVE,
	OP_EXPUNGE,
	OP_MAILBOX_CREATE,
	OP_MAILBOX_RENAME,
	OP_MAILBOX_DELETE,
	OP_MAILBOX_SUBSCRIBE,
	OP_KV_PUT,
	OP_KV_DELETE,
	OP_QUEUE_ADD,
	OP_QUEUE_SETTLE,
	OP_UNDELETE,
	OP_QUEUE_CHANGE, /* of rows, by a person */
	OP_ACL,          /* the rights of one in a mailbox; alone in its commit */
	OP_RECENT,       /* somebody was told of messages as recent */
	OP_KEY_FORGET,   /* an idempotency key that is no longer needed */
};

/* Where the body of a new message comes from; exactly one form is used. */
struct store_body {
	struct str raw;   /* doors: the bytes as they are; the client compresses them */
	struct str frame; /* back end, and doors that have it: the frame
			     (store/body_form.h) of raw_size octets ... */
	uint64_t staged;  /* ... or one staged before by this channel */
	uint64_t raw_size;
	account_t from_account; /* or the body of a message that is there already, */
	uint64_t from_message;  /* such as a queued one; its digest is shared as well */
	uint64_t from_mailbox;  /* in a visit: where it was seen there */
	uint32_t from_uid;
	account_t from_visitor; /* the gate's: who visits from_account */
};

/* A message by its number.  In a visit the store wants to know where it was seen: there
 * it is the mailbox that gives the right to read it. */
struct message_ref {
	uint64_t message;
	uint64_t mailbox;
	uint32_t uid;
};
/* In an account of one's own. */
#define MESSAGE_REF(number) ((struct message_ref){.message = (number)})

struct op_append {
	uint64_t mailbox;
	struct str path;   /* of MAILBOX_NAMED: levels with "/" in between */
	bool unless_sieve; /* CONFLICT if the account has a script */
	struct store_body body;
	struct str trace;  /* header fields in front of the body, CRLF-terminated or "" */
	struct str digest; /* opaque; of the body without trace */
	int64_t received_at;   /* INTERNALDATE, seconds since 1970 */
	int16_t received_zone; /* minutes east */
	uint8_t flags;
	struct keywords keywords;
};

enum flags_mode { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE };

struct op_flags {
	uint64_t mailbox;
	struct uid_set uids; /* those that do not exist are passed over */
	enum flags_mode mode;
	uint8_t flags;
	struct keywords keywords;
	uint64_t unchanged_since; /* RFC 7162 §3.1.3; UINT64_MAX: whatever they are */
	bool wants_runs;          /* the result tells what flags all of them have then */
	/* The gate's, for visitors; doors leave them 0. */
	uint8_t kept;      /* flags that stay as they are, and FLAGS_KEPT_WORDS */
	account_t seen_by; /* whose \Seen it is; 0: the owner's */
};
#define FLAGS_KEPT_WORDS 32

struct op_copy { /* and move */
	uint64_t mailbox, to_mailbox;
	struct uid_set uids;
};

struct op_expunge {
	uint64_t mailbox;
	struct uid_set uids; /* only these; count 0: all */
	bool only_deleted;   /* only those that have \Deleted */
};

struct op_mailbox {             /* create, rename, delete, subscribe */
	uint64_t mailbox;       /* not for create */
	uint64_t parent;        /* create, rename: 0 is the top */
	struct str name;        /* create, rename: one level, UTF-8, without "/" */
	enum mailbox_role role; /* create */
	bool is_container;      /* create: \Noselect */
	bool is_subscribed;     /* create, subscribe */
};

struct op_kv {
	struct str key, value;
	bool only_if_absent; /* put: CONFLICT if it is there */
};

/* How a queued mail must travel: one of the first three, and any of the rest. */
enum queue_body {
	QUEUE_7BIT = 0,
	QUEUE_8BITMIME = 1,
	QUEUE_BINARYMIME = 2,
	/* Elsewhere it would not be taken for its author's, or we cannot tell (DMARC). */
	QUEUE_ONWARD_FAILS = 4,
	QUEUE_ONWARD_UNSURE = 8,
	QUEUE_SUSPECT = 16,      /* what is local goes to MAILBOX_JUNK */
	QUEUE_TLS_OPTIONAL = 32, /* TLS-Required: No, whatever policies say (RFC 8689) */
	QUEUE_REQUIRETLS = 64,   /* or not at all (RFC 8689) */
	QUEUE_SMTPUTF8 = 128,
};
#define QUEUE_BODY_MASK 3

enum queue_kind { QUEUE_LOCAL, QUEUE_REMOTE };

enum queue_mode {
	QUEUE_BY_NOTIFY = 1, /* tell the sender when deliver_by has passed */
	QUEUE_BY_RETURN = 2, /* give up then */
	QUEUE_BY_TRACE = 4,  /* tell the sender of each relaying */
	QUEUE_HOLD_FOR = 8,  /* hold_until was asked for as an interval */
};

/* What a sender asked about time.  RFC 2852, RFC 4865. */
struct queue_timing {
	int64_t deliver_by; /* with QUEUE_BY_NOTIFY or QUEUE_BY_RETURN */
	int64_t hold_until; /* not to be sent before; 0: at once */
	uint8_t modes;      /* enum queue_mode */
};

/* Of the rows that are due the more urgent go first, but never without the others. */
enum queue_priority { QUEUE_NORMAL, QUEUE_URGENT, QUEUE_BULK };

/* Why the last try of a row ended as it did: by these rows are counted and found. */
enum queue_cause {
	CAUSE_NONE, /* untried, or nobody said */
	CAUSE_DNS,
	CAUSE_CONNECT,
	CAUSE_TLS,
	CAUSE_REPLY,  /* the next server said 4xx */
	CAUSE_POLICY, /* ours forbids it for now */
	CAUSE_QUOTA,
	CAUSE_OTHER,
	CAUSES,
};

/* What the sender of a queued mail has heard of it. */
enum queue_told { QUEUE_TOLD_DELAY = 1, QUEUE_TOLD_LATE = 2 /* deliver_by passed */ };

struct queue_recipient {
	enum queue_kind kind;
	struct str address;  /* where it goes: after aliases */
	struct str original; /* as RCPT TO gave it */
	account_t account;   /* local: whose INBOX */
	struct str orcpt;    /* RFC 3461: "rfc822;ann@example.org", decoded, or "" */
	uint8_t notify;      /* bits: 1 never, 2 success, 4 failure, 8 delay; 0 default */
};

struct op_queue_add {
	struct str sender; /* reverse-path, "" is <> */
	struct str id;     /* the queue id that logs and replies show, up to 32 octets */
	struct store_body body;
	struct str trace; /* Received of the hop that took it */
	struct str digest;
	int64_t received_at;
	int64_t due_at;
	struct str envid;
	uint8_t ret;       /* 0 none, 1 full, 2 headers */
	uint8_t body_kind; /* enum queue_body */
	uint8_t priority;  /* enum queue_priority */
	struct queue_timing timing;
	const struct queue_recipient *recipients;
	size_t count;
};

enum queue_outcome {
	QUEUE_DONE,
	QUEUE_RETRY,
	QUEUE_RELEASE, /* it was not tried: due again at due_at */
	QUEUE_PROLONG, /* still at it: the lease goes on until due_at, an hour at most */
};

struct op_queue_settle {
	uint64_t row;
	uint64_t lease; /* as the lease call gave it; a stale one is CONFLICT */
	enum queue_outcome outcome;
	int64_t due_at;
	struct str reason;      /* retry: in words, up to 500 octets */
	uint8_t told;           /* retry: enum queue_told, added to what it has */
	enum queue_cause cause; /* retry */
	struct str host;        /* retry: which server it was tried with, or "" */
};

/* What a person may do with rows.  Those that are gone are passed over. */
enum queue_change {
	ROWS_RETRY,   /* due now, unless held */
	ROWS_HOLD,    /* not leased until `until`; what is under way is not called back */
	ROWS_RELEASE, /* no longer held */
	ROWS_DROP,    /* gone, and nobody is told */
	ROWS_BOUNCE,  /* given up: whoever leases it next tells its sender, for `text` */
	ROWS_REROUTE, /* to the next hop `text`; "": where DNS and settings lead again */
};
#define QUEUE_HELD INT64_MAX /* until somebody releases it */
enum { QUEUE_CHANGE_MAX = 1000 };

struct op_queue_change {
	enum queue_change change;
	const uint64_t *rows;
	size_t count; /* 1 to QUEUE_CHANGE_MAX */
	int64_t until;
	struct str text; /* a next hop up to 255 octets, a reason up to 500 */
};

struct op_undelete {      /* CONFLICT, ABSENT or OVER_QUOTA as for a new message */
	uint64_t member;  /* as store_expunged() tells it */
	uint64_t mailbox; /* where to */
};

enum acl_kind { ACL_ACCOUNT = 1, ACL_ANYONE };
struct acl_who {
	enum acl_kind kind;
	bool is_negative;  /* its rights are taken away (RFC 4314 §2) */
	account_t account; /* ACL_ACCOUNT */
};
struct acl_entry {
	struct acl_who who;
	uint32_t rights; /* of enum acl_right (store/acl.h) */
};
enum acl_change { ACL_SET, ACL_ADD, ACL_REMOVE };
struct op_acl {
	uint64_t mailbox;
	enum acl_change change;
	struct acl_entry entry; /* set to no rights, it goes */
};

/* RFC 3501 §2.3.2: messages below that UID are told to a session that may write now, and
 * are recent for nobody else; the result has the first that is for this one.  It is no
 * change, so nobody is woken; and who commits it alone does not wait until it is durable,
 * since what is lost of it only makes messages recent once more. */
struct op_recent {
	uint64_t mailbox;
	uint32_t below;
};

struct store_op {
	enum store_op_kind kind;
	union {
		struct op_append append;
		struct op_flags flags;
		struct op_copy copy;
		struct op_expunge expunge;
		struct op_mailbox mailbox;
		struct op_kv kv;
		struct op_queue_add queue_add;
		struct op_queue_settle settle;
		struct op_undelete undelete;
		struct op_queue_change queue_change;
		struct op_acl acl;
		struct op_recent recent;
		struct str key_forget;
	};
};

/* A commit: all operations of one account happen, durably, or none.  The same key gives
 * the result of the first time instead of doing it again. */
struct store_commit {
	account_t account;
	struct str key;      /* up to 64 octets; "" lets the client make one */
	uint32_t key_minute; /* minutes since 1970 when it was made; such keys are
				forgotten after an hour.  0: kept until OP_KEY_FORGET */
	const struct store_op *ops;
	size_t count;
};

/* Messages that follow each other and have the same flags. */
struct flags_run {
	struct uid_range uids; /* all of them are there */
	uint8_t flags;
	struct keywords keywords;
};

/* What an operation did. */
struct op_result {
	uint64_t mailbox;      /* created; or where a message went */
	uint32_t uid_validity; /* of that mailbox */
	uint32_t uid;          /* append; recent: the first */
	uint64_t message;      /* append */
	uint64_t row;          /* queue_add: of the first recipient; the rest follow by 1;
				  queue_change: how many were changed */
	struct uid_set uids; /* flags: changed; expunge: gone; copy, move: the sources */
	struct uid_set to_uids; /* copy, move: in the order of uids */
	struct uid_set refused; /* flags: changed since */
	/* flags: of all that are there, changed or not, if that was wanted; none if they
	 * are too many (FLAGS_RUNS_MAX), or a visitor's: then they are to be read. */
	const struct flags_run *runs;
	size_t run_count;
};

struct store_result {
	uint64_t change; /* the account's change number after the commit */
	bool is_repeat;  /* the key had been used: this is the first result (op results of
			    append, queue_add and create only) */
	const struct op_result *ops;
	size_t count;
	size_t failed_op; /* which operation caused an outcome other than OK */
};

/* ---- rows -------------------------------------------------------------------------- */

struct mailbox_row {
	uint64_t id, parent;
	struct str name;
	enum mailbox_role role;
	bool is_container, is_subscribed;
	uint32_t uid_validity, uid_next;
	uint32_t exists, unseen, deleted;
	uint32_t recent_from, recent; /* messages from that UID on, and how many */
	uint64_t bytes;
	uint64_t modseq; /* highest */
	uint64_t change; /* the account's, at that moment; of one mailbox only */
	/* What who asks may do there, of enum acl_right; in a visit, those that only
	 * stand above one of use have none. */
	uint32_t rights;
};

enum row_column { /* what store_rows() should fetch beside uid and flags */
		  ROW_KEYWORDS = 1,
		  /* member, message, received_at, saved_at, size, trace */
		  ROW_MESSAGE = 2,
		  ROW_DIGEST = 4,
		  ROW_HASH = 8,
		  ROW_THREAD = 16,
		  /* received_at, size, and of the digest the digest_front(), where it is
		   * not asked for whole: what SORT and THREAD need */
		  ROW_KEYS = 32,
		  ROW_MODSEQ = 64,
};
enum { ROW_HASH_BYTES = 32 };

struct message_row {
	uint32_t uid;
	uint8_t flags;
	uint64_t modseq;
	uint64_t member; /* the membership's own number: never changes, never reused */
	struct keywords keywords;
	uint64_t message; /* EMAILID */
	uint64_t thread;  /* THREADID: the number of its first message */
	int64_t received_at;
	int16_t received_zone;
	int64_t saved_at;
	uint64_t size; /* of trace and body together */
	struct str trace;
	struct str digest;
	unsigned char hash[ROW_HASH_BYTES]; /* SHA-256 of the body's frame as stored */
};

struct undelete_row { /* a message that was expunged, and can be brought back */
	uint64_t member, message;
	uint64_t mailbox; /* where it was; that may be gone, too */
	uint32_t uid;
	uint8_t flags;
	int64_t received_at, expunged_at;
	int64_t until; /* when it is let go */
	uint64_t size;
	struct str digest;
};

enum change_kind {
	CHANGE_MAILBOX, /* created or renamed or its properties changed */
	CHANGE_MAILBOX_GONE,
	CHANGE_MESSAGE_NEW,
	CHANGE_MESSAGE_FLAGS,
	CHANGE_MESSAGE_GONE,
	CHANGE_ANNOTATION, /* of the mailbox, or of mailbox 0: the server (RFC 5464) */
	CHANGE_RIGHTS,     /* who may do what in the mailbox */
	CHANGE_SHARES,     /* mailboxes of others: who shares any, and subscriptions */
};

struct change_row {
	uint64_t change;
	enum change_kind kind;
	uint64_t mailbox;
	struct uid_range uids; /* of the message kinds */
	struct str entry;      /* of an annotation: its pair's name (store/acl.h) behind
				  "meta/MAILBOX/" */
};

struct account_summary {
	uint64_t change;
	uint64_t messages, bytes;         /* memberships and their sizes, for the quota */
	uint64_t messages_max, bytes_max; /* 0 is no limit */
	uint64_t epoch;
};

struct kv_row {
	struct str key, value;
};

struct queue_row {
	account_t account; /* whose row it is */
	uint64_t row;
	uint64_t lease; /* only from the lease call */
	uint64_t message;
	struct str id, sender, trace, envid;
	uint8_t ret, body_kind;
	struct queue_timing timing;
	struct queue_recipient recipient;
	int64_t received_at, due_at;
	uint32_t tries;
	struct str reason; /* of the last retry */
	uint8_t told;      /* enum queue_told */
	uint64_t size;
	uint8_t priority;     /* enum queue_priority */
	bool is_given_up;     /* not to be tried again, but returned to its sender */
	int64_t leased_until; /* 0: nobody has it */
	int64_t held_until;   /* 0, or QUEUE_HELD, or a time */
	int64_t tried_at;     /* 0: never */
	enum queue_cause cause;
	struct str host;  /* the last one it was tried with */
	struct str route; /* the next hop that a person chose, or "" */
};

/* Which rows: all that is asked for must fit. */
enum queue_by {
	BY_ID = 1,
	BY_SENDER = 2, /* "" is <> */
	BY_DOMAIN = 4, /* of the recipient's address */
	BY_CAUSE = 8,
	BY_AGE = 16,
	BY_ACCOUNT = 32,
	BY_HELD = 64, /* held ones only, also those until a time */
};
struct queue_select {
	unsigned by; /* enum queue_by */
	struct str id, sender, domain;
	enum queue_cause cause;
	int64_t received_before;
	account_t account; /* whose rows they are */
	bool is_brief;     /* what comes has no trace and no size */
};

/* Where to go on in the list of rows; zero is the beginning. */
struct queue_place {
	account_t account;
	uint64_t row;
	bool is_end;
};

struct queue_count {
	uint64_t rows, held, leased, causes[CAUSES];
};
struct queue_domain {
	struct str domain;
	struct queue_count count;
};

/* What of the packs is durable, at one place of the log. */
struct store_extent {
	uint64_t epoch, sequence; /* of the last group */
	struct pack_extent {
		uint32_t number;
		uint64_t length; /* the first so many octets of the pack */
	} * packs;
	size_t count;
};

struct store_stats {
	uint64_t accounts, messages, mailboxes, queue_rows;
	uint64_t body_bytes;    /* frames that are needed, each counted once */
	uint64_t shared_bytes;  /* saved by that */
	uint64_t expunged;      /* messages that can be brought back */
	uint64_t dead_bytes;    /* frames that nobody needs, still in their packs */
	uint64_t punched_bytes; /* and no longer */
	uint64_t log_bytes;     /* of the packs: what is no frame */
	uint64_t pack_bytes;    /* on disk */
	uint64_t index_bytes;
	uint64_t commits, groups, bodies_read; /* since start */
};
