/* Connections that come through a proxy of ours (a load balancer), which says in front of
 * each who its client is.  See wire/proxy. */
#pragma once

#include "net/networks.h"

struct conn;

enum { PROXIED_WAIT_S = 10 };

/* May suspend.  Reads the header, which is the first that must come, and makes its client
 * the conn's peer and *peer.  A connection of the proxy's own keeps its peer. ERR_SYNTAX:
 * there is no header; else what reading failed with. */
[[nodiscard]] err_t proxied_accept(struct conn *conn, struct address *peer);
