/* TLS 1.2 and 1.3 by OpenSSL, for conns.  Private keys are elsewhere (vault): whoever
 * makes a server says how signatures are got.
 */
#pragma once

#include "base/buf.h"

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

/* For conn_io.c. */
struct tls_server *tls_server_ref(struct tls_server *server);
void tls_server_unref(struct tls_server **server);
struct ssl_st *tls_server_session(struct tls_server *server);
struct ssl_st *tls_client_session(struct tls_client *client, struct str host);
