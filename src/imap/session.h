/* One IMAP session, seen from inside; see imap.h.
 *
 * Each on_ function answers one command with exactly one tagged response on every path.
 * What it returns is about the connection only: other than OK ends the session. */
#pragma once

#include "base/num.h"
#include "imap/imap.h"
#include "imap/selected.h"
#include "net/conn.h"
#include "store/store.h"
#include "wire/imap/command.h"
#include "wire/imap/write.h"

enum {
	IMAP_WAIT_LOGIN_S = 60,
	IMAP_WAIT_S = 30 * 60,    /* RFC 9051 §5.4 */
	IMAP_WAIT_OUTPUT_S = 300, /* for a client that does not read */
	IMAP_OUT_MAX = 4 << 20,   /* one response without message text */
	/* What one page of rows takes: ROWS_PAGE_BYTES of 24-octet rows are 11,000, and
	 * each is a struct here. */
	IMAP_PAGE_MAX = 6 << 20,
	SESSION_OWN_MAX = 16,
};

struct events;

struct session {
	struct conn *conn;
	const struct imap_service *service;
	uint64_t id;
	enum imap_state state;
	bool is_rev2;      /* ENABLE IMAP4rev2 was said */
	bool is_utf8;      /* ENABLE UTF8=ACCEPT was */
	bool is_condstore; /* the client knows of mod-sequences (RFC 7162 §3.1) */
	bool is_qresync;   /* ENABLE QRESYNC was said */
	bool is_uid_only;  /* ENABLE UIDONLY was: no message numbers (RFC 9586) */
	bool is_done;
	uint32_t limited_uid;   /* the command stopped here; 0: it did not (RFC 9738) */
	deadline_t login_until; /* while nobody is logged in */
	unsigned error_count;   /* commands that were nonsense */
	struct login login;     /* account 0: nobody yet */
	struct arena arena;     /* as old as the session */
	struct arena scratch;   /* of one command */
	struct arena page;      /* of one page of rows */
	struct buf out;         /* a response being put together */
	struct store_watch watch;
	struct store_watch visited; /* of the account whose mailbox is selected */
	struct share *shares;       /* imap/shares.h: visits that are open, by owner */
	size_t share_count, share_room;
	struct selected box;   /* mailbox 0: none is selected */
	struct events *events; /* what NOTIFY asked for; NULL: it was never said */
	struct own_change {
		account_t account;
		uint64_t first, last;
	} own[SESSION_OWN_MAX]; /* its own changes, the last of them */
	size_t own_at;
	uint64_t rings; /* of the watch when we last looked what had happened */
};

/* RFC 9586 §3 */
#define UID_REQUIRED                                                                     \
	"[UIDREQUIRED] Message numbers are not allowed once UIDONLY is enabled; use "    \
	"UIDs"

typedef err_t command_handler(struct session *s, const struct imap_command *command);

/* The tagged response.  code may hold a response code: "[TRYCREATE] No such mailbox". */
err_t reply_no(struct session *s, const struct imap_command *command, const char *format,
	       ...) PRINTF_LIKE(3, 4);
err_t reply_bad(struct session *s, const struct imap_command *command, const char *format,
		...) PRINTF_LIKE(3, 4);
/* First tells what happened in the selected mailbox, then OK, with MESSAGELIMIT if the
 * command stopped at a limit. */
err_t reply_ok(struct session *s, const struct imap_command *command, const char *format,
	       ...) PRINTF_LIKE(3, 4);
/* OK without a look at the mailbox. */
err_t reply_only_ok(struct session *s, const struct imap_command *command,
		    const char *format, ...) PRINTF_LIKE(3, 4);
/* NO, with the code (RFC 5530) and words for what the store said. */
err_t reply_store(struct session *s, const struct imap_command *command,
		  enum store_outcome outcome);
/* "* BYE ..." and the end. */
err_t reply_bye(struct session *s, const char *format, ...) PRINTF_LIKE(2, 3);
/* Sends what is in s->out and empties it. */
void session_send(struct session *s);

/* Everything that belongs to whoever is logged in, and their choices, is over; nobody is
 * logged in then. */
void session_forget(struct session *s);
/* A command that shows that the client knows of mod-sequences (RFC 7162 §3.1). */
void session_condstore(struct session *s);
/* Whether mailbox names go over the wire in UTF-8. */
bool session_is_utf8(const struct session *s);
struct store *session_store(const struct session *s);
/* Whether LOGIN and AUTHENTICATE may be used, and are offered. */
bool session_offers_login(const struct session *s);
bool session_offers_starttls(const struct session *s);
/* "IMAP4rev1 IMAP4rev2 ...": what holds in the present state. */
void session_capabilities(const struct session *s, struct buf *out);

/* Tells what happens, in IDLE or between commands, until there is input.  May suspend. */
err_t session_listen(struct session *s, bool is_idle);

/* The commands.  That a message follows an APPEND or REPLACE is framing.h's business. */
command_handler on_capability, on_noop, on_logout, on_id, on_starttls, on_authenticate,
	on_login, on_enable, on_select, on_create, on_delete, on_rename, on_subscribe,
	on_list, on_lsub, on_namespace, on_status, on_append, on_idle, on_close,
	on_unselect, on_expunge, on_search, on_esearch, on_fetch, on_store, on_copy,
	on_move, on_thread, on_cancelupdate, on_compress, on_replace, on_getquota,
	on_getquotaroot, on_setquota, on_unauthenticate, on_uidbatches, on_notify;
command_handler on_getacl, on_setacl, on_deleteacl, on_listrights, on_myrights,
	on_getmetadata, on_setmetadata;
