/* SMTP in: mail from other servers (port 25), from people (587, 465) and, as LMTP, from
 * a mail server on this machine.  RFC 5321; RFC 6409 where it submits; RFC 2033. */
#pragma once

#include "login/login.h"

struct conn;
struct deliver;
struct tls_server;

enum smtpd_kind {
	SMTPD_MX,          /* port 25: strangers, mail for us only */
	SMTPD_SUBMISSION,  /* port 587: people, STARTTLS before they log in */
	SMTPD_SUBMISSIONS, /* port 465: people, TLS from the first octet (RFC 8314 §3.3)
			    */
	SMTPD_LOCAL,       /* programs on this machine, through smtpd/spooled.h */
	SMTPD_LMTP,        /* on this machine: mail for us only, each recipient answered
			    * for on its own; nobody logs in */
};

struct smtpd_service {
	enum smtpd_kind kind;
	struct str hostname;        /* how we call ourselves */
	struct tls_server *tls;     /* NULL: there is no TLS, only in dev */
	struct login_service login; /* and with it store, vault and directory */
	struct deliver *deliver;    /* who takes the mails */
	uint64_t message_bytes_max;
	size_t recipients_max; /* of one mail, at most SMTPD_RECIPIENTS_MAX */
	struct str spool_id;   /* SMTPD_LOCAL: the queue id that the mail has already, */
	uint32_t spool_uid;    /* and whose it is */
	bool is_dev;           /* on loopback, passwords may come without TLS */
};

enum { SMTPD_RECIPIENTS_MAX = 1000 }; /* as deliver/deliver.h has it */

/* Talks with the client until it leaves, is too slow, or the task is canceled; runs in a
 * task of its own and suspends.  conn stays the caller's, to free. */
void smtpd_session(struct conn *conn, const struct smtpd_service *service);
