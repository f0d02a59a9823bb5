/* One SMTP session, seen from inside; see smtpd.h.  Each on_ function answers one command
 * with exactly one reply on every path. */
#pragma once

#include "net/conn.h"
#include "smtpd/draft.h"
#include "smtpd/smtpd.h"
#include "wire/smtp/command.h"

struct session {
	struct conn *conn;
	const struct smtpd_service *service;
	uint64_t id;
	struct arena arena;   /* as old as the session */
	struct arena scratch; /* of one command */
	struct buf reply;     /* room that is used again for each */

	struct str client;    /* how it called itself; "" before EHLO */
	bool is_host_valid;   /* and that is a name or an address literal */
	bool is_extended;     /* EHLO, not HELO */
	struct login login;   /* account 0: nobody yet */
	struct draft *draft;  /* from MAIL until the end of its text or RSET, else NULL */
	unsigned error_count; /* commands that were nonsense */
	unsigned idle_count;  /* commands since the last mail's text */
	bool is_done;
};

enum {
	SMTPD_WAIT_S = 300,            /* RFC 5321 §4.5.3.2.7 */
	SMTPD_HOLD_MAX_S = 30 * 86400, /* how long mail may be held.  RFC 4865 §4.2 */
};

/* Puts one reply into the output; it leaves when the session next waits.  enhanced is the
 * code of RFC 3463, or NULL for none. */
void smtpd_reply(struct session *s, int code, const char *enhanced, const char *format,
		 ...) PRINTF_LIKE(4, 5);
/* The same for a command that was nonsense; after too many, 421 and the end. */
void smtpd_reply_error(struct session *s, int code, const char *enhanced,
		       const char *text);

bool smtpd_is_submission(const struct session *s);
/* Whether the mail is one's own users', to be completed, not judged. */
bool smtpd_is_first_hop(const struct session *s);
/* Whether AUTH may be used, and is offered. */
bool smtpd_offers_auth(const struct session *s);
/* MAIL's and RCPT's parameters that we offer; others are refused with 555. */
unsigned smtpd_params(const struct session *s);
bool smtpd_offers_starttls(const struct session *s);

/* EHLO, HELO and LHLO. */
void smtpd_on_hello(struct session *s, const struct smtp_command *command);

void smtpd_on_mail(struct session *s, const struct smtp_command *command);
void smtpd_on_rcpt(struct session *s, const struct smtp_command *command);
/* These wait for more input, so they can fail as input can. */
[[nodiscard]] err_t smtpd_on_data(struct session *s);
[[nodiscard]] err_t smtpd_on_bdat(struct session *s, const struct smtp_command *command);
[[nodiscard]] err_t smtpd_on_auth(struct session *s, const struct smtp_command *command);
