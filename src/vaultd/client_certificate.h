/* Certificates of clients: which one it is, and whether its owner was there.  Nothing
 * suspends. */
#pragma once

#include "base/buf.h"
#include "net/tls_proof.h"

/* Appends the SHA-256 of the first certificate of a PEM text. */
[[nodiscard]] bool client_certificate_read(struct str pem, struct buf *fingerprint);
/* Appends the SHA-256 of the certificate, which is not looked into. */
[[nodiscard]] bool client_certificate_name(const struct tls_proof *proof,
					   struct buf *fingerprint);
/* True if the certificate's key has signed the handshake (RFC 8446 §4.4.3) and it is good
 * at this time.  For certificates that are known: a stranger's octets should not get so
 * far. */
[[nodiscard]] bool client_certificate_proves(const struct tls_proof *proof);
