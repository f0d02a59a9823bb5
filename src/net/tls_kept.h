/* Inside net/: TLS sessions with other servers, kept in memory so that the next handshake
 * with the same one is short (RFC 8446 §2.2, RFC 5077).
 *
 * A session that is resumed shows no certificate again, so what is kept was checked, and
 * serves only whoever wants the same of the same host: the names, how they are checked,
 * whether the check binds, and each TLSA record.  It is kept for an hour at most, and
 * never beyond the time that its certificate is good for.
 */
#pragma once

#include "net/tls.h"

struct ssl_ctx_st;

/* Sessions of this context are kept, and freed with it. */
void tls_kept_context(struct ssl_ctx_st *context);
/* Before the handshake: it may be a short one. */
void tls_kept_offer(struct ssl_st *ssl, const struct tls_peer *peer);
/* After it: the peer is what was wanted, so its sessions may be kept. */
void tls_kept_good(struct ssl_st *ssl);
/* How many are kept. */
size_t tls_kept_count(struct ssl_ctx_st *context);
