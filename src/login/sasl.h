/* Logging in by SASL (RFC 4422), for every protocol alike: the door sends challenges and
 * brings answers.
 *
 *   SCOPED(login_sasl_fini) struct login_sasl x;
 *
 *   login_sasl_init(&x, &client, mechanism);
 *   for (state = login_sasl_first(&x, initial); state == LOGIN_ASK;
 *        state = login_sasl_answer(&x, line))
 *           send x.challenge, read the line
 *
 * PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC 7677) and, bound to the TLS channel by
 * tls-exporter (RFC 9266) or tls-server-end-point (RFC 5929 §4), SCRAM-SHA-256-PLUS; to
 * who has shown a TLS certificate, EXTERNAL (RFC 4422 appendix A). */
#pragma once

#include "login/login.h"
#include "vault/vault.h"
#include "wire/auth/sasl.h"
#include "wire/auth/scram.h"

struct conn;

enum login_state {
	LOGIN_ASK,        /* send the challenge and bring the answer */
	LOGIN_OVER,       /* outcome says what came of it, and login who it is */
	LOGIN_CANCELED,   /* the client gave up */
	LOGIN_NOT_BASE64, /* it sent something else */
	LOGIN_MALFORMED,  /* not what the mechanism sends */
	LOGIN_FOR_OTHER,  /* it wants to act for somebody else; nobody does here */
};

struct login_sasl {
	const char *challenge; /* base64; good until the answer is brought */
	enum login_outcome outcome;
	struct login login;

	/* inside */
	const struct login_service *service;
	struct login_client client;
	enum sasl_mechanism mechanism;
	struct sasl_exchange plain;
	struct arena arena; /* of SCRAM's messages */
	struct buf message, text;
	struct scram_client_first first;
	account_t account;
	struct str nonce; /* both parts */
	enum { SCRAM_AT_FIRST, SCRAM_AT_FINAL, SCRAM_AT_END } step;
};

/* Whether the client can be known by its TLS certificate alone. */
bool login_offers_external(const struct conn *conn);
/* What is offered on this connection, best first, separated by spaces. */
const char *login_mechanisms(const struct conn *conn);
/* SASL_OTHER also if it is known, but not offered on this connection. */
enum sasl_mechanism login_mechanism_find(const struct conn *conn, struct str name);

/* Words for LOGIN_REFUSED, for the person at the other end. */
const char *login_refusal(enum sasl_mechanism mechanism);

/* The service and what client points at must outlive the session. */
void login_sasl_init(struct login_sasl *x, const struct login_service *service,
		     const struct login_client *client, enum sasl_mechanism mechanism);
/* Wipes what the client sent; x->login stays the caller's to end. */
void login_sasl_fini(struct login_sasl *x);
/* initial: what came with the command, "" for nothing.  These may suspend; the line is
 * copied before. */
enum login_state login_sasl_first(struct login_sasl *x, struct str initial);
enum login_state login_sasl_answer(struct login_sasl *x, struct str line);
