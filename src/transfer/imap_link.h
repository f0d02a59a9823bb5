/* A connection to another's IMAP server: commands out, responses in.  What comes is read
 * by wire/imap/response.h and bounded: lines and small literals to 64 KiB a response,
 * messages to what the caller gives room for.  Calls may suspend, and end with
 * ERR_TIMEOUT, ERR_CLOSED, or ERR_SYNTAX for a server that does not speak IMAP. */
#pragma once

#include "net/conn.h"
#include "transfer/import.h"
#include "wire/imap/response.h"

struct imap_link {
	struct conn *conn;
	struct arena arena;  /* of the last response */
	struct buf line;     /* its lines */
	struct buf *message; /* where BODY[] goes; NULL: nowhere */
	bool is_too_long;    /* ... but it did not fit, and was passed over */
	unsigned sent, done; /* commands: the numbers of the last ones */
	struct buf capabilities;
	char why[300]; /* what went wrong, in words; "" if nothing was said */
};

/* Connects, makes it safe, and logs in.  ERR_DENIED: the server refuses, or is not who it
 * should be; trying again does not help.  After a failure link->why may say more;
 * imap_link_close() in any case. */
err_t imap_link_open(struct imap_link *link, const struct imap_source *source);
/* Says goodbye without waiting. */
void imap_link_close(struct imap_link *link);
bool imap_link_can(const struct imap_link *link, struct str capability);

/* Sends a command, without tag and CRLF; answers come in the order of commands. */
void imap_link_send(struct imap_link *link, const char *format, ...) PRINTF_LIKE(2, 3);
/* The next response; good until the next call. */
err_t imap_link_next(struct imap_link *link, struct imap_response *response);
/* Hands on what comes until the oldest command under way has ended.  ERR_DENIED: with NO
 * or BAD; link->why has the server's words.  each may be NULL. */
err_t imap_link_await(struct imap_link *link,
		      void (*each)(void *arg, const struct imap_response *), void *arg);
