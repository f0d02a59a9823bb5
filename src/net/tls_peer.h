/* Inside net/: sessions that look at the peer as struct tls_peer says. */
#pragma once

#include "net/tls.h"

struct ssl_ctx_st;

/* Sets the context up for such sessions. */
void tls_peer_context(struct ssl_ctx_st *context);
/* NULL if a name is none. */
struct ssl_st *tls_peer_session(struct ssl_ctx_st *context, const struct tls_peer *peer);
/* After the handshake, however it ended. */
void tls_peer_look(struct ssl_st *ssl, const struct tls_peer *peer, err_t err,
		   struct tls_outcome *outcome);
