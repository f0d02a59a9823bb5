/* Connections that come through a proxy of ours (a load balancer), which says in front of
 * each who its client is.  See wire/proxy. */
#pragma once

#include "net/address.h"

struct conn;

enum { PROXIES_MAX = 32, PROXIED_WAIT_S = 10 };

/* Who may say so. */
struct proxies {
	struct {
		unsigned char octets[16]; /* an IPv4 address as ::ffff:192.0.2.1 */
		unsigned bits;            /* of them count */
	} nets[PROXIES_MAX];
	size_t count;
};

/* Words "192.0.2.1", "2001:db8::/32", separated by spaces or commas.  False if one of
 * them is neither an address nor a network, or there are too many. */
[[nodiscard]] bool proxies_parse(struct str text, struct proxies *proxies);
bool proxies_have(const struct proxies *proxies, const struct address *address);

/* May suspend.  Reads the header, which is the first that must come, and makes its client
 * the conn's peer and *peer.  A connection of the proxy's own keeps its peer. ERR_SYNTAX:
 * there is no header; else what reading failed with. */
[[nodiscard]] err_t proxied_accept(struct conn *conn, struct address *peer);
