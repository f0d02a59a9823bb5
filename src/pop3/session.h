/* One POP3 session, seen from inside; see pop3.h.  Each on_ function answers one command
 * with exactly one reply on every path. */
#pragma once

#include "net/conn.h"
#include "pop3/maildrop.h"
#include "pop3/pop3.h"
#include "pop3/reading.h"
#include "wire/pop3/command.h"

struct session {
	struct conn *conn;
	const struct pop3_service *service;
	uint64_t id;
	struct arena arena;   /* as old as the session */
	struct arena scratch; /* of one command */
	struct login login;   /* account 0: the AUTHORIZATION state */
	struct str user;      /* of USER, until PASS */
	struct maildrop drop;
	struct reading reading;
	deadline_t login_until;
	unsigned error_count; /* commands that were nonsense, passwords that were wrong */
	bool is_done;
};

enum { POP3_WAIT_S = 600 }; /* RFC 1939 §3: at least 10 minutes; also for the log-in */

void pop3_reply_ok(struct session *s, const char *format, ...) PRINTF_LIKE(2, 3);
/* code is that of RFC 2449 §8, RFC 3206, "" for none. */
void pop3_reply_failed(struct session *s, const char *code, const char *text);
/* The same for a command that was nonsense; after too many, the end. */
void pop3_reply_error(struct session *s, const char *code, const char *text);

/* Whether a password may be sent now. */
bool pop3_may_log_in(const struct session *s);
bool pop3_may_starttls(const struct session *s);

/* The AUTHORIZATION state: auth.c */
void pop3_on_user(struct session *s, struct str name);
void pop3_on_pass(struct session *s, struct str password);
[[nodiscard]] err_t pop3_on_auth(struct session *s, const struct pop3_command *command);
/* The TRANSACTION state: transaction.c */
void pop3_on_stat(struct session *s);
void pop3_on_list(struct session *s, uint32_t number);
void pop3_on_uidl(struct session *s, uint32_t number);
void pop3_on_dele(struct session *s, uint32_t number);
/* lines: how many of the body, UINT64_MAX for all of it. */
[[nodiscard]] err_t pop3_on_retr(struct session *s, uint32_t number, uint64_t lines);
