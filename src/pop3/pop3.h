/* POP3: one person fetches the mail of INBOX.  RFC 1939; RFC 2449, 2595, 5034, 6856. */
#pragma once

#include "login/login.h"

struct conn;
struct tls_server;

struct pop3_service {
	struct str hostname;        /* how we call ourselves */
	struct tls_server *tls;     /* NULL: there is no TLS, only in dev */
	struct login_service login; /* and with it store, vault and directory */
	bool is_tls_first;          /* port 995: TLS from the first octet */
	bool is_dev;                /* on loopback, passwords may come without TLS */
};

/* Talks with the client until it leaves, is too slow, or the task is canceled; runs in a
 * task of its own and suspends.  conn stays the caller's, to free. */
void pop3_session(struct conn *conn, const struct pop3_service *service);
