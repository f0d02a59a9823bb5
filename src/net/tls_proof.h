/* What a TLS client shows of itself: its certificate, and the signature by which it
 * proved in this handshake that it has the key (CertificateVerify, RFC 8446 §4.4.3).
 * Whoever is given both can check them again, so a process that has been broken into
 * cannot speak for clients that never came to it.  TLS 1.3 only: there the certificate
 * travels encrypted, and what is signed is short.
 */
#pragma once

#include "base/buf.h"

struct conn;
struct ssl_ctx_st;

/* Clients may show a certificate below these roots; none of them has to.  False, and
 * logged, if roots_pem holds no certificate. */
[[nodiscard]] bool tls_proof_ask(struct ssl_ctx_st *context, struct str roots_pem);

enum {
	TLS_PROOF_CERTIFICATE_MAX = 16 * 1024,
	TLS_PROOF_HASH_MAX = 64,
	TLS_PROOF_SIGNATURE_MAX = 2048,
};
struct tls_proof {
	struct str certificate; /* DER */
	struct str transcript;  /* hash of all messages before the CertificateVerify */
	uint16_t scheme;        /* SignatureScheme, RFC 8446 §4.2.3 */
	struct str signature;
};
/* False if the client showed no certificate, or one that leads to none of the roots, is
 * not for clients or not good now.  Slices are good while the conn lives. */
[[nodiscard]] bool conn_tls_proof(const struct conn *conn, struct tls_proof *proof);
