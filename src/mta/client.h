/* The client's side of SMTP and LMTP up to the envelope: greeting, EHLO, STARTTLS, AUTH,
 * and reading replies within bounds.  RFC 5321 §3.1, §4.1.1, §4.2; RFC 2033; RFC 3207;
 * RFC 4954.
 */
#pragma once

#include "base/buf.h"
#include "mailauth/tls_policy.h"
#include "wire/smtp/limits.h"
#include "wire/smtp/reply.h"

struct conn;

enum client_offer {
	OFFER_PIPELINING = 1 << 0,
	OFFER_SIZE = 1 << 1,
	OFFER_8BITMIME = 1 << 2,
	OFFER_SMTPUTF8 = 1 << 3,
	OFFER_CHUNKING = 1 << 4,
	OFFER_BINARYMIME = 1 << 5,
	OFFER_DSN = 1 << 6,
	OFFER_STARTTLS = 1 << 7,
	OFFER_REQUIRETLS = 1 << 8,
	OFFER_DELIVERBY = 1 << 20,
	OFFER_AUTH_PLAIN = 1 << 9,
	OFFER_AUTH_LOGIN = 1 << 10,
	OFFER_AUTH = 1 << 11,       /* whatever its mechanisms are */
	OFFER_AUTH_SCRAM = 1 << 12, /* SCRAM-SHA-256 */
	OFFER_AUTH_SCRAM_PLUS = 1 << 13,
};

enum { CLIENT_TEXT_MAX = 400 }; /* octets kept of a reply's text, and of a reason */

/* Limits of RFC 5321 §4.5.3.2, in seconds. */
enum client_wait {
	WAIT_GREETING = 300,
	WAIT_HELLO = 300,
	WAIT_ENVELOPE = 300,
	WAIT_DATA = 120,
	WAIT_BLOCK = 180,
	WAIT_FINAL = 600,
	WAIT_QUIT = 5,
};

struct client_login {
	struct str name, password; /* name "": none */
};

struct client_options {
	struct str hello;    /* our name */
	struct str hostname; /* whoever says it is that is us */
	bool is_lmtp;
	struct tls_client *tls;   /* of TLS_VERIFY_PEER */
	struct tls_demand demand; /* its verdict has been heeded */
	bool is_tls_implicit;     /* from the first octet: RFC 8314 §3.3 */
	bool is_tls_avoided;      /* it has failed there, and is not needed */
	struct client_login login;
	unsigned patience_s;
};

/* What the server said it takes; 0: it did not say. */
struct client_bounds {
	uint64_t size_max;
	struct smtp_limits limits;
	uint32_t by_min_s; /* RFC 2852 §2 */
};

enum { CLIENT_DOMAINS_MAX = 100 }; /* that a session names, if that is bounded */

struct client {
	struct conn *conn;
	struct str host; /* its name, for logs and reasons; borrowed */
	struct client_options options;
	unsigned offers; /* enum client_offer */
	struct client_bounds bounds;
	bool has_failed; /* the connection is of no more use */
	unsigned mails;  /* that were begun */
	uint64_t
		domains[CLIENT_DOMAINS_MAX]; /* hashes of those it named, if they count */
	size_t domain_count;
	bool is_tls_known; /* it was offered or not, and then tried: */
	struct tls_outcome tls;

	struct smtp_reply reply; /* the last */
	struct buf text;         /* its words, on one line */
};

enum client_outcome {
	CLIENT_READY,
	CLIENT_REFUSED,       /* by a reply: client->reply and text */
	CLIENT_LOST,          /* no reply; text says what happened */
	CLIENT_NO_TLS,        /* the handshake failed */
	CLIENT_TLS_UNMET,     /* TLS is demanded, and not to be had; text says why */
	CLIENT_NO_REQUIRETLS, /* RFC 8689 §4.2.1 */
	CLIENT_IS_SELF,       /* this is ourselves */
};

/* Takes conn over.  May suspend, until mails may be sent. */
enum client_outcome client_open(struct client *client, struct conn *conn, struct str host,
				const struct client_options *options);
/* Says QUIT without waiting for an answer, if that makes sense, and frees what is
 * inside. */
void client_close(struct client *client);

/* May suspend until a whole reply has come, at most wait_s.  Other than OK: the
 * connection has failed, and text says how. */
[[nodiscard]] err_t client_reply(struct client *client, unsigned wait_s);
/* The reply's enhanced code, or one made of its class. */
struct smtp_enhanced client_status(const struct client *client);
/* One step of the dialogue's deadline. */
void client_deadline(struct client *client, unsigned wait_s);

/* Whether a recipient of that domain may be named in this session, which then has named
 * it.  RFC 9422 §4.3. */
bool client_may_name(struct client *client, struct str domain);

/* One line of an EHLO reply: what it offers.  Some words set a bound. */
unsigned client_offer_of(struct str line, struct client_bounds *bounds);
