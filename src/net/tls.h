/* TLS 1.2 and 1.3 by OpenSSL, for conns.  Private keys are elsewhere (vault): whoever
 * makes a server says how signatures are got.
 */
#pragma once

#include "base/buf.h"
#include "wire/dns/rdata.h"

struct conn;
struct tls_server;
struct tls_client;
struct ssl_st;

enum sign_kind {
	SIGN_ECDSA, /* input is a digest; the signature an ECDSA-Sig-Value in DER */
	SIGN_RSA,   /* input is padded, as long as the modulus: the bare private operation
		     */
};

/* Gets a signature by the private key that is named so; may block but not suspend.  False
 * fails the handshake. */
typedef bool tls_sign(void *arg, struct str key_id, enum sign_kind kind, struct str input,
		      struct buf *signature);

/* chain_pem: the certificate, then those that lead to its root.  Everything is copied but
 * arg.  NULL, and logged, if it is no chain, or its key neither RSA nor ECDSA. */
struct tls_server *tls_server_new(struct str chain_pem, struct str key_id, tls_sign *sign,
				  void *arg);
/* Conns that use it keep it alive. */
void tls_server_free(struct tls_server **server);
/* Another certificate, for those who ask for this host by SNI ("mx.example.org", or
 * "*.example.org" for one label more).  Others get the first. */
[[nodiscard]] bool tls_server_add(struct tls_server *server, struct str host,
				  struct str chain_pem, struct str key_id);

/* Session tickets: sealed by current, opened by current or previous ("" if none), so that
 * each process that has the same keys resumes sessions.  Without keys there are no
 * tickets.
 */
enum { TLS_TICKET_KEY_BYTES = 80 }; /* name 16, AES-256 key 32, HMAC-SHA256 key 32 */
void tls_server_ticket_keys(struct tls_server *server, struct str current,
			    struct str previous);
/* The protocols this server speaks, best first, each after its length octet
 * (RFC 7301 §3.1); borrowed for ever.  Who offers only others is refused. */
void tls_server_alpn(struct tls_server *server, struct str protocols);
/* Asks clients for a certificate below these roots (net/tls_proof.h); call it after the
 * last tls_server_add().  False, and logged, if there are no roots in the text. */
[[nodiscard]] bool tls_server_ask_client(struct tls_server *server, struct str roots_pem);

enum tls_verify {
	TLS_VERIFY_NOTHING, /* opportunistic (RFC 7435): any certificate will do */
	TLS_VERIFY_NAME,    /* a trusted chain for the host asked for */
	TLS_VERIFY_PEER,    /* as conn_starttls_peer() is told each time */
};
/* trusted_pem: the roots; "" for the system's. NULL, and logged, if they cannot be read.
 */
struct tls_client *tls_client_new(enum tls_verify verify, struct str trusted_pem);
void tls_client_free(struct tls_client **client);
/* May suspend.  The client's side of a handshake with host, on a connected conn; input
 * read before is dropped.  ERR_SYNTAX if host is no host name; after any failure the conn
 * is broken. */
[[nodiscard]] err_t conn_starttls_client(struct conn *conn, struct tls_client *client,
					 struct str host);

/* How a mail server is recognised, for the client's side (src/mailauth/tls_policy.h). */
enum tls_check {
	TLS_CHECK_NOTHING,
	TLS_CHECK_NAME, /* a chain to the client's roots, and one of the names (RFC 9525)
			 */
	TLS_CHECK_DANE, /* the TLSA records (RFC 7672 §3); the first name is their base
			   domain */
};
enum { TLS_NAMES_MAX = 4, TLS_RECORDS_MAX = 32, TLS_WHY_MAX = 160 };
struct tls_peer {
	enum tls_check check;
	bool is_binding;                 /* the handshake fails if the check does */
	struct str names[TLS_NAMES_MAX]; /* the first is asked for by SNI */
	size_t name_count;               /* at least 1 */
	const struct dns_tlsa *records;
	size_t record_count;
};
/* What is wrong with the peer's TLS, as RFC 8460 §4.3 tells them apart. */
enum tls_flaw {
	TLS_FLAW_NONE,
	TLS_FLAW_NOT_OFFERED, /* starttls-not-supported */
	TLS_FLAW_HOST,        /* certificate-host-mismatch */
	TLS_FLAW_EXPIRED,
	TLS_FLAW_NOT_TRUSTED,
	TLS_FLAW_VALIDATION, /* validation-failure: anything else */
	TLS_FLAW_TLSA,       /* tlsa-invalid */
	TLS_FLAW_DNSSEC,     /* dnssec-invalid */
	TLS_FLAW_DANE_REQUIRED,
	TLS_FLAW_STS_FETCH,  /* sts-policy-fetch-error */
	TLS_FLAW_STS_POLICY, /* sts-policy-invalid */
	TLS_FLAW_STS_WEBPKI, /* sts-webpki-invalid */
};
enum { TLS_FLAWS = TLS_FLAW_STS_WEBPKI + 1 };
const char *tls_flaw_name(enum tls_flaw flaw); /* the words of RFC 8460 §4.3 */
struct tls_outcome {
	enum tls_flaw flaw;    /* NONE: as wanted (nothing, if nothing was checked) */
	char why[TLS_WHY_MAX]; /* in words; "" with NONE */
};
/* Whether a check can be made with it (RFC 7672 §2.2, "usable"). */
bool tls_can_use(const struct dns_tlsa *record);
/* May suspend.  As conn_starttls_client(), with what the peer must show.  *outcome also
 * when OK is returned and the check bound nobody.  The client is one of TLS_VERIFY_PEER;
 * its roots are for TLS_CHECK_NAME.  ERR_SYNTAX, and *outcome is not touched: a name is
 * none, or no record can be used. */
[[nodiscard]] err_t conn_starttls_peer(struct conn *conn, struct tls_client *client,
				       const struct tls_peer *peer,
				       struct tls_outcome *outcome);

/* For conn_io.c. */
struct tls_server *tls_server_ref(struct tls_server *server);
void tls_server_unref(struct tls_server **server);
struct ssl_st *tls_server_session(struct tls_server *server);
struct ssl_st *tls_client_session(struct tls_client *client, struct str host);
struct ssl_st *tls_client_peer(struct tls_client *client, const struct tls_peer *peer);
