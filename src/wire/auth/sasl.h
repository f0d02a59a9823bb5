/* What clients send to log in with SASL: PLAIN and LOGIN.  RFC 4422, RFC 4616.  SCRAM's
 * messages are in scram.h. */
#pragma once

#include "base/buf.h"

enum sasl_mechanism {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_256_PLUS,
	SASL_EXTERNAL,
	SASL_OTHER
};

enum sasl_line {
	SASL_LINE_DATA,   /* *out holds what was sent; it may be empty */
	SASL_LINE_CANCEL, /* "*": the client gives up */
	SASL_LINE_BAD,    /* no base64 */
};

struct sasl_plain {
	struct str authzid; /* whom to act as; empty: authcid */
	struct str authcid; /* whose password it is */
	struct str password;
};

enum { SASL_TEXT_MAX = 12 * 1024, SASL_NAME_MAX = 1024 };

enum sasl_mechanism sasl_mechanism_find(struct str name);
/* A line of the exchange: base64, or "*".  The decoded octets replace what was in *out;
 * they may be secret: the caller wipes them. */
enum sasl_line sasl_line_decode(struct str line, struct buf *out);
/* The same for the initial response of a command, where "=" is an empty one.  RFC 4954
 * §4, RFC 5034 §4. */
enum sasl_line sasl_initial_decode(struct str initial, struct buf *out);
/* message = [authzid] NUL authcid NUL passwd.  RFC 4616 §2.  Slices borrow from it. */
[[nodiscard]] bool sasl_plain_parse(struct str message, struct sasl_plain *plain);
/* What EXTERNAL sends: whom to act as, or nothing.  RFC 4422 appendix A. */
bool sasl_external_is_valid(struct str authzid);
/* What LOGIN sends for "Username:" or "Password:": UTF-8 without NUL, not empty. */
bool sasl_login_is_valid(struct str text);

/* The server's side of an exchange by PLAIN or LOGIN.
 *
 *   struct sasl_exchange x;
 *   sasl_init(&x, mechanism);
 *   for (state = sasl_first(&x, initial); state == SASL_ASK;
 *        state = sasl_answer(&x, line))
 *           send x.challenge, read the line
 *   sasl_fini(&x);
 */
enum sasl_state {
	SASL_ASK,        /* send the challenge and bring the answer */
	SASL_READY,      /* name and password are there */
	SASL_CANCELED,   /* the client gave up */
	SASL_NOT_BASE64, /* it sent something else */
	SASL_MALFORMED,  /* not what the mechanism sends */
	SASL_FOR_OTHER,  /* it wants to act for somebody else; nobody does here */
};

struct sasl_exchange {
	enum sasl_mechanism mechanism; /* PLAIN or LOGIN */
	const char *challenge;         /* base64 */
	struct str name, password;     /* good until sasl_fini() */
	struct buf first, second;      /* what the client sent, decoded */
};

void sasl_init(struct sasl_exchange *x, enum sasl_mechanism mechanism);
/* Wipes what the client sent; serves SCOPED. */
void sasl_fini(struct sasl_exchange *x);
/* initial: what came with the command, "" for nothing. */
enum sasl_state sasl_first(struct sasl_exchange *x, struct str initial);
enum sasl_state sasl_answer(struct sasl_exchange *x, struct str line);
