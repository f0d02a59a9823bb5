/* IMAP: people read and arrange their mail.  RFC 9051 (IMAP4rev2), RFC 3501 (IMAP4rev1),
 * and the extensions of the table in capability.c. */
#pragma once

#include "login/login.h"

struct conn;
struct extract;
struct tls_server;

struct imap_service {
	struct str hostname;        /* how we call ourselves */
	struct tls_server *tls;     /* NULL: there is no TLS, only in dev */
	struct login_service login; /* and with it store, vault and directory */
	struct extract *extract;    /* who reads attached documents; NULL: nobody */
	uint64_t message_bytes_max; /* of APPEND */
	/* The most messages that one command goes through (MESSAGELIMIT), and that one
	 * COPY or APPEND stores (SAVELIMIT); 0 is no limit.  RFC 9738. */
	uint32_t command_messages_max, copy_messages_max;
	/* Of a STORE, that are one commit, so that others need not wait for long; 0: as
	 * many as take some 7 ms. */
	uint32_t slice_messages;
	bool is_dev; /* on loopback, passwords may come without TLS */
};

/* Talks with the client until it leaves, is silent for too long, or the task is canceled;
 * runs in a task of its own and suspends.  On port 993 the conn has TLS already.  conn
 * stays the caller's, to free. */
void imap_session(struct conn *conn, const struct imap_service *service);
