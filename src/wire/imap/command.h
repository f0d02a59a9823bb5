/* A whole command: its tag, what it is, and its arguments, typed.  RFC 9051 §9,
 * RFC 3501 §9; ID is RFC 2971, UIDPLUS RFC 4315, MOVE RFC 6851, UNSELECT RFC 3691,
 * COMPRESS RFC 4978, REPLACE RFC 8508, GETQUOTA and its like RFC 9208, UNAUTHENTICATE
 * RFC 8437, UIDBATCHES RFC 10022, NOTIFY RFC 5465. */
#pragma once

#include "wire/imap/acl.h"
#include "wire/imap/append.h"
#include "wire/imap/esearch.h"
#include "wire/imap/fetch.h"
#include "wire/imap/list.h"
#include "wire/imap/metadata.h"
#include "wire/imap/notify.h"
#include "wire/imap/quota.h"
#include "wire/imap/search.h"
#include "wire/imap/select.h"
#include "wire/imap/store.h"

enum {
	IMAP_TAG_MAX = 200,
	IMAP_ID_PAIRS_MAX = 30,
	IMAP_ENABLE_MAX = 50,
	IMAP_CANCEL_MAX = 50
};

/* Where a session stands; a set of bits in the table of commands.  RFC 9051 §3. */
enum imap_state {
	IMAP_NOT_AUTHENTICATED = 1,
	IMAP_AUTHENTICATED = 2,
	IMAP_SELECTED = 4,
};

enum imap_verb {
	IMAP_CAPABILITY,
	IMAP_NOOP,
	IMAP_LOGOUT,
	IMAP_ID,
	IMAP_STARTTLS,
	IMAP_AUTHENTICATE,
	IMAP_LOGIN,
	IMAP_ENABLE,
	IMAP_SELECT,
	IMAP_EXAMINE,
	IMAP_CREATE,
	IMAP_DELETE,
	IMAP_RENAME,
	IMAP_SUBSCRIBE,
	IMAP_UNSUBSCRIBE,
	IMAP_LIST,
	IMAP_LSUB,
	IMAP_NAMESPACE,
	IMAP_STATUS,
	IMAP_APPEND,
	IMAP_IDLE,
	IMAP_CHECK,
	IMAP_CLOSE,
	IMAP_UNSELECT,
	IMAP_EXPUNGE,
	IMAP_SEARCH,
	IMAP_SORT,
	IMAP_THREAD,
	IMAP_CANCELUPDATE,
	IMAP_ESEARCH,
	IMAP_FETCH,
	IMAP_STORE,
	IMAP_COPY,
	IMAP_MOVE,
	IMAP_COMPRESS,
	IMAP_REPLACE,
	IMAP_GETQUOTA,
	IMAP_GETQUOTAROOT,
	IMAP_SETQUOTA,
	IMAP_UNAUTHENTICATE,
	IMAP_UIDBATCHES,
	IMAP_NOTIFY,
	IMAP_GETACL, /* RFC 4314 */
	IMAP_SETACL,
	IMAP_DELETEACL,
	IMAP_LISTRIGHTS,
	IMAP_MYRIGHTS,
	IMAP_GETMETADATA, /* RFC 5464 */
	IMAP_SETMETADATA,
	IMAP_VERB_COUNT,
};

struct imap_command {
	struct str tag;
	enum imap_verb verb;
	bool is_uid;                 /* UID FETCH and its like */
	struct imap_sources sources; /* ESEARCH, which has search as well */
	union {
		struct {
			struct str user, password;
		} login;
		struct {
			struct str mechanism;
			bool has_initial;
			struct str initial; /* base64 as it came; "" for "=" */
		} authenticate;
		struct {
			const struct str *pairs; /* field, value, field, value */
			size_t count;            /* of pairs */
		} id;
		struct {
			const struct str *names;
			size_t count;
		} enable;
		struct str mailbox;    /* DELETE SUBSCRIBE UNSUBSCRIBE GETQUOTAROOT
					GETACL MYRIGHTS */
		struct str quota_root; /* GETQUOTA SETQUOTA */
		struct str mechanism;  /* COMPRESS */
		struct imap_acl acl;   /* SETACL DELETEACL LISTRIGHTS */
		struct {
			struct str mailbox;
			struct str use; /* "\Sent"; "" if none (RFC 6154 §3) */
		} create;
		struct {
			struct str from, to;
		} rename;
		struct {
			struct str mailbox;
			unsigned items; /* of enum imap_status_item */
		} status;
		struct {
			struct imap_sequence_set set; /* COPY, MOVE, UID EXPUNGE */
			struct str mailbox;
		} copy;
		struct {
			uint32_t size;        /* messages of a batch */
			bool has_range;       /* of batches, as they were written: */
			uint32_t first, last; /* 1 has the highest UIDs */
		} batches;
		struct imap_metadata metadata; /* GETMETADATA SETMETADATA */
		struct imap_select select;     /* EXAMINE too */
		struct imap_list list;
		struct imap_append append; /* REPLACE too */
		struct imap_search search; /* SORT, THREAD too */
		struct {
			const struct str *tags;
			size_t count;
		} cancel; /* CANCELUPDATE */
		struct imap_fetch fetch;
		struct imap_store store;
		struct imap_notify notify;
	};
};

struct imap_dialect {
	enum imap_state state;
	bool is_utf8; /* IMAP4rev2 or UTF8=ACCEPT was enabled */
	bool is_rev2; /* IMAP4rev2 was */
};

/* Reads one command as imap_frame_scan() cut it, its CRLF included; APPEND and REPLACE
 * end where a message begins.  A command that has no place in the state is refused before
 * its arguments are looked at.  False: *reason says why, for a BAD; command->tag is set
 * if there was one, "" otherwise.  Slices borrow from text and arena. */
bool imap_command_parse(struct str text, struct imap_dialect dialect, struct arena *arena,
			struct imap_command *command, struct str *reason);
/* "FETCH". */
struct str imap_verb_name(enum imap_verb verb);
/* Whether its plain form names messages by their numbers, and its UID form by UIDs. */
bool imap_verb_has_numbers(enum imap_verb verb);
